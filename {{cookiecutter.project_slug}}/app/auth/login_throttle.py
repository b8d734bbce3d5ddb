"""Login throttling: a limit on failed password checks, shared by all processes.

Failures within `AUTH_FAILURE_WINDOW` are stored in the database and counted per account and per
network of the client (`app.auth.client_networks`). `app.auth.credential_check.CredentialCheck`
handles each attempt in these steps:

1. `check`: reject the attempt if a limit is reached.
2. Verify the password. No transaction is open, because hashing is slow.
3. `lock_and_check`, in a new transaction: lock the account and the networks, then check the limits
   again. Once a limit is reached, a correct password is rejected too.
4. `record_failure` or `record_success`. A success deletes the failures of the account.
5. Commit, which releases the locks. Only then raise the error for a wrong password, because an
   exception inside the transaction would roll back the stored failure.

Concurrent attempts can pass step 1 together. From step 3 on, the locks make them run one after
another, and each attempt sees the failures of the attempts before it. Clients learn the result of
at most `AUTH_MAX_FAILURES` wrong guesses per account and window, however many they send at the same
time. Logins from one network briefly wait for each other, which is acceptable because no password
is hashed while the locks are held. All attempts lock the account before the networks, so that
they cannot deadlock.

A *confirmation* is a logged-in user's entry of the current password before a credential change. It
runs through the same steps. Anyone who knows an e-mail address can block logins to its account, but
the user must still be able to change the password. Therefore:

- Failed confirmations are counted per user, separately from failed logins.
- Failed confirmations count towards the network's total, but only logins are rejected when that
  total reaches the limit.
"""

from hashlib import sha256
from typing import NamedTuple, Protocol
from uuid import UUID

from app.auth.client_networks import SITE_FACTOR, ClientNetworks
from app.auth.errors import TooManyLoginAttemptsError
from app.auth.settings import AuthSettings
from app.db import Database, Transaction
from app.db.repositories.login_failures import LoginFailureReader, LoginFailureWriter

# Each attempt deletes up to this many expired rows and adds at most one, so any number above one
# keeps expired rows from accumulating. A small number keeps the transaction short.
_DELETE_BATCH_SIZE = 100


class PasswordAttempt(NamedTuple):
    """A login or a confirmation (see the module docstring)."""

    #: A hash of the e-mail for a login, or `user:<id>` for a confirmation.
    account_key: str
    networks: ClientNetworks
    is_confirmation: bool

    @classmethod
    def for_login(cls, email: str, client_ip: str) -> "PasswordAttempt":
        """Create the attempt for a login. `email` must be in lower case, and may be unknown."""
        # Hashed, because users sometimes type their password into the field for the e-mail.
        account_key = sha256(email.encode()).hexdigest()
        return cls(account_key, ClientNetworks.of(client_ip), is_confirmation=False)

    @classmethod
    def for_confirmation(cls, user_id: UUID, client_ip: str) -> "PasswordAttempt":
        """Create the attempt for a confirmation."""
        # The prefix is not hexadecimal, so the key cannot equal that of a login.
        return cls(f"user:{user_id}", ClientNetworks.of(client_ip), is_confirmation=True)


class RecentFailures(Protocol):
    """The row that `count_recent` returns.

    Ages are in seconds; 0 if there are no failures.
    """

    account_count: int
    oldest_account_failure_age: float
    network_count: int
    oldest_network_failure_age: float
    site_count: int
    oldest_site_failure_age: float


class LoginThrottle:
    """Rejects attempts after too many failures; see the steps in the module docstring."""

    def __init__(self, settings: AuthSettings) -> None:
        self._window = settings.failure_window
        self._max_per_account = settings.max_failures
        self._max_per_network = settings.max_failures_per_network
        self._max_per_site = settings.max_failures_per_network * SITE_FACTOR

    async def check(self, attempt: PasswordAttempt, database: Database) -> None:
        """Step 1: raise `TooManyLoginAttemptsError` if a limit is reached."""
        await self._raise_if_limit_reached(attempt, LoginFailureReader(database))

    async def lock_and_check(self, attempt: PasswordAttempt, transaction: Transaction) -> None:
        """Step 3: lock the account and the networks until the transaction ends, then check again.

        Raises `TooManyLoginAttemptsError` if a limit has been reached since `check`.
        """
        repository = LoginFailureWriter(transaction)
        await repository.lock(attempt.account_key, *attempt.networks)
        await self._raise_if_limit_reached(attempt, repository)

    async def record_failure(self, attempt: PasswordAttempt, transaction: Transaction) -> None:
        """Step 4: store a failure of the account and the networks.

        Also delete some expired failures.
        """
        repository = LoginFailureWriter(transaction)
        # The column `address` stores the network: renaming the column would need a migration.
        network, site = attempt.networks
        await repository.create(account=attempt.account_key, address=network, site=site)
        await self._delete_expired_batch(transaction)

    async def record_success(self, attempt: PasswordAttempt, transaction: Transaction) -> None:
        """Step 4: delete all failures of the account, and some expired failures.

        This also lowers the counts of the networks from which these failures came: users who
        mistype their own password should not block others on a shared network. Guesses at other
        accounts still count.
        """
        await LoginFailureWriter(transaction).delete_for_account(attempt.account_key)
        await self._delete_expired_batch(transaction)

    async def delete_expired(self, database: Database) -> int:
        """Delete the failures older than the window; return how many.

        Rows that other transactions have locked are skipped, and deleted by a later call.

        Each batch is deleted in its own short transaction. In a single long one, the deleted rows
        would stay locked, and successful logins that delete the same rows would wait.
        """
        total = 0
        while True:
            async with database.transaction() as transaction:
                deleted = await self._delete_expired_batch(transaction)
            if not deleted:
                return total
            total += deleted

    async def _delete_expired_batch(self, transaction: Transaction) -> int:
        """Delete up to `_DELETE_BATCH_SIZE` expired failures; return how many.

        Skips rows that other transactions have locked (SKIP LOCKED), so that concurrent deletions
        neither wait for each other nor deadlock.
        """
        repository = LoginFailureWriter(transaction)
        return await repository.delete_expired(self._window, _DELETE_BATCH_SIZE)

    async def _raise_if_limit_reached(
        self, attempt: PasswordAttempt, repository: LoginFailureReader | LoginFailureWriter
    ) -> None:
        recent: RecentFailures = await repository.count_recent(
            attempt.account_key, *attempt.networks, self._window
        )
        # Once the oldest failure expires, the count is one lower, which is normally below the
        # limit. A network's count can be above its limit, because failed confirmations are added
        # without being rejected. The client may then get another 429 after waiting.
        waits = []
        if recent.account_count >= self._max_per_account:
            waits.append(self._window - recent.oldest_account_failure_age)
        if not attempt.is_confirmation and recent.network_count >= self._max_per_network:
            waits.append(self._window - recent.oldest_network_failure_age)
        if not attempt.is_confirmation and recent.site_count >= self._max_per_site:
            waits.append(self._window - recent.oldest_site_failure_age)
        if waits:
            raise TooManyLoginAttemptsError(retry_after=max(waits))
