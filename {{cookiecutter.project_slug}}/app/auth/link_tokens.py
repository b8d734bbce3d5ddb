"""Tokens in the links of mails: random, single-use, stored as hashes."""

import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import MappingProxyType

from app.errors import AppError

#: The purposes of tokens. A token is valid for one of them only.
REGISTRATION, EMAIL_CHANGE, PASSWORD_RESET = "registration", "email", "password"

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_LIFETIMES = MappingProxyType({REGISTRATION: _DAY, EMAIL_CHANGE: _DAY, PASSWORD_RESET: _HOUR})
#: How long expired rows are kept: as long as the job that sends the mail is repeated.
KEPT_FOR = timedelta(days=2)
_BYTES = 32


class InvalidTokenError(AppError):
    """The token is unknown, used, expired, void, or has another purpose.

    All causes have the same response, so it tells nothing about an account.
    """

    status = 404
    code = "invalid-token"

    def __init__(self) -> None:
        super().__init__("The link is invalid, has been used, or has expired.")


def new_token() -> str:
    """Return a token of 256 random bits."""
    return secrets.token_urlsafe(_BYTES)


def hash_token(token: str) -> str:
    """Return the hash to store. A random token of 256 bits needs no salt and no slow hash."""
    # Lone surrogates, which JSON can contain, make an unknown token and not an error.
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def expiry(purpose: str) -> datetime:
    """Return when a token that is created now expires."""
    return datetime.now(UTC) + _LIFETIMES[purpose]
