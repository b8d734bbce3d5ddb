"""Access tokens: signed JWTs."""

import secrets
from datetime import UTC, datetime, timedelta
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
