"""Settings of authentication."""

from typing import ClassVar, Self

from pydantic import Field, SecretStr, model_validator

from app.auth.signing_secrets import GENERATE_HINT, find_weakness
from app.settings_base import SERVICE_NAME, CommaSeparated, Environment, Seconds, SettingsGroup

#: OWASP's minimum for argon2id with two passes, in KiB (19 MiB).
#: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
MIN_MEMORY_COST_IN_PRODUCTION = 19_456
# In KiB. argon2 needs 8 KiB for each lane, and there are at most four.
_MIN_MEMORY_COST = 32
_MAX_MEMORY_COST = 4_194_304


class AuthSettings(SettingsGroup):
    """Token lifetimes, password hashing and login throttling."""

    environment: Environment = "development"
    #: Issuer and audience of access tokens.
    issuer: str = Field(default=SERVICE_NAME, alias="SERVICE_NAME")

    secrets: CommaSeparated[SecretStr] = Field(default=(), alias="AUTH_SECRETS")
    access_token_ttl: int = Field(default=900, ge=1, le=86_400, alias="AUTH_ACCESS_TOKEN_TTL")
    refresh_token_ttl: int = Field(
        default=2_592_000, ge=1, le=31_536_000, alias="AUTH_REFRESH_TOKEN_TTL"
    )
    #: Absolute lifetime of a session, however often it is refreshed.
    session_ttl: int = Field(default=7_776_000, ge=1, le=315_360_000, alias="AUTH_SESSION_TTL")

    # jinja: if cookiecutter.jobs
    #: Whether users must confirm their e-mail before they can log in.
    require_confirmation: bool = Field(default=True, alias="AUTH_REQUIRE_CONFIRMATION")

    # jinja: endif
    max_failures: int = Field(default=10, ge=1, alias="AUTH_MAX_FAILURES")
    #: Per client IP, or per /64 network for IPv6; ten times as many per /48 network.
    max_failures_per_network: int = Field(default=100, ge=1, alias="AUTH_MAX_FAILURES_PER_ADDRESS")
    failure_window: Seconds = Field(default=300, alias="AUTH_FAILURE_WINDOW")

    # The defaults are the second recommended option of RFC 9106: 64 MiB, three passes, four lanes.
    # https://www.rfc-editor.org/rfc/rfc9106#section-4
    #: In KiB.
    argon2_memory_cost: int = Field(default=65_536, alias="AUTH_ARGON2_MEMORY_COST")
    argon2_time_cost: int = Field(default=3, ge=1, le=100, alias="AUTH_ARGON2_TIME_COST")
    argon2_parallelism: int = Field(default=4, ge=1, le=4, alias="AUTH_ARGON2_PARALLELISM")
    #: Number of passwords that one process hashes at a time.
    hash_concurrency: int = Field(default=2, ge=1, alias="AUTH_HASH_CONCURRENCY")
    #: Number of passwords that wait to be hashed.
    hash_queue: int = Field(default=32, ge=0, alias="AUTH_HASH_QUEUE")

    renamed: ClassVar[dict[str, str]] = {
        "AUTH_HASH_MEMORY": "AUTH_ARGON2_MEMORY_COST, which is in KiB instead of bytes",
        "AUTH_HASH_PASSES": "AUTH_ARGON2_TIME_COST",
        "AUTH_HASH_LANES": "AUTH_ARGON2_PARALLELISM",
        "AUTH_HASH_THREADS": "AUTH_HASH_CONCURRENCY",
    }

    @model_validator(mode="after")
    def _check_safety(self) -> Self:
        problems = [*self._find_weak_secrets(), *self._find_invalid_memory_cost()]
        if problems:
            # Without duplicates: two secrets may have the same weakness.
            raise ValueError("\n".join(dict.fromkeys(problems)))
        return self

    def _find_weak_secrets(self) -> list[str]:
        if self.environment == "production" and not self.secrets:
            return [f"AUTH_SECRETS is missing; {GENERATE_HINT}"]
        return [
            f"AUTH_SECRETS contains a secret that {weakness}; {GENERATE_HINT}"
            for secret in self.secrets
            if (weakness := find_weakness(secret.get_secret_value()))
        ]

    def _find_invalid_memory_cost(self) -> list[str]:
        is_production = self.environment == "production"
        minimum = MIN_MEMORY_COST_IN_PRODUCTION if is_production else _MIN_MEMORY_COST
        if minimum <= self.argon2_memory_cost <= _MAX_MEMORY_COST:
            return []
        return [f"AUTH_ARGON2_MEMORY_COST: must be from {minimum} to {_MAX_MEMORY_COST} KiB"]
