"""Everything that differs between two places where this service runs.

Read from the environment and, in development, from `.env`; `.env.example` lists every name.
Nothing is read at import: `create_app` builds one `Settings` and hands it on.
"""

import json
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SERVICE_NAME = "{{ cookiecutter.project_slug }}"

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class SettingsError(ValueError):
    """The environment does not describe a service that can run; names every bad variable."""


class _Group(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        # A refused value may be a password.
        hide_input_in_errors=True,
    )


class DatabaseSettings(_Group):
    """Where the database is, how many connections to keep, and how long to wait for it."""

    url: SecretStr | None = Field(default=None, alias="DATABASE_URL")
    host: str | None = Field(default=None, alias="POSTGRES_HOST")
    port: int | None = Field(default=None, ge=1, le=65535, alias="POSTGRES_PORT")
    user: str | None = Field(default=None, alias="POSTGRES_USER")
    password: SecretStr | None = Field(default=None, alias="POSTGRES_PASSWORD")
    name: str | None = Field(default=None, alias="POSTGRES_DB")

    application_name: str = Field(default=SERVICE_NAME, alias="SERVICE_NAME")

    pool_min_size: int = Field(default=2, ge=0, alias="DB_POOL_MIN_SIZE")
    pool_max_size: int = Field(default=15, ge=1, alias="DB_POOL_MAX_SIZE")
    pool_timeout: Seconds = Field(default=5, alias="DB_POOL_TIMEOUT")
    pooler: Literal["none", "pgbouncer"] = Field(default="none", alias="DB_POOLER")

    statement_timeout: Seconds = Field(default=30, alias="DB_STATEMENT_TIMEOUT")
    lock_timeout: Seconds = Field(default=5, alias="DB_LOCK_TIMEOUT")
    idle_in_transaction_timeout: Seconds = Field(default=60, alias="DB_IDLE_IN_TRANSACTION_TIMEOUT")

    @property
    def parts(self) -> dict[str, object]:
        """The `POSTGRES_*` variables that are set, by name."""
        parts = {
            "POSTGRES_HOST": self.host,
            "POSTGRES_PORT": self.port,
            "POSTGRES_USER": self.user,
            "POSTGRES_PASSWORD": self.password,
            "POSTGRES_DB": self.name,
        }
        return {name: value for name, value in parts.items() if value is not None}

    @property
    def is_configured(self) -> bool:
        """Whether the environment names a database at all."""
        return self.url is not None or bool(self.parts)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.url is not None and self.parts:
            raise ValueError(f"set DATABASE_URL or {', '.join(self.parts)}, not both")
        if self.parts and self.host is None:
            raise ValueError(f"POSTGRES_HOST is missing beside {', '.join(self.parts)}")
        if self.pool_min_size > self.pool_max_size:
            raise ValueError("DB_POOL_MIN_SIZE is greater than DB_POOL_MAX_SIZE")
        return self


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [item.strip() for item in value.split(",") if item.strip()]


class ServiceSettings(_Group):
    """How the service presents itself, what it lets in, and how it ends."""

    environment: Literal["development", "test", "production"] = "development"
    service_name: str = SERVICE_NAME
    debug: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    docs_enabled: bool | None = None
    max_body_size: int = Field(default=1_048_576, ge=1)

    shutdown_delay: float = Field(default=0, ge=0, le=86_400)
    shutdown_timeout: Seconds = 20

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.is_production and self.debug:
            raise ValueError("DEBUG shows the inside of the service, and cannot be in production")
        return self

    @property
    def is_production(self) -> bool:
        """Whether real users depend on this process."""
        return self.environment == "production"

    @property
    def serves_docs(self) -> bool:
        """Whether `/docs` and `/openapi.json` exist: unless told otherwise, not in production."""
        return not self.is_production if self.docs_enabled is None else self.docs_enabled


class Settings(BaseModel):
    """The whole configuration; times are in seconds, sizes in bytes."""

    model_config = ConfigDict(frozen=True)

    service: ServiceSettings
    database: DatabaseSettings


_GroupT = TypeVar("_GroupT", bound=_Group)


def _read(group: type[_GroupT], problems: list[str]) -> _GroupT:
    try:
        return group()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            name = str(problem["loc"][0]).upper() + ": " if problem["loc"] else ""
            problems.append(name + problem["msg"].removeprefix("Value error, "))
        return group.model_construct()


def load_settings() -> Settings:
    """Read the environment.

    Raises `SettingsError` with one line for each bad variable and the value of none.
    """
    problems: list[str] = []
    service, database = _read(ServiceSettings, problems), _read(DatabaseSettings, problems)
    if problems:
        raise SettingsError("\n".join(problems))
    return Settings(service=service, database=database)
