"""Accounts: made, logged in to, changed and closed.

A hash takes a tenth of a second, so none is made inside a transaction.
"""

from typing import Any, NamedTuple
from uuid import UUID

from pydantic import SecretStr

from app.auth.authentication import Authentication
from app.auth.errors import UnauthenticatedError
from app.auth.login_throttle import LoginAttempt
from app.auth.sessions import AuthSessions, TokenPair
from app.db import Database, Transaction
from app.db.repositories.login_failures import LoginFailureReader, LoginFailureWriter
from app.db.repositories.users import RefreshTokenWriter, UserReader, UserWriter
from app.errors import NotFoundError, UnprocessableError


class AccountService:
    """The accounts of all users, by their e-mail addresses in lower case."""

    def __init__(self, database: Database, authentication: Authentication) -> None:
        self._database = database
        self._passwords = authentication.passwords
        self._throttle = authentication.throttle
        self._logins = AuthSessions(database, authentication)

    async def register(self, email: str, password: SecretStr) -> Any:
        """A new user; raises `AlreadyExistsError`, after the same work, for a known address."""
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as transaction:
            return await UserWriter(transaction).create(email=email, password_hash=password_hash)

    async def log_in(self, email: str, password: SecretStr, host: str) -> TokenPair:
        """Tokens for the right password, sent from `host`.

        Raises `UnauthenticatedError`, the same after the same work whatever was wrong, and
        `TooManyLoginAttemptsError`.
        """
        user = await UserReader(self._database).find_by_email(email)
        proof = await self._prove(LoginAttempt.of(email, host), user, password)
        async with self._database.transaction() as transaction:
            if await self._holds(proof, transaction):
                if proof.new_hash:
                    await UserWriter(transaction).update(
                        proof.user.id, password_hash=proof.new_hash
                    )
                return await self._logins.begin(proof.user, transaction)
        # After the commit, so that the failure stays counted.
        raise UnauthenticatedError("The e-mail address or the password is wrong.")

    async def change(
        self,
        user_id: UUID,
        current_password: SecretStr,
        host: str,
        *,
        email: str | None = None,
        password: SecretStr | None = None,
    ) -> Any:
        """The user with another address or password; a new password ends all logins.

        Raises `UnprocessableError` for a wrong current password, `AlreadyExistsError`, and
        `TooManyLoginAttemptsError` after too many wrong ones. Failed logins are not among them.
        """
        user = await UserReader(self._database).find(user_id)
        if user is None:
            raise UnauthenticatedError("The user is gone.")
        proof = await self._prove(LoginAttempt.by_user(user_id, host), user, current_password)
        values: dict[str, Any] = {"email": email} if email else {}
        if password and proof.is_right:
            values["password_hash"] = await self._passwords.hash(password)
        async with self._database.transaction() as transaction:
            if await self._holds(proof, transaction):
                if password:
                    await self._end_logins(user_id, transaction)
                return await UserWriter(transaction).update(user_id, **values)
        raise UnprocessableError(
            "This is not the current password.", loc=("body", "current_password")
        )

    async def deactivate(self, email: str) -> None:
        """Let a user in no more, from now on; raises `NotFoundError` for an unknown address."""
        async with self._database.transaction() as transaction:
            user_id = await UserWriter(transaction).deactivate(email)
            if user_id is None:
                raise NotFoundError(f"There is no user {email}.")
            await self._end_logins(user_id, transaction)

    async def purge(self) -> tuple[int, int]:
        """Remove logins that have expired and failures that no longer count; how many of each."""
        async with self._database.transaction() as transaction:
            logins = await RefreshTokenWriter(transaction).purge()
        failures, is_more = 0, True
        while is_more:
            async with self._database.transaction() as transaction:
                removed = await self._throttle.remove_old(LoginFailureWriter(transaction))
            failures, is_more = failures + removed, removed > 0
        return logins, failures

    async def _prove(self, attempt: LoginAttempt, user: Any, password: SecretStr) -> "_Proof":
        await self._throttle.check(attempt, LoginFailureReader(self._database))
        verdict = await self._passwords.verify(password, user.password_hash if user else None)
        return _Proof(attempt, user, *verdict)

    async def _holds(self, proof: "_Proof", transaction: Transaction) -> bool:
        """Whether the password was right, and still is while nobody else can change that."""
        failures = LoginFailureWriter(transaction)
        await self._throttle.enter(proof.attempt, failures)
        holds = proof.is_right and await UserWriter(transaction).lock(
            proof.user.id, proof.user.credentials_version
        )
        await self._throttle.leave(proof.attempt, failures, has_failed=not holds)
        return holds

    async def _end_logins(self, user_id: UUID, transaction: Transaction) -> None:
        await UserWriter(transaction).end_access(user_id)
        await RefreshTokenWriter(transaction).end_all(user_id)


class _Proof(NamedTuple):
    attempt: LoginAttempt
    user: Any
    is_right: bool
    new_hash: str | None
