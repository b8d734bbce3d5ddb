"""User accounts: registration, login, update of credentials, deactivation.

Passwords are hashed and verified outside transactions (`app.auth` gives the reason), so the stored
credentials may change before the transaction begins. `log_in` and `update_credentials` therefore
verify the password first, then open a transaction, lock the user's row, and continue only if the
credentials are still those that were verified.
"""

from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from pydantic import SecretStr

from app.auth.authentication import Authentication
from app.auth.errors import UnauthenticatedError
from app.auth.login_throttle import LoginAttempt
from app.auth.sessions import AuthSessions, TokenPair
from app.auth.tokens import TokenSubject
from app.db import Database, Transaction
from app.db.repositories.users import RefreshTokenWriter, UserReader, UserWriter
from app.errors import NotFoundError, UnprocessableError


class UserRow(Protocol):
    """A user as either database layer returns it: a row or an entity with these columns."""

    id: UUID
    email: str
    password_hash: str
    is_active: bool
    credentials_version: int
    created_at: datetime


class AccountService:
    """Operations on user accounts. E-mails are passed in lower case."""

    def __init__(self, database: Database, authentication: Authentication) -> None:
        self._database = database
        self._passwords = authentication.passwords
        self._throttle = authentication.throttle
        self._sessions = AuthSessions(database, authentication)

    async def register(self, email: str, password: SecretStr) -> UserRow:
        """Create a user; raises `AlreadyExistsError`, after the same work, for a known e-mail."""
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as transaction:
            return await UserWriter(transaction).create(email=email, password_hash=password_hash)

    async def log_in(self, email: str, password: SecretStr, client_ip: str) -> TokenPair:
        """Create a session and return its tokens.

        Raises `UnauthenticatedError`, with the same text and after the same work for an unknown or
        inactive user and a wrong password, or `TooManyLoginAttemptsError`.
        """
        user = await UserReader(self._database).find_by_email(email)
        attempt = LoginAttempt.create(email, client_ip)
        check = await self._verify_credentials(attempt, user, password)
        async with self._database.transaction() as transaction:
            confirmed = await self._confirm_under_lock(check, transaction)
            if confirmed is not None:
                if check.rehash:
                    await UserWriter(transaction).update(confirmed.id, password_hash=check.rehash)
                subject = TokenSubject(confirmed.id, confirmed.credentials_version)
                return await self._sessions.create(subject, transaction)
        # After the commit: an exception inside the transaction would undo the recorded failure.
        raise UnauthenticatedError("Incorrect e-mail or password.")

    async def update_credentials(
        self,
        user_id: UUID,
        current_password: SecretStr,
        client_ip: str,
        *,
        email: str | None = None,
        password: SecretStr | None = None,
    ) -> UserRow:
        """Change the e-mail or the password; a new password revokes all sessions.

        Raises `UnprocessableError` for a wrong current password, `TooManyLoginAttemptsError` after
        too many of them (failed logins do not count), and `AlreadyExistsError`.
        """
        user = await UserReader(self._database).find(user_id)
        if user is None:
            raise UnauthenticatedError("The user no longer exists.")
        attempt = LoginAttempt.by_user(user_id, client_ip)
        check = await self._verify_credentials(attempt, user, current_password)
        changes: dict[str, Any] = {"email": email} if email else {}
        if password and check.is_valid:
            changes["password_hash"] = await self._passwords.hash(password)
        async with self._database.transaction() as transaction:
            if await self._confirm_under_lock(check, transaction):
                if password:
                    await self._revoke_sessions(user_id, transaction)
                return await UserWriter(transaction).update(user_id, **changes)
        # After the commit, as in `log_in`.
        raise UnprocessableError(
            "The current password is incorrect.", loc=("body", "current_password")
        )

    async def deactivate(self, email: str) -> None:
        """Deactivate a user and revoke all sessions; raises `NotFoundError` for an unknown user."""
        async with self._database.transaction() as transaction:
            user_id = await UserWriter(transaction).deactivate(email)
            if user_id is None:
                raise NotFoundError(f"There is no user {email}.")
            await self._revoke_sessions(user_id, transaction)

    async def purge_expired(self) -> tuple[int, int]:
        """Delete expired sessions and expired failed logins; return the number of each."""
        async with self._database.transaction() as transaction:
            sessions = await RefreshTokenWriter(transaction).delete_expired()
        failures = 0
        # In short transactions, so that logins do not wait for locked rows.
        while True:
            async with self._database.transaction() as transaction:
                deleted = await self._throttle.delete_expired(transaction)
            if not deleted:
                return sessions, failures
            failures += deleted

    async def _verify_credentials(
        self, attempt: LoginAttempt, user: UserRow | None, password: SecretStr
    ) -> "_CredentialsCheck":
        """Check the throttle and the password; call this outside a transaction."""
        await self._throttle.check(attempt, self._database)
        stored_hash = user.password_hash if user else None
        is_valid, rehash = await self._passwords.verify(password, stored_hash)
        return _CredentialsCheck(attempt, user if is_valid else None, rehash)

    async def _confirm_under_lock(
        self, check: "_CredentialsCheck", transaction: Transaction
    ) -> UserRow | None:
        """Record the attempt; return the user, locked, if the credentials are still valid."""
        await self._throttle.lock_and_check(check.attempt, transaction)
        user = check.user
        is_current = user is not None and await UserWriter(transaction).lock_if_current(
            user.id, user.credentials_version
        )
        await self._throttle.record_result(check.attempt, transaction, has_failed=not is_current)
        return user if is_current else None

    async def _revoke_sessions(self, user_id: UUID, transaction: Transaction) -> None:
        await UserWriter(transaction).invalidate_access_tokens(user_id)
        await RefreshTokenWriter(transaction).revoke_all(user_id)


class _CredentialsCheck(NamedTuple):
    """Result of `_verify_credentials`."""

    attempt: LoginAttempt
    #: None if the user is unknown or the password is wrong.
    user: UserRow | None
    rehash: str | None

    @property
    def is_valid(self) -> bool:
        return self.user is not None
