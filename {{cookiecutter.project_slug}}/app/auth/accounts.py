"""User accounts: registration, login, update of credentials, deactivation.

Logins and credential changes check a password in two steps with `CredentialCheck`. `verify` checks
the password without a transaction, because hashing is slow. `confirm`, inside the transaction,
locks the user, records success or failure, and returns the user, or None if the password was wrong
or the credentials have changed since.

A session is a family of refresh tokens, stored as one row of `refresh_tokens`.
"""

from typing import Any, NamedTuple
from uuid import UUID

from pydantic import SecretStr

from app.auth.authentication import Authentication
from app.auth.credential_check import CredentialCheck, UserRow
from app.auth.errors import UnauthenticatedError
from app.auth.login_throttle import PasswordAttempt
from app.auth.sessions import AuthSessions, TokenPair
from app.auth.tokens import TokenSubject
from app.db import Database, Transaction
from app.db.repositories.users import RefreshTokenWriter, UserReader, UserWriter
from app.errors import NotFoundError, UnprocessableError


class PurgeResult(NamedTuple):
    """Numbers of rows deleted by `purge_expired`."""

    sessions: int
    login_failures: int


class AccountService:
    """Operations on user accounts. Callers must pass e-mails in lower case."""

    def __init__(self, database: Database, authentication: Authentication) -> None:
        self._database = database
        self._passwords = authentication.passwords
        self._throttle = authentication.throttle
        self._credential_check = CredentialCheck(database, authentication)
        self._sessions = AuthSessions(database, authentication)

    async def register(self, email: str, password: SecretStr) -> UserRow:
        """Create a user.

        Raises `AlreadyExistsError` if the e-mail is registered.
        """
        # Hashed even if the e-mail is registered. If you change the route to hide that error (see
        # `docs/security.md`), the response time does not reveal it either.
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as transaction:
            return await UserWriter(transaction).create(email=email, password_hash=password_hash)

    async def log_in(self, email: str, password: SecretStr, client_ip: str) -> TokenPair:
        """Create a session and return its tokens.

        Raises `UnauthenticatedError` for an unknown user, an inactive user or a wrong password,
        with the same message and after the same work, so that the causes cannot be told apart.
        Raises `TooManyLoginAttemptsError` if the account or the network of the client has reached
        its limit of failed logins.
        """
        user = await UserReader(self._database).find_by_email(email)
        attempt = PasswordAttempt.for_login(email, client_ip)
        verification = await self._credential_check.verify(attempt, user, password)
        tokens: TokenPair | None = None
        async with self._database.transaction() as transaction:
            confirmed_user = await self._credential_check.confirm(verification, transaction)
            if confirmed_user is not None:
                if verification.upgraded_hash is not None:
                    await UserWriter(transaction).update(
                        confirmed_user.id, password_hash=verification.upgraded_hash
                    )
                subject = TokenSubject(confirmed_user.id, confirmed_user.credentials_version)
                tokens = await self._sessions.create(subject, transaction)
        # After the commit: an exception inside the block would roll back the recorded failure.
        if tokens is None:
            raise UnauthenticatedError("Incorrect e-mail or password.")
        return tokens

    async def update_credentials(
        self,
        user_id: UUID,
        current_password: SecretStr,
        client_ip: str,
        *,
        email: str | None = None,
        password: SecretStr | None = None,
    ) -> UserRow:
        """Change the e-mail, the password or both; return the updated user.

        A new password revokes all sessions, including the one that the request belongs to. With
        neither an e-mail nor a password, only the current password is checked.

        Raises `UnprocessableError` if the current password is wrong.
        Raises `TooManyLoginAttemptsError` after too many wrong current passwords. Failed logins do
        not count towards this limit.
        Raises `AlreadyExistsError` if another user has the new e-mail.
        Raises `UnauthenticatedError` if the user does not exist.
        """
        user = await UserReader(self._database).find(user_id)
        if user is None:
            raise UnauthenticatedError("The user no longer exists.")
        attempt = PasswordAttempt.for_confirmation(user_id, client_ip)
        # An upgraded hash of the current password is left to the next login.
        verification = await self._credential_check.verify(attempt, user, current_password)
        # A wrong current password must not cost a second hash. If the check failed, `confirm`
        # returns None below, and `changes` is not used.
        changes = await self._column_values(email, password) if verification.is_valid else {}
        updated_user: UserRow | None = None
        async with self._database.transaction() as transaction:
            confirmed_user = await self._credential_check.confirm(verification, transaction)
            if confirmed_user is not None:
                if password is not None:
                    await self._revoke_sessions(user_id, transaction)
                updated_user = await UserWriter(transaction).update(user_id, **changes)
        # After the commit, as in `log_in`.
        if updated_user is None:
            raise UnprocessableError(
                "The current password is incorrect.", loc=("body", "current_password")
            )
        return updated_user

    async def deactivate(self, email: str) -> None:
        """Deactivate the user with this e-mail and revoke all sessions of the user.

        Raises `NotFoundError` for an unknown e-mail.
        """
        async with self._database.transaction() as transaction:
            user_id = await UserWriter(transaction).deactivate(email)
            if user_id is None:
                raise NotFoundError(f"There is no user {email}.")
            await self._revoke_sessions(user_id, transaction)

    async def purge_expired(self) -> PurgeResult:
        """Delete expired sessions and expired login failures."""
        async with self._database.transaction() as transaction:
            sessions = await RefreshTokenWriter(transaction).delete_expired()
        login_failures = await self._throttle.delete_expired(self._database)
        return PurgeResult(sessions, login_failures)

    async def _column_values(self, email: str | None, password: SecretStr | None) -> dict[str, Any]:
        """Return the new values of the columns of `users`, without those that are None."""
        values: dict[str, Any] = {}
        if email is not None:
            values["email"] = email
        if password is not None:
            values["password_hash"] = await self._passwords.hash(password)
        return values

    async def _revoke_sessions(self, user_id: UUID, transaction: Transaction) -> None:
        await UserWriter(transaction).invalidate_access_tokens(user_id)
        await RefreshTokenWriter(transaction).revoke_all(user_id)
