"""User accounts: registration, login, update of credentials, deactivation.

Logins and updates of credentials check a password with `CredentialCheck`: they verify it, then open
a transaction, confirm the result there, and write only if it is confirmed.
"""

from typing import Any, NamedTuple
from uuid import UUID

from pydantic import SecretStr

from app.auth.authentication import Authentication
from app.auth.credential_check import CredentialCheck, UserRow
from app.auth.errors import UnauthenticatedError
from app.auth.login_throttle import LoginAttempt
from app.auth.sessions import AuthSessions, TokenPair
from app.auth.tokens import TokenSubject
from app.db import Database, Transaction
from app.db.repositories.users import RefreshTokenWriter, UserReader, UserWriter
from app.errors import NotFoundError, UnprocessableError


class PurgeResult(NamedTuple):
    """Number of deleted rows."""

    sessions: int
    login_failures: int


class AccountService:
    """Operations on user accounts. Callers must pass e-mails in lower case."""

    def __init__(self, database: Database, authentication: Authentication) -> None:
        self._database = database
        self._passwords = authentication.passwords
        self._throttle = authentication.throttle
        self._credentials = CredentialCheck(database, authentication)
        self._sessions = AuthSessions(database, authentication)

    async def register(self, email: str, password: SecretStr) -> UserRow:
        """Create a user.

        Raises `AlreadyExistsError` if the e-mail is registered. The password is hashed either way,
        so the response takes the same time.
        """
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as transaction:
            return await UserWriter(transaction).create(email=email, password_hash=password_hash)

    async def log_in(self, email: str, password: SecretStr, client_ip: str) -> TokenPair:
        """Create a session and return its tokens.

        Raises `UnauthenticatedError` for an unknown user, an inactive user or a wrong password; the
        message and the work are the same.
        Raises `TooManyLoginAttemptsError` if the account or the network of the client has reached
        its limit of failed logins.
        """
        user = await UserReader(self._database).find_by_email(email)
        attempt = LoginAttempt.for_login(email, client_ip)
        verification = await self._credentials.verify(attempt, user, password)
        async with self._database.transaction() as transaction:
            confirmed = await self._credentials.confirm(verification, transaction)
            if confirmed is not None:
                if verification.upgraded_hash is not None:
                    await UserWriter(transaction).update(
                        confirmed.id, password_hash=verification.upgraded_hash
                    )
                subject = TokenSubject(confirmed.id, confirmed.credentials_version)
                # Leaving the block with `return` commits, as does reaching its end.
                return await self._sessions.create(subject, transaction)
        # After the commit: an exception inside the block would roll back the recorded failure.
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
        """Change the e-mail, the password or both.

        A new password revokes all sessions, including the one that the request belongs to.

        Raises `UnprocessableError` if the current password is wrong.
        Raises `TooManyLoginAttemptsError` after too many wrong current passwords; failed logins do
        not count.
        Raises `AlreadyExistsError` if another user has the new e-mail.
        Raises `UnauthenticatedError` if the user does not exist.
        """
        user = await UserReader(self._database).find(user_id)
        if user is None:
            raise UnauthenticatedError("The user no longer exists.")
        attempt = LoginAttempt.for_user(user_id, client_ip)
        verification = await self._credentials.verify(attempt, user, current_password)
        changes: dict[str, Any] = {}
        if email is not None:
            changes["email"] = email
        # Only after a correct current password: a wrong one must not cost a second hash.
        if password is not None and verification.user is not None:
            changes["password_hash"] = await self._passwords.hash(password)
        async with self._database.transaction() as transaction:
            confirmed = await self._credentials.confirm(verification, transaction)
            if confirmed is not None:
                if password is not None:
                    await self._revoke_sessions(user_id, transaction)
                return await UserWriter(transaction).update(user_id, **changes)
        # After the commit, as in `log_in`. An update also fails, and counts as a failure, if
        # another request has changed the password since it was verified; that is intended.
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

    async def purge_expired(self) -> PurgeResult:
        """Delete expired sessions and expired login failures."""
        async with self._database.transaction() as transaction:
            sessions = await RefreshTokenWriter(transaction).delete_expired()
        login_failures = await self._throttle.delete_expired(self._database)
        return PurgeResult(sessions, login_failures)

    async def _revoke_sessions(self, user_id: UUID, transaction: Transaction) -> None:
        await UserWriter(transaction).invalidate_access_tokens(user_id)
        await RefreshTokenWriter(transaction).revoke_all(user_id)
