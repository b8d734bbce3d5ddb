"""Login throttling: a limit on failed password checks, shared by all processes.

Failures within `AUTH_FAILURE_WINDOW` are stored in the database and counted per account and per
client network. `AccountService` handles each attempt in these steps:

1. `check`: reject the attempt if a limit is reached, before the expensive hash.
2. Verify the password. No transaction is open.
3. Begin a transaction and call `lock_and_check`: lock the account and the client network, then
   check the limits again. Concurrent attempts pass step 1 together, but from here on they run one
   after another, and each sees the failures of those before it. So a thousand concurrent guesses
   get no more tries than the limit, and even a correct password is rejected once it is reached.
4. `record_result`: store a failure, or delete the failures of the account after a success.
5. Commit, which releases the locks. Only then raise the error for a wrong password: an exception
   inside the transaction would roll back the stored failure.

To change their credentials, authenticated users prove the current password in the same steps, but
with a separate counter and no limit per client network. Failed logins, which anyone can cause, must
not affect a user who is already logged in.
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
    """Rejects login attempts after too many failures; see the steps in the module docstring."""

    def __init__(self, settings: AuthSettings) -> None:
        self._window = settings.failure_window
        self._max_per_account = settings.max_failures
        self._max_per_address = settings.max_failures_per_address

    async def check(self, attempt: LoginAttempt, database: Database) -> None:
        """Raise `TooManyLoginAttemptsError` if a limit is reached."""
        await self._raise_if_exceeded(attempt, LoginFailureReader(database))

    async def lock_and_check(self, attempt: LoginAttempt, transaction: Transaction) -> None:
        """Lock the account and the client network until the transaction ends, then check again.

        Raises `TooManyLoginAttemptsError` if a limit has been reached since `check`.
        """
        failures = LoginFailureWriter(transaction)
        await failures.lock(attempt.account, attempt.client_network)
        await self._raise_if_exceeded(attempt, failures)

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

    async def _raise_if_exceeded(
        self, attempt: LoginAttempt, failures: LoginFailureReader | LoginFailureWriter
    ) -> None:
        recent: RecentFailures = await failures.count_recent(
            attempt.account, attempt.client_network, self._window
        )
        # Seconds until the oldest failure expires, for each limit that is reached.
        waits = []
        if recent.account_count >= self._max_per_account:
            waits.append(self._window - recent.account_age)
        if not attempt.is_authenticated and recent.address_count >= self._max_per_address:
            waits.append(self._window - recent.address_age)
        if waits:
            raise TooManyLoginAttemptsError(max(waits))
