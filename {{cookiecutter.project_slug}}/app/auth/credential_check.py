"""Check of a user's password, in two steps around the beginning of a transaction.

Passwords are verified outside transactions (`app.auth` gives the reason), so the stored credentials
may change between the check and the write. Therefore:

1. `verify`, outside a transaction: check the throttle, then the password.
2. `confirm`, inside the transaction that writes: check the throttle again, lock the user's row, and
   succeed only if the credentials are still those that were verified. Record the result.

`app.auth.login_throttle` explains why the throttle is checked twice.
"""

from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from pydantic import SecretStr

from app.auth.authentication import Authentication
from app.auth.login_throttle import LoginAttempt
from app.db import Database, Transaction
from app.db.repositories.users import UserWriter


class UserRow(Protocol):
    """The columns of `users`, as attributes of the object that a repository returns."""

    id: UUID
    email: str
    password_hash: str
    is_active: bool
    #: Incremented by a new password and by deactivation, but not by a new e-mail or a rehash.
    credentials_version: int
    created_at: datetime


class Verification(NamedTuple):
    """Result of `CredentialCheck.verify`, to be passed to `confirm`."""

    attempt: LoginAttempt
    #: The user, as read before the transaction; None if unknown or if the password is wrong.
    user: UserRow | None
    #: See `PasswordCheck`.
    upgraded_hash: str | None


class CredentialCheck:
    """Verifies a password and confirms the result; see the steps in the module docstring."""

    def __init__(self, database: Database, authentication: Authentication) -> None:
        self._database = database
        self._passwords = authentication.passwords
        self._throttle = authentication.throttle

    async def verify(
        self, attempt: LoginAttempt, user: UserRow | None, password: SecretStr
    ) -> Verification:
        """Check the throttle, then compare the password; call this outside a transaction.

        A wrong password or an unknown user (None) raises no error here, because the failure must
        first be recorded by `confirm`.

        Raises `TooManyLoginAttemptsError` if a limit is reached.
        """
        await self._throttle.check(attempt, self._database)
        stored_hash = None if user is None else user.password_hash
        is_valid, upgraded_hash = await self._passwords.verify(password, stored_hash)
        return Verification(attempt, user if is_valid else None, upgraded_hash)

    async def confirm(self, verification: Verification, transaction: Transaction) -> UserRow | None:
        """Record the result of the attempt; return the user, or None if the attempt has failed.

        It fails if the password was wrong, if the user is inactive, or if the password has changed
        since `verify`. The caller must commit the transaction even then, to store the failure.

        The row of the returned user is locked until the transaction ends, and its credentials are
        unchanged.

        Raises `TooManyLoginAttemptsError` if other attempts have reached a limit since `verify`.
        """
        attempt, user, _ = verification
        await self._throttle.lock_and_check(attempt, transaction)
        if user is not None and await UserWriter(transaction).lock_if_active_and_current(
            user.id, user.credentials_version
        ):
            await self._throttle.record_success(attempt, transaction)
            return user
        await self._throttle.record_failure(attempt, transaction)
        return None
