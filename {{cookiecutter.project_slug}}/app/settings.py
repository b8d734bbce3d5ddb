"""Application settings, read from the environment and `.env`.

`.env.example` documents every variable. Importing this module reads nothing: `create_app` calls
`load_settings` once and passes each group of settings to the part of the service that needs it.
Components have their own groups, see `app.components`.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from app.components import discover_components
from app.settings_base import (
    SERVICE_NAME,
    CommaSeparated,
    Environment,
    GroupT,
    HeaderName,
    Ports,
    Seconds,
    SettingsError,
    SettingsGroup,
    load_group,
)

__all__ = [
    "SERVICE_NAME",
    "DatabaseSettings",
    "ServiceSettings",
    "Settings",
    "SettingsError",
    "load_settings",
]


class DatabaseSettings(SettingsGroup):
    """Connection to the database, size of the connection pool and time limits."""

    url: SecretStr | None = Field(default=None, alias="DATABASE_URL")
    host: str | None = Field(default=None, alias="POSTGRES_HOST")
    port: Ports | None = Field(default=None, alias="POSTGRES_PORT")
    user: str | None = Field(default=None, alias="POSTGRES_USER")
    password: SecretStr | None = Field(default=None, alias="POSTGRES_PASSWORD")
    name: str | None = Field(default=None, alias="POSTGRES_DB")

    application_name: str = Field(default=SERVICE_NAME, alias="SERVICE_NAME")

    pool_min_size: int = Field(default=2, ge=0, alias="DB_POOL_MIN_SIZE")
    pool_max_size: int = Field(default=15, ge=1, alias="DB_POOL_MAX_SIZE")
    pool_timeout: Seconds = Field(default=5, alias="DB_POOL_TIMEOUT")
    pooler: Literal["none", "pgbouncer"] = Field(default="none", alias="DB_POOLER")

    statement_timeout: Seconds = Field(default=30, alias="DB_STATEMENT_TIMEOUT")
    search_timeout: Seconds = Field(default=3, alias="DB_SEARCH_TIMEOUT")
    lock_timeout: Seconds = Field(default=5, alias="DB_LOCK_TIMEOUT")
    idle_in_transaction_timeout: Seconds = Field(default=60, alias="DB_IDLE_IN_TRANSACTION_TIMEOUT")

    @property
    def explicit_parts(self) -> dict[str, object]:
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
        """True if `DATABASE_URL` or any of `POSTGRES_*` is set."""
        return self.url is not None or bool(self.explicit_parts)

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        parts = ", ".join(self.explicit_parts)
        if self.url is not None and parts:
            raise ValueError(f"set DATABASE_URL or {parts}, not both")
        if parts and self.host is None:
            raise ValueError(f"POSTGRES_HOST is required when {parts} is set")
        if self.pool_min_size > self.pool_max_size:
            raise ValueError("DB_POOL_MIN_SIZE must not be greater than DB_POOL_MAX_SIZE")
        return self


class ServiceSettings(SettingsGroup):
    """Environment, logging, HTTP and shutdown."""

    environment: Environment = "development"
    service_name: str = SERVICE_NAME
    debug: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    cors_origins: CommaSeparated[str] = ()
    cors_allow_headers: CommaSeparated[HeaderName] = (
        "Authorization",
        "Content-Type",
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "X-Request-ID",
    )
    cors_expose_headers: CommaSeparated[HeaderName] = (
        "ETag",
        "Link",
        "Location",
        "Retry-After",
        "X-Request-ID",
    )
    docs_enabled: bool | None = None
    max_body_size: int = Field(default=1_048_576, ge=1)
    root_path: str = Field(default="", pattern=r"^(/[A-Za-z0-9._~-]+)*$")

    shutdown_delay: float = Field(default=0, ge=0, le=86_400)
    shutdown_timeout: Seconds = 20

    @model_validator(mode="after")
    def _check_safety(self) -> Self:
        if self.is_production and self.debug:
            raise ValueError("DEBUG must not be enabled in production")
        return self

    @property
    def is_production(self) -> bool:
        """True in the production environment."""
        return self.environment == "production"

    @property
    def serves_docs(self) -> bool:
        """True if `/docs` and `/openapi.json` are served: by default, outside production."""
        return not self.is_production if self.docs_enabled is None else self.docs_enabled


class Settings(BaseModel):
    """All settings of the service; times are in seconds, sizes in bytes unless noted.

    A group that is not passed is read from the environment.
    """

    model_config = ConfigDict(frozen=True)

    service: ServiceSettings = Field(default_factory=ServiceSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    #: The groups of components, see `group`.
    components: tuple[SettingsGroup, ...] = Field(default=(), validate_default=True)

    @field_validator("components")
    @classmethod
    def _add_missing(cls, groups: tuple[SettingsGroup, ...]) -> tuple[SettingsGroup, ...]:
        passed = {type(group) for group in groups}
        return (*groups, *(group() for group in _component_groups() if group not in passed))

    def group(self, group: type[GroupT]) -> GroupT:
        """Return the settings of a component. Raises `LookupError` if no component has them."""
        for settings in self.components:
            if isinstance(settings, group):
                return settings
        raise LookupError(f"no component has the settings group {group.__name__}")


def load_settings() -> Settings:
    """Read all settings from the environment and `.env`.

    Raises `SettingsError` with one line for each problem in any of the groups.
    """
    loaded: dict[type[SettingsGroup], Any] = {}
    problems: list[str] = []
    for group in settings_groups():
        try:
            loaded[group] = load_group(group)
        except SettingsError as error:
            problems += str(error).splitlines()
    if problems:
        # Without duplicates: several groups read ENVIRONMENT, SERVICE_NAME and `.env`.
        raise SettingsError("\n".join(dict.fromkeys(problems)))
    return Settings(
        service=loaded.pop(ServiceSettings),
        database=loaded.pop(DatabaseSettings),
        components=tuple(loaded.values()),
    )


def settings_groups() -> list[type[SettingsGroup]]:
    """Return the groups of the service and of its components."""
    return [ServiceSettings, DatabaseSettings, *_component_groups()]


def _component_groups() -> list[type[SettingsGroup]]:
    groups = (component.settings_group for component in discover_components())
    return [group for group in groups if group is not None]
