"""How settings are read: from the environment and, in development, from `.env`."""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.env_file import EnvFileError, read_env_file

Seconds = Annotated[float, Field(gt=0, le=86_400)]


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [item.strip() for item in value.split(",") if item.strip()]


#: A tuple, separated by commas or as JSON: `Annotated[tuple[str, ...], *COMMA_SEPARATED]`.
COMMA_SEPARATED = (NoDecode, BeforeValidator(_split))

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
HeaderNames = Annotated[tuple[HeaderName, ...], *COMMA_SEPARATED]


def _check_ports(value: int | str) -> str:
    ports = [port.strip() for port in str(value).split(",")]
    if not all(port.isdecimal() and 0 < int(port) < 65_536 for port in ports):
        raise ValueError("not a number from 1 to 65535, or several with commas")
    return ",".join(str(int(port)) for port in ports)


#: A port, or one for each of several hosts.
Ports = Annotated[int | str, AfterValidator(_check_ports)]


class EnvFileSource(EnvSettingsSource):
    """Reads the file in place of pydantic-settings, which expands `${NAME}` and skips bad lines."""

    def _load_env_vars(self) -> dict[str, str | None]:
        env_file = self.config.get("env_file")
        if env_file is None:
            return {}
        variables = read_env_file(Path(str(env_file)))
        return {name.lower(): value for name, value in variables.items() if value}


class SettingsGroup(BaseSettings):
    """Settings that belong together; each is a field, named by its alias or by its own name."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        # A refused value may be a password.
        hide_input_in_errors=True,
    )

    def __init__(self, **values: Any) -> None:
        # Without the file, which would be read before the source below replaces this one.
        super().__init__(_env_file=None, **values)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - replaced
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources of values; the first one that has a value wins."""
        return init_settings, env_settings, EnvFileSource(settings_cls), file_secret_settings


def read(group: Any, problems: list[str]) -> Any:
    """The group as the environment has it; what is wrong is added to `problems`, without values."""
    try:
        return group()
    except EnvFileError as error:
        problems.append(str(error))
        return group.model_construct()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            name = str(problem["loc"][0]).upper() + ": " if problem["loc"] else ""
            problems.append(name + problem["msg"].removeprefix("Value error, "))
        return group.model_construct()
