"""Login throttling: a limit on failed password checks, shared by all processes.

Failures within `AUTH_FAILURE_WINDOW` are stored in the database and counted per account and per
network of the client. `CredentialCheck` handles each attempt in these steps:

1. `check`: reject the attempt if a limit is reached, before the expensive hash.
2. Verify the password. No transaction is open.
3. `lock_and_check`, in a new transaction: take advisory locks on the account and the network, in
   this order, and check the limits again. Concurrent attempts pass step 1 together, but from here
   on they run one after another, and each sees the failures of those before it. Even a thousand
   concurrent guesses are limited to `AUTH_MAX_FAILURES` tries. Once a limit is reached, a correct
   password is rejected too.
4. `record_failure`, or `record_success`, which deletes the failures of the account.
5. Commit, which releases the locks. Only then raise the error for a wrong password: an exception
   inside the transaction would roll back the stored failure.

Authenticated users confirm changes of their credentials with the current password, in the same
steps. Anyone can fail to log in as a user, and this must not affect that user's sessions. Two rules
therefore differ:

- Wrong current passwords are counted per user, separately from failed logins.
- They add to the count of the network, but the limit of the network applies to logins only.
"""

from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple, Protocol
from uuid import UUID

from app.auth.errors import TooManyLoginAttemptsError
from app.db import Database, Transaction
from app.db.repositories.login_failures import LoginFailureReader, LoginFailureWriter
from app.settings import AuthSettings

# Rows deleted per call. An attempt adds at most one row, so any number above one keeps expired rows
# from accumulating.
_DELETE_BATCH_SIZE = 100


def network_of(client_ip: str) -> str:
    """Return the network that one client controls: an IPv4 address or an IPv6 /64 network."""
    try:
        address = ip_address(client_ip)
    except ValueError:
        # A proxy may put any text into X-Forwarded-For. The column takes 64 characters.
        return client_ip[:64]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        # A /64 is the smallest network that providers assign, and its owner can use any address in
        # it. A limit per address would therefore be no limit.
        return str(ip_network((address, 64), strict=False))
    return str(address)


class LoginAttempt(NamedTuple):
    """A login, or the confirmation of a change with the current password."""

    #: A hash of the e-mail, or `user:<id>` if the user is authenticated.
    account_key: str
    #: The result of `network_of`.
    network: str
    is_authenticated: bool

    @classmethod
    def for_login(cls, email: str, client_ip: str) -> "LoginAttempt":
        """Return a login with an e-mail, which need not belong to an account."""
        # Hashed, because users sometimes type their password into the field for the e-mail.
        account_key = sha256(email.encode()).hexdigest()
        return cls(account_key, network_of(client_ip), is_authenticated=False)

    @classmethod
    def for_user(cls, user_id: UUID, client_ip: str) -> "LoginAttempt":
        """Return the confirmation of a change by an authenticated user."""
        # The prefix is not hexadecimal, so the key cannot equal that of a login.
        return cls(f"user:{user_id}", network_of(client_ip), is_authenticated=True)


class RecentFailures(Protocol):
    """Failures within the window, as a row of `count_recent`.

    An age is in seconds, and 0 if the count is 0.
    """

    account_count: int
    oldest_account_failure_age: float
    network_count: int
    oldest_network_failure_age: float


class LoginThrottle:
    """Rejects login attempts after too many failures; see the steps in the module docstring."""

    def __init__(self, settings: AuthSettings) -> None:
        self._window = settings.failure_window
        self._max_per_account = settings.max_failures
        self._max_per_network = settings.max_failures_per_network

    async def check(self, attempt: LoginAttempt, database: Database) -> None:
        """Raise `TooManyLoginAttemptsError` if a limit is reached."""
        await self._raise_if_limit_reached(attempt, LoginFailureReader(database))

    async def lock_and_check(self, attempt: LoginAttempt, transaction: Transaction) -> None:
        """Lock the account and the network until the transaction ends, then check again.

        Raises `TooManyLoginAttemptsError` if a limit has been reached since `check`.
        """
        repository = LoginFailureWriter(transaction)
        await repository.lock(attempt.account_key, attempt.network)
        await self._raise_if_limit_reached(attempt, repository)

    async def record_failure(self, attempt: LoginAttempt, transaction: Transaction) -> None:
        """Store a failure for the account and the network, and delete some expired failures."""
        repository = LoginFailureWriter(transaction)
        await repository.create(account=attempt.account_key, address=attempt.network)
        await self._delete_expired_batch(transaction)

    async def record_success(self, attempt: LoginAttempt, transaction: Transaction) -> None:
        """Delete all failures of the account, and some expired failures."""
        await LoginFailureWriter(transaction).delete_for_account(attempt.account_key)
        await self._delete_expired_batch(transaction)

    async def delete_expired(self, database: Database) -> int:
        """Delete all failures that are older than the window; return how many.

        Each batch is deleted in its own short transaction, so that logins do not wait for locked
        rows.
        """
        total = 0
        while True:
            async with database.transaction() as transaction:
                deleted = await self._delete_expired_batch(transaction)
            if not deleted:
                return total
            total += deleted

    async def _delete_expired_batch(self, transaction: Transaction) -> int:
        repository = LoginFailureWriter(transaction)
        return await repository.delete_expired(self._window, _DELETE_BATCH_SIZE)

    async def _raise_if_limit_reached(
        self, attempt: LoginAttempt, repository: LoginFailureReader | LoginFailureWriter
    ) -> None:
        recent: RecentFailures = await repository.count_recent(
            attempt.account_key, attempt.network, self._window
        )
        # For each limit that is reached, the seconds until its oldest failure leaves the window and
        # the count falls.
        waits = []
        if recent.account_count >= self._max_per_account:
            waits.append(self._window - recent.oldest_account_failure_age)
        if not attempt.is_authenticated and recent.network_count >= self._max_per_network:
            waits.append(self._window - recent.oldest_network_failure_age)
        if waits:
            raise TooManyLoginAttemptsError(retry_after=max(waits))
