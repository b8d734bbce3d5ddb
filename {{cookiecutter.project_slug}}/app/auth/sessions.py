"""Sessions: families of single-use refresh tokens, from login to logout.

A session is one row of `refresh_tokens`, and its ID is the family ID. Each refresh replaces the
token in that row. Reuse of a replaced token means that two clients have the token. Because nothing
shows which client is legitimate, the session is revoked, and the user has to log in again.
https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.auth.authentication import Authentication
from app.auth.errors import UnauthenticatedError
from app.auth.tokens import RefreshToken, TokenSubject
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

    async def create(self, subject: TokenSubject, transaction: Transaction) -> TokenPair:
        """Create a session in the transaction in which the user's credentials were confirmed."""
        token = RefreshToken.new()
        await RefreshTokenWriter(transaction).create(
            id=token.family_id,
            user_id=subject.user_id,
            token_hash=token.secret_hash,
            expires_at=self._expiry(),
        )
        return self._token_pair(subject, token)

    async def rotate(self, refresh_token: str) -> TokenPair:
        """Replace the refresh token and issue an access token.

        Raises `UnauthenticatedError` if the token is malformed, already used or expired, or if the
        user is inactive. Unless the token is malformed, the session is revoked as well.
        """
        token = RefreshToken.parse(refresh_token)
        if token is None:
            raise UnauthenticatedError(_INVALID_MESSAGE)
        successor = RefreshToken.new(token.family_id)
        async with self._database.transaction() as transaction:
            tokens = RefreshTokenWriter(transaction)
            user = await tokens.rotate(
                token.family_id, token.secret_hash, successor.secret_hash, self._expiry()
            )
            if user is None:
                await tokens.revoke(token.family_id)
        # After the commit: an exception inside the block would roll back the revocation.
        if user is None:
            raise UnauthenticatedError(_INVALID_MESSAGE)
        return self._token_pair(TokenSubject(user.id, user.credentials_version), successor)

    async def revoke(self, refresh_token: str) -> None:
        """Revoke the session that a refresh token belongs to.

        Any token of the family is accepted, not only the latest. An unknown or malformed token has
        no effect.
        """
        token = RefreshToken.parse(refresh_token)
        if token is not None:
            async with self._database.transaction() as transaction:
                await RefreshTokenWriter(transaction).revoke(token.family_id)

    def _token_pair(self, subject: TokenSubject, token: RefreshToken) -> TokenPair:
        access_token = self._access_tokens.issue(subject)
        return TokenPair(access_token, token.encode(), self._settings.access_token_ttl)

    def _expiry(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._settings.refresh_token_ttl)
