"""Access tokens (signed JWTs) and refresh tokens (random, stored as hashes)."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import jwt

from app.auth.settings import AuthSettings

#: Registered claims, and `ver`: the version of the user's credentials. `sid`, the session, is
#: optional, because previous releases did not issue it.
REQUIRED_CLAIMS = ("exp", "iat", "sub", "jti", "iss", "aud", "ver")

_ALGORITHM = "HS256"
# Clocks of replicas may differ by this much. PyJWT applies the leeway to `exp`, `nbf` and `iat`.
_LEEWAY = timedelta(seconds=30)
_FAMILY_ID_BYTES, _SECRET_BYTES = 16, 32


class TokenSubject(NamedTuple):
    """What an access token was issued for."""

    user_id: UUID
    #: The version of the credentials at that time.
    credentials_version: int
    #: The session, or None for a token of a previous release, which ends with its lifetime.
    session_id: UUID | None = None


class AccessTokens:
    """Issues and verifies JSON Web Tokens.

    New tokens are signed with the first of `AUTH_SECRETS`. Tokens signed with any of them are
    accepted, so that secrets can be rotated (see `docs/security.md`).

    If `AUTH_SECRETS` is empty, each instance generates a random key: tokens become invalid on
    restart, and other processes do not accept them. For development only.

    https://www.rfc-editor.org/rfc/rfc8725
    """

    def __init__(self, settings: AuthSettings) -> None:
        self._ttl = timedelta(seconds=settings.access_token_ttl)
        self._issuer = settings.issuer
        configured_keys = [secret.get_secret_value() for secret in settings.secrets]
        self._keys = configured_keys or [secrets.token_urlsafe(48)]

    def issue(self, subject: TokenSubject) -> str:
        """Return a signed token that is valid for `AUTH_ACCESS_TOKEN_TTL` seconds."""
        now = datetime.now(UTC)
        claims = {
            "iss": self._issuer,
            # The service is both issuer and audience.
            "aud": self._issuer,
            "sub": str(subject.user_id),
            "iat": now,
            "exp": now + self._ttl,
            "jti": uuid4().hex,
            "ver": subject.credentials_version,
        }
        if subject.session_id is not None:
            claims["sid"] = str(subject.session_id)
        return jwt.encode(claims, self._keys[0], _ALGORITHM)

    def verify(self, token: str) -> TokenSubject | None:
        """Return the subject of a token, or None if the token is invalid or expired."""
        for key in self._keys:
            try:
                claims = self._decode(token, key)
                session_id = UUID(str(claims["sid"])) if "sid" in claims else None
                return TokenSubject(UUID(claims["sub"]), claims["ver"], session_id)
            except jwt.InvalidSignatureError:
                # The token may be signed with another key, so try the next one.
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
            options={"require": list(REQUIRED_CLAIMS), "strict_aud": True},
        )


class RefreshToken(NamedTuple):
    """A single-use token: the ID of its family and a random secret.

    A family consists of the token that a login returned and of its successors. Only the hash of the
    latest secret is stored. A used secret no longer matches, and the caller revokes the whole
    family (reuse detection).
    """

    family_id: UUID
    secret: bytes

    @classmethod
    def new(cls, family_id: UUID | None = None) -> "RefreshToken":
        """Return a token with a new secret, in the given family or in a new one."""
        return cls(family_id or uuid4(), secrets.token_bytes(_SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> "RefreshToken | None":
        """Return the token that `encode` encoded, or None if the text is malformed."""
        try:
            content = urlsafe_b64decode(text)
        except ValueError:
            return None
        if len(content) != _FAMILY_ID_BYTES + _SECRET_BYTES:
            return None
        token = cls(UUID(bytes=content[:_FAMILY_ID_BYTES]), content[_FAMILY_ID_BYTES:])
        # The decoder ignores characters outside its alphabet, so many texts decode to the same
        # token. Accept only the text that was issued.
        return token if token.encode() == text else None

    def encode(self) -> str:
        """Return the text that is sent to the client."""
        return urlsafe_b64encode(self.family_id.bytes + self.secret).decode()

    @property
    def secret_hash(self) -> str:
        """The hash to store. A random secret of 256 bits needs no salt and no slow hash."""
        return sha256(self.secret).hexdigest()
