"""A limit on guessing passwords, counted in the database: for all processes together.

Only failures count, per account and per address of the client. Authenticated users who change their
account are counted per user instead, and not limited per address.
"""

from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple
from uuid import UUID

from app.auth.errors import TooManyLoginAttemptsError
from app.db.repositories.login_failures import LoginFailureReader, LoginFailureWriter
from app.settings import AuthSettings

# More than a login can add, so that old rows do not pile up.
_REMOVED_AT_ONCE = 100


class LoginAttempt(NamedTuple):
    """Someone who says to be someone, from somewhere; both in the form in which they are kept."""

    account: str
    address: str
    #: Whether the request has a valid access token of the account.
    is_authenticated: bool = False

    @classmethod
    def of(cls, email: str, host: str) -> "LoginAttempt":
        """An attempt on an address that may or may not be known, from a client's host."""
        # As a hash, since what people type here by mistake may be a password.
        return cls(sha256(email.encode()).hexdigest(), _network(host))

    @classmethod
    def by_user(cls, user_id: UUID, host: str) -> "LoginAttempt":
        """Return an attempt by an authenticated user, counted apart from logins.

        Anyone can cause failed logins, which must not affect an open session.
        """
        # The accounts of logins are hexadecimal, so none is equal to this.
        return cls(f"user:{user_id}", _network(host), is_authenticated=True)


def _network(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        # A proxy may say whatever it likes.
        return host[:64]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        # The least that a customer gets: whoever has one address of it has them all.
        return str(ip_network((address.packed[:8] + bytes(8), 64)))
    return str(address)


class LoginThrottle:
    """Turns attempts away after too many failures within `AUTH_FAILURE_WINDOW`."""

    def __init__(self, settings: AuthSettings) -> None:
        self._settings = settings

    async def check(self, attempt: LoginAttempt, failures: LoginFailureReader) -> None:
        """Raise `TooManyLoginAttemptsError` before any work is done for an attempt."""
        await self._judge(attempt, failures)

    async def enter(self, attempt: LoginAttempt, failures: LoginFailureWriter) -> None:
        """Let one attempt of its kind at a time decide, until the transaction ends.

        Raises `TooManyLoginAttemptsError` if the limit has been reached since: concurrent attempts
        cannot exceed it, not even with the correct password.
        """
        await failures.lock(attempt.account, attempt.address)
        await self._judge(attempt, failures)

    async def leave(
        self, attempt: LoginAttempt, failures: LoginFailureWriter, *, has_failed: bool
    ) -> None:
        """Count a failure, or after a success forget those before it."""
        if has_failed:
            await failures.create(account=attempt.account, address=attempt.address)
        else:
            await failures.clear(attempt.account)
        await self.remove_old(failures)

    async def remove_old(self, failures: LoginFailureWriter) -> int:
        """Remove some of the failures that no longer count; how many there were."""
        return await failures.remove_old(self._settings.failure_window, _REMOVED_AT_ONCE)

    async def _judge(
        self, attempt: LoginAttempt, failures: LoginFailureReader | LoginFailureWriter
    ) -> None:
        window = self._settings.failure_window
        recent: Any = await failures.recent(attempt.account, attempt.address, window)
        limits = [(recent.of_account, recent.account_age, self._settings.max_failures)]
        if not attempt.is_authenticated:
            limit = self._settings.max_failures_per_address
            limits.append((recent.of_address, recent.address_age, limit))
        ages = [age for count, age, limit in limits if count >= limit]
        if ages:
            # Until the oldest of them no longer counts.
            raise TooManyLoginAttemptsError(window - min(ages))
