"""Everything that differs between two places where this service runs.

Read from the environment and, in development, from `.env`; `.env.example` lists every name.
Nothing is read at import: `create_app` builds one `Settings` and hands it on.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from app.settings_base import COMMA_SEPARATED, HeaderNames, Ports, Seconds, SettingsGroup, read

SERVICE_NAME = "{{ cookiecutter.project_slug }}"
Environment = Literal["development", "test", "production"]


class SettingsError(ValueError, SystemExit):
    """The environment does not describe a service that can run; names every bad variable.

    As a `SystemExit` it ends the process with the status 1 and its message, without a traceback.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        #: What the interpreter prints; an integer is the exit status instead.
        self.code: str | int = message


class DatabaseSettings(SettingsGroup):
    """Where the database is, how many connections to keep, and how long to wait for it."""

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


class ServiceSettings(SettingsGroup):
    """How the service presents itself, what it lets in, and how it ends."""

    environment: Environment = "development"
    service_name: str = SERVICE_NAME
    debug: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    cors_origins: Annotated[tuple[str, ...], *COMMA_SEPARATED] = ()
    cors_allow_headers: HeaderNames = (
        *("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"),
        "X-Request-ID",
    )
    cors_expose_headers: HeaderNames = ("ETag", "Link", "Location", "Retry-After", "X-Request-ID")
    docs_enabled: bool | None = None
    max_body_size: int = Field(default=1_048_576, ge=1)
    root_path: str = Field(default="", pattern=r"^(/[A-Za-z0-9._~-]+)*$")

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


# jinja: if cookiecutter.auth
#: The least memory, in bytes, that OWASP recommends for argon2id.
#: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
MIN_HASH_MEMORY = 19_922_944


class AuthSettings(SettingsGroup):
    """Who is let in and for how long, and how often anyone may guess."""

    environment: Environment = "development"
    #: Names this service in its tokens, as the one that issues and the one that accepts them.
    issuer: str = Field(default=SERVICE_NAME, alias="SERVICE_NAME")

    secrets: Annotated[tuple[SecretStr, ...], *COMMA_SEPARATED] = Field(
        default=(), alias="AUTH_SECRETS"
    )
    access_token_ttl: int = Field(default=900, ge=1, le=86_400, alias="AUTH_ACCESS_TOKEN_TTL")
    refresh_token_ttl: int = Field(
        default=2_592_000, ge=1, le=31_536_000, alias="AUTH_REFRESH_TOKEN_TTL"
    )

    max_failures: int = Field(default=10, ge=1, alias="AUTH_MAX_FAILURES")
    max_failures_per_address: int = Field(default=100, ge=1, alias="AUTH_MAX_FAILURES_PER_ADDRESS")
    failure_window: Seconds = Field(default=300, alias="AUTH_FAILURE_WINDOW")

    # What argon2id spends on a password, and how many it works on at once.
    # https://www.rfc-editor.org/rfc/rfc9106#section-4
    hash_memory: int = Field(default=67_108_864, le=2**32, alias="AUTH_HASH_MEMORY")
    hash_passes: int = Field(default=3, ge=1, le=100, alias="AUTH_HASH_PASSES")
    hash_lanes: int = Field(default=4, ge=1, le=4, alias="AUTH_HASH_LANES")
    hash_threads: int = Field(default=2, ge=1, alias="AUTH_HASH_THREADS")

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        # Not at the top, since the modules of `app.auth` import this one.
        from app.auth.signing_secrets import GENERATE_HINT, find_weakness

        is_production = self.environment == "production"
        problems = [
            f"AUTH_SECRETS contains a secret that {weakness}; {GENERATE_HINT}"
            for secret in self.secrets
            if (weakness := find_weakness(secret.get_secret_value()))
        ]
        if is_production and not self.secrets:
            problems.append(f"AUTH_SECRETS is missing; {GENERATE_HINT}")
        minimum = MIN_HASH_MEMORY if is_production else 32_768
        if self.hash_memory < minimum:
            problems.append(
                f"AUTH_HASH_MEMORY: must be at least {minimum}; the unit is bytes, not KiB"
            )
        if problems:
            raise ValueError("\n".join(dict.fromkeys(problems)))
        return self


# jinja: endif
class Settings(BaseModel):
    """The whole configuration; times are in seconds, sizes in bytes.

    A group that is not given is read from the environment.
    """

    model_config = ConfigDict(frozen=True)

    service: ServiceSettings = Field(default_factory=ServiceSettings)
    # jinja: if cookiecutter.auth
    auth: AuthSettings = Field(default_factory=AuthSettings)
    # jinja: endif
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)


def load_settings() -> Settings:
    """Read the environment.

    Raises `SettingsError` with one line for each bad variable and the value of none.
    """
    problems: list[str] = []
    groups = {
        name: read(field.annotation, problems) for name, field in Settings.model_fields.items()
    }
    if problems:
        # Two groups may read the same variable.
        raise SettingsError("\n".join(dict.fromkeys(problems)))
    return Settings(**groups)
