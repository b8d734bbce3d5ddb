"""Check of a user's password, in two steps around the beginning of a transaction.

Passwords are verified outside transactions, because a slow hash must not occupy a database
connection. So the stored credentials may change before the transaction begins. Therefore:

1. `verify`, outside a transaction: check the throttle, then the password.
2. `confirm`, inside the transaction that writes: check the throttle again and lock the user's row.
   The attempt succeeds only if the stored credentials have not changed. Record the result.

The throttle is checked twice, because concurrent attempts can pass the first check together (see
`app.auth.login_throttle`).
"""

from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from pydantic import SecretStr

from app.auth.authentication import Authentication
from app.auth.login_throttle import PasswordAttempt
from app.db import Database, Transaction
from app.db.repositories.users import UserReader, UserWriter

# The work of a failed login grows with this number. Users have different parameters only after a
# change, until their next login.
_MAX_PARAMETERS = 8


class UserRow(Protocol):
    """The columns of `users`, as attributes of the object that a repository returns."""

    id: UUID
    email: str
    password_hash: str
    is_active: bool
    #: Incremented when all sessions end: after a new password, a deactivation, or on request, but
    #: not by a new e-mail or a rehash.
    credentials_version: int
    scopes: list[str]
    created_at: datetime


class Verification(NamedTuple):
    """Result of `CredentialCheck.verify`, to be passed to `confirm`."""

    attempt: PasswordAttempt
    #: The user, as read before the transaction. None if the user is unknown or the password wrong.
    user: UserRow | None
    #: A hash to store instead of the current one, or None; see `PasswordCheck`.
    upgraded_hash: str | None

    @property
    def is_valid(self) -> bool:
        """True if the user exists and the password is correct."""
        return self.user is not None


class CredentialCheck:
    """Verifies a password and confirms the result; see the steps in the module docstring."""

    def __init__(self, database: Database, authentication: Authentication) -> None:
        self._database = database
        self._passwords = authentication.passwords
        self._throttle = authentication.throttle

    async def verify(
        self, attempt: PasswordAttempt, user: UserRow | None, password: SecretStr
    ) -> Verification:
        """Check the throttle, then compare the password. Must be called outside a transaction.

        `user` is None for an unknown user. A wrong password or an unknown user raises no error
        here, because `confirm` must first record the failure.

        Raises `TooManyLoginAttemptsError` if a limit is reached.
        """
        await self._throttle.check(attempt, self._database)
        # An inactive user costs as much as an unknown one, also with the correct password.
        stored_hash = user.password_hash if user is not None and user.is_active else None
        # Users who confirm a change know that their account exists.
        all_parameters = [] if attempt.is_confirmation else await self._all_parameters()
        is_valid, upgraded_hash = await self._passwords.verify(
            password, stored_hash, all_parameters
        )
        return Verification(attempt, user if is_valid else None, upgraded_hash)

    async def confirm(self, verification: Verification, transaction: Transaction) -> UserRow | None:
        """Record the result of the attempt; return the user, or None if the attempt has failed.

        An attempt fails if the user is unknown or inactive, if the password was wrong, or if the
        password has changed since `verify`. In the last case, the verified password is no longer
        correct.

        The caller must commit the transaction even if this method returns None. Otherwise, the
        failure is not stored and does not count towards the limits.

        The row of the returned user is locked until the transaction ends, so the password cannot
        change before the caller has written.

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

    async def _all_parameters(self) -> list[str]:
        return await UserReader(self._database).hash_parameters(_MAX_PARAMETERS)
