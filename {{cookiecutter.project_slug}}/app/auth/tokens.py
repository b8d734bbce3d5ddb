"""The two kinds of tokens: short-lived ones that are checked, and long-lived ones that are kept.

An access token is signed and says whom it was given to. A refresh token says nothing; of it only
a hash is stored.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import jwt

from app.settings import AuthSettings

_ALGORITHM = "HS256"
# The clocks of the replicas differ. PyJWT applies this to `exp` and `nbf` as well as to `iat`.
_LEEWAY = timedelta(seconds=30)


class Identity(NamedTuple):
    """Whom an access token was given to, and which version of the credentials had proved it."""

    user_id: UUID
    version: int


class AccessTokens:
    """JSON Web TokenPair, signed with the first of `AUTH_SECRETS` and accepted with any of them.

    Without any, the secret is one of this object. `docs/security.md` describes how to rotate them.
    https://www.rfc-editor.org/rfc/rfc8725
    """

    #: Those that a token must have.
    CLAIMS = ("exp", "iat", "sub", "jti", "iss", "aud", "ver")

    def __init__(self, settings: AuthSettings) -> None:
        self._ttl = timedelta(seconds=settings.access_token_ttl)
        self._issuer = settings.issuer
        given = [secret.get_secret_value() for secret in settings.secrets]
        self._keys = given or [secrets.token_urlsafe(48)]

    def issue(self, user_id: UUID, version: int) -> str:
        """A token for a user whose credentials have this version."""
        now = datetime.now(UTC)
        claims = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": str(user_id),
            "iat": now,
            "exp": now + self._ttl,
            "jti": uuid4().hex,
            "ver": version,
        }
        return jwt.encode(claims, self._keys[0], _ALGORITHM)

    def verify(self, token: str) -> Identity | None:
        """Whom a token was given to; None for one that is not of this service, or has expired."""
        for key in self._keys:
            try:
                claims = self._decode(token, key)
                return Identity(UUID(claims["sub"]), claims["ver"])
            except jwt.InvalidSignatureError:
                continue
            except (jwt.InvalidTokenError, ValueError):
                return None
        return None

    def _decode(self, token: str, key: str) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            issuer=self._issuer,
            audience=self._issuer,
            leeway=_LEEWAY,
            options={"require": list(self.CLAIMS), "strict_aud": True},
        )


class RefreshToken(NamedTuple):
    """A token of the login `family`, replaced at every use."""

    family: UUID
    random: bytes

    @classmethod
    def new(cls, family: UUID | None = None) -> "RefreshToken":
        """A token that nobody can guess, of a new family unless one is given."""
        return cls(family or uuid4(), secrets.token_bytes(32))

    @classmethod
    def parse(cls, text: str) -> "RefreshToken | None":
        """A token as a client has it; None for what this service never gave out."""
        try:
            content = urlsafe_b64decode(text)
        except ValueError:
            return None
        token = cls(UUID(bytes=content[:16]), content[16:]) if len(content) == 48 else None
        return token if token and str(token) == text else None

    def __str__(self) -> str:
        return urlsafe_b64encode(self.family.bytes + self.random).decode()

    @property
    def hash(self) -> str:
        """What is stored. It needs no salt and no slowness: there are 2^256 of them to try."""
        return sha256(self.random).hexdigest()
