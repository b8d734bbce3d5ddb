"""User accounts: registration, login, update of credentials.

`AccountService` opens its own transactions, and creates the repositories in them. A session is one
row of `refresh_tokens`. Each refresh replaces the token in that row (`app.auth.sessions`).

Logins and credential changes check a password with `CredentialCheck`, in two steps:

1. `verify` checks the password. No transaction is open, because hashing is slow.
2. `confirm`, inside the transaction, records success or failure. After a success, `confirm` locks
   and returns the user. It returns None if the password was wrong, if the user is inactive, or if
   the credentials have changed since step 1.
"""

from typing import Any, NamedTuple
from uuid import UUID

from pydantic import SecretStr

from app.auth.access import end_access
from app.auth.authentication import Authentication
from app.auth.credential_check import CredentialCheck, UserRow
from app.auth.errors import UnauthenticatedError
# jinja: if cookiecutter.jobs
from app.auth.links import AccountLinks
# jinja: endif
from app.auth.login_throttle import PasswordAttempt
from app.auth.password_rules import reject_weak_password
from app.auth.sessions import AuthSessions, TokenPair
from app.db import Database
from app.db.repositories.rate_limits import RateLimitWriter
from app.db.repositories.users import RefreshTokenWriter, UserReader, UserWriter
from app.errors import UnprocessableError


class PurgeResult(NamedTuple):
    """Numbers of rows deleted by `purge_expired`."""

    sessions: int
    login_failures: int
    rate_limits: int


class AccountService:
    """Operations on user accounts. Callers must pass e-mails in lower case."""

    def __init__(self, database: Database, authentication: Authentication) -> None:
        self._database = database
        # jinja: if cookiecutter.jobs
        self._links = AccountLinks(database, authentication)
        # jinja: endif
        self._passwords = authentication.passwords
        self._throttle = authentication.throttle
        self._service_name = authentication.settings.issuer
        self._credential_check = CredentialCheck(database, authentication)
        self._sessions = AuthSessions(database, authentication)

    async def register(self, email: str, password: SecretStr) -> UserRow:
        """Create a user.

        # jinja: if cookiecutter.jobs
        The e-mail counts as confirmed. `AccountLinks` registers users whose e-mail is not.

        # jinja: endif
        Raises `WeakPasswordError` if the password is easy to guess.
        Raises `AlreadyExistsError` if the e-mail is registered.
        """
        reject_weak_password(password, email, self._service_name)
        # Hashed first, even if the e-mail is taken, so that the response time does not reveal it.
        # This matters only if the route hides the error (`docs/security.md`).
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as transaction:
            users = UserWriter(transaction)
            user: UserRow = await users.create(email=email, password_hash=password_hash)
            return user

    async def log_in(
        self, email: str, password: SecretStr, client_ip: str, client: str
    ) -> TokenPair:
        """Create a session and return its tokens.

        `client` is the name of the client program, of at most 200 characters.

        Raises `UnauthenticatedError` for an unknown user, an inactive user or a wrong password,
        with the same message and after the same work, so that the causes cannot be told apart.
        Raises `TooManyLoginAttemptsError` if the account or the network of the client has reached
        its limit of failed logins.
        """
        # jinja: if cookiecutter.jobs
        user = await self._links.find_for_login(email)
        # jinja: else
        user = await UserReader(self._database).find_by_email(email)
        # jinja: endif
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
                tokens = await self._sessions.create(confirmed_user, client, transaction)
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

        # jinja: if cookiecutter.jobs
        A new e-mail counts when it is confirmed: the returned user still has the present one.

        # jinja: endif
        A new password revokes all sessions, including the one that the request belongs to. With
        neither an e-mail nor a password, only the current password is checked.

        Raises `UnprocessableError` if the current password is wrong, or if the credentials changed
        while it was checked.
        Raises `WeakPasswordError` if the new password is easy to guess.
        Raises `TooManyLoginAttemptsError` after too many wrong current passwords. Failed logins do
        not count towards this limit.
        # jinja: if not cookiecutter.jobs
        Raises `AlreadyExistsError` if another user has the new e-mail.
        # jinja: endif
        Raises `UnauthenticatedError` if the user does not exist.
        """
        user = await UserReader(self._database).find(user_id)
        if user is None:
            raise UnauthenticatedError("The user no longer exists.")
        if password is not None:
            # Those who know one of the e-mails try its words.
            for address in {user.email, email or user.email}:
                reject_weak_password(password, address, self._service_name)
        attempt = PasswordAttempt.for_confirmation(user_id, client_ip)
        # An upgraded hash of the current password is not stored here; the next login stores it.
        verification = await self._credential_check.verify(attempt, user, current_password)
        changes: dict[str, Any] = {}
        # jinja: if not cookiecutter.jobs
        if email is not None:
            changes["email"] = email
        # jinja: endif
        # Hash only if the check succeeded. Otherwise `confirm` returns None and nothing is updated.
        if password is not None and verification.is_valid:
            changes["password_hash"] = await self._passwords.hash(password)
        updated_user: UserRow | None = None
        async with self._database.transaction() as transaction:
            confirmed_user = await self._credential_check.confirm(verification, transaction)
            if confirmed_user is not None:
                if password is not None:
                    await end_access(user_id, transaction)
                updated_user = await UserWriter(transaction).update(user_id, **changes)
                # jinja: if cookiecutter.jobs
                await self._links.request_email_change(confirmed_user, email, transaction)
                # jinja: endif
        # After the commit, as in `log_in`.
        if updated_user is None:
            raise UnprocessableError(
                "The current password is incorrect.", loc=("body", "current_password")
            )
        return updated_user

    async def purge_expired(self) -> PurgeResult:
        """Delete expired sessions, login failures and other expired data."""
        async with self._database.transaction() as transaction:
            sessions = await RefreshTokenWriter(transaction).delete_expired()
            rate_limits = await RateLimitWriter(transaction).delete_expired()
        login_failures = await self._throttle.delete_expired(self._database)
        # jinja: if cookiecutter.jobs
        await self._links.delete_expired()
        # jinja: endif
        return PurgeResult(sessions, login_failures, rate_limits)
