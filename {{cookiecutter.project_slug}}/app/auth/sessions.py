"""Sessions: families of single-use refresh tokens, from login to logout.

A session is one row of `refresh_tokens`, and its ID is the family ID. Its access tokens carry that
ID, and are rejected when the row is deleted. Each refresh replaces the token in that row. A session
ends `AUTH_REFRESH_TOKEN_TTL` seconds after the last refresh, and `AUTH_SESSION_TTL` seconds after
the login at the latest.

Reuse of a replaced token means that two clients have the token. Because nothing shows which client
is legitimate, the session is revoked, and the user has to log in again.
https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.auth.authentication import Authentication
from app.auth.credential_check import UserRow
from app.auth.errors import UnauthenticatedError
from app.auth.opaque_tokens import RefreshToken
from app.auth.tokens import TokenSubject
from app.db import Database, Transaction
from app.db.repositories.users import RefreshTokenWriter


@dataclass(frozen=True)
class TokenPair:
    """Access and refresh token."""

    access_token: str
    refresh_token: str
    #: Lifetime of the access token in seconds.
    expires_in: int


_INVALID_MESSAGE = "The refresh token is invalid."


class AuthSessions:
    """Creates, rotates and revokes sessions."""

    def __init__(self, database: Database, authentication: Authentication) -> None:
        self._database = database
        self._access_tokens = authentication.access_tokens
        self._settings = authentication.settings

    async def create(self, user: UserRow, client: str, transaction: Transaction) -> TokenPair:
        """Create a session in the transaction in which the user's credentials were confirmed.

        `client` is the name of the client program, of at most 200 characters.
        """
        token = RefreshToken.new()
        await RefreshTokenWriter(transaction).create(
            id=token.id,
            user_id=user.id,
            token_hash=token.secret_hash,
            client=client,
            expires_at=min(self._expiry(), _now_plus(self._settings.session_ttl)),
        )
        return self._token_pair(user, token)

    async def rotate(self, refresh_token: str, client: str) -> TokenPair:
        """Replace the refresh token and issue an access token.

        Raises `UnauthenticatedError` if the token is malformed, already used or expired, if the
        session has reached its absolute lifetime, or if the user is inactive. Unless the token is
        malformed, the session is revoked as well.
        """
        token = RefreshToken.parse(refresh_token)
        if token is None:
            raise UnauthenticatedError(_INVALID_MESSAGE)
        successor = RefreshToken.new(token.id)
        async with self._database.transaction() as transaction:
            tokens = RefreshTokenWriter(transaction)
            user = await tokens.rotate(
                token.id,
                token.secret_hash,
                successor.secret_hash,
                expires_at=self._expiry(),
                max_age=self._settings.session_ttl,
                client=client,
            )
            if user is None:
                await tokens.revoke(token.id)
        # After the commit: an exception inside the block would roll back the revocation.
        if user is None:
            raise UnauthenticatedError(_INVALID_MESSAGE)
        return self._token_pair(user, successor)

    async def revoke(self, refresh_token: str) -> None:
        """Revoke the session that a refresh token belongs to.

        Any token of the family is accepted, not only the latest. An unknown or malformed token has
        no effect.
        """
        token = RefreshToken.parse(refresh_token)
        if token is not None:
            async with self._database.transaction() as transaction:
                await RefreshTokenWriter(transaction).revoke(token.id)

    def _token_pair(self, user: Any, token: RefreshToken) -> TokenPair:
        subject = TokenSubject(user.id, user.credentials_version, token.id)
        access_token = self._access_tokens.issue(subject)
        return TokenPair(access_token, token.encode(), self._settings.access_token_ttl)

    def _expiry(self) -> datetime:
        return _now_plus(self._settings.refresh_token_ttl)


def _now_plus(seconds: int) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
