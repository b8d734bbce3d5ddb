"""Login throttling: a limit on failed password checks, shared by all processes.

Failures within `AUTH_FAILURE_WINDOW` are counted in the database, per account and per client
network. A login goes through these steps, of which `AccountService` runs the ones on passwords:

1. `check` the limits. A client over a limit is rejected before the expensive hash.
2. Verify the password, with no transaction open.
3. Begin the transaction that decides about the attempt. `lock_and_check` takes one lock on the
   account and one on the client network, then checks the limits again. Attempts that passed step 1
   at the same time go on one after the other and see each other's failures, so a thousand
   concurrent guesses get no more tries than the limit. A correct password is rejected, too.
4. `record_result`: store a failure, or after a success delete the failures of the account.
5. Commit, which releases the locks, and only then raise the error about a wrong password. Raised
   inside the transaction, it would roll back the recorded failure.

A user who confirms a change with the current password goes through the same steps, but has a
separate counter: anyone can cause failed logins to an account, and these must not affect a user who
is logged in.
"""

from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple, Protocol
from uuid import UUID

from app.auth.errors import TooManyLoginAttemptsError
from app.db import Database, Transaction
from app.db.repositories.login_failures import LoginFailureReader, LoginFailureWriter
from app.settings import AuthSettings

# More than one attempt can add, so that expired rows do not accumulate.
_DELETE_LIMIT = 100


class LoginAttempt(NamedTuple):
    """An attempt to prove a password: for which account, and from which client."""

    #: A hash of the e-mail, or `user:<id>` if the client is logged in.
    account: str
    #: IP address of the client, or its /64 network with IPv6.
    client_network: str
    is_authenticated: bool = False

    @classmethod
    def create(cls, email: str, client_ip: str) -> "LoginAttempt":
        """Return a login attempt; the account need not exist."""
        # Hashed, because users sometimes type their password into this field.
        return cls(sha256(email.encode()).hexdigest(), client_network(client_ip))

    @classmethod
    def by_user(cls, user_id: UUID, client_ip: str) -> "LoginAttempt":
        """Return an attempt of an authenticated user, which is counted apart from logins."""
        # Distinct from all accounts of logins, which are hexadecimal.
        return cls(f"user:{user_id}", client_network(client_ip), is_authenticated=True)


def client_network(client_ip: str) -> str:
    """Return the network that one client controls: an IPv4 address or a /64 of IPv6."""
    try:
        address = ip_address(client_ip)
    except ValueError:
        # X-Forwarded-For may contain any text. The column takes 64 characters.
        return client_ip[:64]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        # The smallest network that providers assign: its owner can use any address in it.
        return str(ip_network((address.packed[:8] + bytes(8), 64)))
    return str(address)


class RecentFailures(Protocol):
    """Failures within the window; an age is that of the oldest one, in seconds."""

    account_count: int
    account_age: float
    address_count: int
    address_age: float


class LoginThrottle:
    """Rejects login attempts after too many failures. The module describes the protocol."""

    def __init__(self, settings: AuthSettings) -> None:
        self._window = settings.failure_window
        self._max_per_account = settings.max_failures
        self._max_per_address = settings.max_failures_per_address

    async def check(self, attempt: LoginAttempt, database: Database) -> None:
        """Raise `TooManyLoginAttemptsError` if a limit is reached."""
        failures = LoginFailureReader(database)
        account, address = attempt.account, attempt.client_network
        self._raise_if_exceeded(
            attempt, await failures.count_recent(account, address, self._window)
        )

    async def lock_and_check(self, attempt: LoginAttempt, transaction: Transaction) -> None:
        """Lock the account and the client network until the transaction ends, then check again.

        Raises `TooManyLoginAttemptsError` if a limit has been reached since `check`.
        """
        failures = LoginFailureWriter(transaction)
        account, address = attempt.account, attempt.client_network
        await failures.lock(account, address)
        self._raise_if_exceeded(
            attempt, await failures.count_recent(account, address, self._window)
        )

    async def record_result(
        self, attempt: LoginAttempt, transaction: Transaction, *, has_failed: bool
    ) -> None:
        """Store a failure, or after a success delete the earlier failures of the account."""
        failures = LoginFailureWriter(transaction)
        if has_failed:
            await failures.create(account=attempt.account, address=attempt.client_network)
        else:
            await failures.delete_for_account(attempt.account)
        await self.delete_expired(transaction)

    async def delete_expired(self, transaction: Transaction) -> int:
        """Delete a limited number of failures older than the window; return how many."""
        return await LoginFailureWriter(transaction).delete_expired(self._window, _DELETE_LIMIT)

    def _raise_if_exceeded(self, attempt: LoginAttempt, recent: RecentFailures) -> None:
        waits = []
        if recent.account_count >= self._max_per_account:
            waits.append(self._window - recent.account_age)
        # A user who is logged in is limited by account only: others may share the network.
        if not attempt.is_authenticated and recent.address_count >= self._max_per_address:
            waits.append(self._window - recent.address_age)
        if waits:
            raise TooManyLoginAttemptsError(max(waits))
