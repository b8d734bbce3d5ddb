"""How settings are read: from the environment and, in development, from `.env`."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0, le=86_400)]


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [item.strip() for item in value.split(",") if item.strip()]


#: For a tuple that is written with commas or as JSON: `Annotated[tuple[str, ...], *LISTED]`.
LISTED = (NoDecode, BeforeValidator(_split))

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
HeaderNames = Annotated[tuple[HeaderName, ...], *LISTED]


class Group(BaseSettings):
    """Settings that belong together; each is a field, named by its alias or by its own name."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        # A refused value may be a password.
        hide_input_in_errors=True,
    )


def read(group: Any, problems: list[str]) -> Any:
    """The group as the environment has it; what is wrong is added to `problems`, without values."""
    try:
        return group()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            name = str(problem["loc"][0]).upper() + ": " if problem["loc"] else ""
            problems.append(name + problem["msg"].removeprefix("Value error, "))
        return group.model_construct()
