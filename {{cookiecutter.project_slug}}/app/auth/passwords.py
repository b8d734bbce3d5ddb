"""Password hashes: argon2id, computed in a few threads with a bounded queue.

Each hash deliberately takes about 0.1 s of CPU time and `AUTH_ARGON2_MEMORY_COST` KiB of memory.
https://www.rfc-editor.org/rfc/rfc9106
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar
from unicodedata import normalize

from argon2 import extract_parameters
from argon2.low_level import ARGON2_VERSION
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import SecretStr

from app.auth.hash_queue import HashQueue
from app.auth.settings import AuthSettings

ResultT = TypeVar("ResultT")

# Lengths in the dummy hash: the defaults of `Argon2Hasher`.
_SALT_CHARACTERS = 22  # 16 bytes in unpadded Base64
_DIGEST_CHARACTERS = 43  # 32 bytes


class PasswordCheck(NamedTuple):
    """Result of `PasswordHasher.verify`."""

    is_valid: bool
    #: Replacement hash with the current parameters, or None if no upgrade is needed.
    upgraded_hash: str | None


class PasswordHasher:
    """Hashes and verifies passwords, at most `AUTH_HASH_CONCURRENCY` at a time.

    Hold no database connection while calling `hash` or `verify`. Under load, passwords wait in a
    queue to be hashed, and the waiting requests would occupy all connections of the pool.

    Both raise `UnavailableError` if the queue is full, or if the client has disconnected before its
    password was hashed (`app.auth.hash_queue`).
    """

    def __init__(self, settings: AuthSettings) -> None:
        self._hasher = PasswordHash([_NoDowngradeArgon2Hasher(settings)])
        self._dummy_hash = _create_dummy_hash(settings)
        self._queue = HashQueue(settings.hash_concurrency, settings.hash_queue)

    async def hash(self, password: SecretStr) -> str:
        """Return a salted hash to store."""
        return await self._run(lambda: self._hasher.hash(_normalize(password)))

    async def verify(self, password: SecretStr, stored_hash: str | None) -> PasswordCheck:
        """Check a password against the stored hash, which is None for an unknown user.

        An unknown user costs as much as a wrong password for a hash with the current parameters, so
        that the response time does not reveal whether an account exists. Older hashes may take a
        different time until the next login upgrades them.
        """
        # Treat an empty hash like an unknown user; pwdlib would raise an exception for it.
        if not stored_hash:
            await self._verify_hash(password, self._dummy_hash)
            return PasswordCheck(is_valid=False, upgraded_hash=None)
        return await self._verify_hash(password, stored_hash)

    async def _verify_hash(self, password: SecretStr, stored_hash: str) -> PasswordCheck:
        is_valid, upgraded_hash = await self._run(
            lambda: self._hasher.verify_and_update(_normalize(password), stored_hash)
        )
        return PasswordCheck(is_valid, upgraded_hash)

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        return await self._queue.run(work)


class _NoDowngradeArgon2Hasher(Argon2Hasher):
    """Argon2 hasher that never replaces a hash with one of a lower cost.

    The base class rehashes whenever the parameters differ, which would weaken stored hashes during
    a rolling deployment or after a parameter was lowered by mistake. Here, if the new cost is lower
    in any parameter, there is no upgrade. A change that raises one cost and lowers another upgrades
    no hash with the previous parameters.
    """

    def __init__(self, settings: AuthSettings) -> None:
        super().__init__(
            time_cost=settings.argon2_time_cost,
            memory_cost=settings.argon2_memory_cost,
            parallelism=settings.argon2_parallelism,
        )
        self._costs = (
            settings.argon2_time_cost,
            settings.argon2_memory_cost,
            settings.argon2_parallelism,
        )

    def check_needs_rehash(self, hash: str | bytes) -> bool:  # noqa: A002 - the library's name
        """Return True if the parameters differ and none of the new costs is lower."""
        stored = extract_parameters(hash if isinstance(hash, str) else hash.decode())
        stored_costs = (stored.time_cost, stored.memory_cost, stored.parallelism)
        is_at_least_as_costly = all(
            new >= old for new, old in zip(self._costs, stored_costs, strict=True)
        )
        return is_at_least_as_costly and super().check_needs_rehash(hash)


def _create_dummy_hash(settings: AuthSettings) -> str:
    """Return a well-formed hash with the current parameters that matches no known password.

    Built by hand rather than computed, to keep startup fast. The digest is all zeros; no password
    with that digest is known.
    """
    costs = (
        f"m={settings.argon2_memory_cost},t={settings.argon2_time_cost}"
        f",p={settings.argon2_parallelism}"
    )
    # In Base64, "A" stands for six zero bits.
    salt, digest = "A" * _SALT_CHARACTERS, "A" * _DIGEST_CHARACTERS
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${digest}"


def _normalize(password: SecretStr) -> str:
    # Keyboards produce the same accented letter as one or as two code points. Without NFC, a
    # password that was set on one device could be wrong when it is typed on another.
    return normalize("NFC", password.get_secret_value())
