"""Base class, field types and loader of settings.

A group of settings is a subclass of `SettingsGroup`. `load_group` reads one from the environment
and, in development, from `.env`.
"""

import json
import os
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.env_file import EnvFileError, read_env_file

SERVICE_NAME = "{{ cookiecutter.project_slug }}"
Environment = Literal["development", "test", "production"]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]

ItemT = TypeVar("ItemT")


def _split_list(value: object) -> object:
    """Split the text of a variable; other values, such as defaults, are returned as they are."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [item.strip() for item in value.split(",") if item.strip()]


#: A tuple, written as `a,b` or as the JSON array `["a", "b"]`.
CommaSeparated = Annotated[tuple[ItemT, ...], NoDecode, BeforeValidator(_split_list)]


def _check_ports(value: int | str) -> str:
    ports = [port.strip() for port in str(value).split(",")]
    if not all(port.isdecimal() and 0 < int(port) < 65_536 for port in ports):
        raise ValueError("must be a number from 1 to 65535, or several separated by commas")
    return ",".join(str(int(port)) for port in ports)


#: One port, or one for each of several hosts.
Ports = Annotated[int | str, AfterValidator(_check_ports)]


class SettingsError(ValueError, SystemExit):
    """Invalid settings; the message has one line for each variable and contains no value.

    As a `SystemExit`, an uncaught error ends the process with status 1 and prints the message
    instead of a traceback.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        #: Printed by the interpreter. An integer would be the exit status.
        self.code: str | int = message


class SettingsGroup(BaseSettings):
    """Base class for a group of settings.

    Each field is read from the variable that its alias names. A field without an alias is read from
    the variable with its own name, in upper case.
    """

    model_config = SettingsConfigDict(
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        # An invalid value may be a password.
        hide_input_in_errors=True,
    )
    #: Read in addition to the environment, which takes precedence. Tests set it to None.
    env_file: ClassVar[Path | None] = Path(".env")
    #: New name of each renamed variable, by its old name. Setting the old name is an error, because
    #: its value would be ignored silently.
    renamed: ClassVar[dict[str, str]] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - see app.env_file
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources of values; the first that has a value takes precedence."""
        env_file = EnvSettingsSource(settings_cls)
        env_file.env_vars = {
            name.lower(): value for name, value in cls.read_env_file().items() if value
        }
        return init_settings, env_settings, env_file, file_secret_settings

    @classmethod
    def read_env_file(cls) -> dict[str, str]:
        """Return the variables in `env_file`; raises `EnvFileError` if it is invalid."""
        return read_env_file(cls.env_file) if cls.env_file else {}


GroupT = TypeVar("GroupT", bound=SettingsGroup)


def load_group(group: type[GroupT]) -> GroupT:
    """Read a group of settings from the environment and `.env`.

    Raises `SettingsError` with one line for each invalid or renamed variable.
    """
    try:
        problems = _find_renamed(group)
        loaded = group()
    except EnvFileError as error:
        raise SettingsError(str(error)) from None
    except ValidationError as error:
        problems += map(_describe, error.errors(include_input=False, include_url=False))
    if problems:
        raise SettingsError("\n".join(problems))
    return loaded


def _find_renamed(group: type[SettingsGroup]) -> list[str]:
    sources = (os.environ, group.read_env_file())
    # Upper case, because names are case-insensitive, as for all settings.
    names = {name.upper() for source in sources for name, value in source.items() if value}
    return [f"{old}: renamed to {new}" for old, new in group.renamed.items() if old in names]


def _describe(error: ErrorDetails) -> str:
    name = f"{error['loc'][0]}: ".upper() if error["loc"] else ""
    return name + error["msg"].removeprefix("Value error, ")
