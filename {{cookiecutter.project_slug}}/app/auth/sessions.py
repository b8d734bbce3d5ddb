"""Logins: each is a family of refresh tokens, of which only the latest is good, and only once."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.auth.authentication import Authentication
from app.auth.errors import UnauthenticatedError
from app.auth.tokens import RefreshToken
from app.db import Database, Transaction
from app.db.repositories.users import RefreshTokenWriter


@dataclass(frozen=True)
class TokenPair:
    """What a client gets for a password or for a refresh token."""

    access_token: str
    refresh_token: str
    #: Seconds that the access token lasts.
    expires_in: int


class AuthSessions:
    """Begins, continues and ends logins."""

    def __init__(self, database: Database, authentication: Authentication) -> None:
        self._database = database
        self._access_tokens = authentication.access_tokens
        self._settings = authentication.settings

    async def begin(self, user: Any, transaction: Transaction) -> TokenPair:
        """The first tokens of a login by a user whose password was right."""
        token = RefreshToken.new()
        await RefreshTokenWriter(transaction).create(
            id=token.family, user_id=user.id, token_hash=token.hash, expires_at=self._expiry()
        )
        return self._tokens(user, token)

    async def refresh(self, text: str) -> TokenPair:
        """The next tokens; raises `UnauthenticatedError` for a token that is not good.

        One that was good before has been copied: by whom, nobody can tell, so the login ends.
        """
        token = RefreshToken.parse(text)
        if token:
            following = RefreshToken.new(token.family)
            async with self._database.transaction() as transaction:
                tokens = RefreshTokenWriter(transaction)
                user = await tokens.rotate(token.family, token.hash, following.hash, self._expiry())
                if user:
                    return self._tokens(user, following)
                await tokens.end(token.family)
        # After the commit, so that the login stays ended.
        raise UnauthenticatedError("The refresh token is not valid.")

    async def end(self, text: str) -> None:
        """End the login that a token belongs to, if there is one."""
        token = RefreshToken.parse(text)
        if token:
            async with self._database.transaction() as transaction:
                await RefreshTokenWriter(transaction).end(token.family)

    def _tokens(self, user: Any, token: RefreshToken) -> TokenPair:
        access_token = self._access_tokens.issue(user.id, user.credentials_version)
        return TokenPair(access_token, str(token), self._settings.access_token_ttl)

    def _expiry(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._settings.refresh_token_ttl)
