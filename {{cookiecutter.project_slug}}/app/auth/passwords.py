"""Password hashes: argon2id, slow and large on purpose, in a few threads of their own.

https://www.rfc-editor.org/rfc/rfc9106
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar
from unicodedata import normalize

from argon2 import extract_parameters
from argon2.low_level import ARGON2_VERSION
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import SecretStr

from app.settings import AuthSettings

T = TypeVar("T")


class PasswordCheck(NamedTuple):
    """Whether a password is right, and its rehash if the parameters have been raised since."""

    is_right: bool
    new_hash: str | None


class _UpgradingHasher(Argon2Hasher):
    """Replaces a stored hash only by one with at least as much memory, passes and lanes."""

    def __init__(self, passes: int, memory: int, lanes: int) -> None:
        super().__init__(passes, memory, lanes)
        self._costs = (passes, memory, lanes)

    def check_needs_rehash(self, hash: str | bytes) -> bool:  # noqa: A002 - the library's name
        """Return whether the parameters differ from those of the hash, and none is lower."""
        stored = extract_parameters(hash if isinstance(hash, str) else hash.decode())
        costs = (stored.time_cost, stored.memory_cost, stored.parallelism)
        is_weaker = any(new < old for new, old in zip(self._costs, costs, strict=True))
        return not is_weaker and super().check_needs_rehash(hash)


class PasswordHasher:
    """Makes and verifies hashes, never more at once than `AUTH_HASH_THREADS`.

    Each takes a tenth of a second, a core and `AUTH_HASH_MEMORY`: hold no database connection
    meanwhile.
    """

    def __init__(self, settings: AuthSettings) -> None:
        memory = settings.hash_memory // 1024
        passes, lanes = settings.hash_passes, settings.hash_lanes
        self._hasher = PasswordHash([_UpgradingHasher(passes, memory, lanes)])
        # What no password has, in the form of those that one has: to verify against it is the
        # same work.
        salt, digest = "A" * 22, "A" * 43
        parameters = f"v={ARGON2_VERSION}$m={memory},t={passes},p={lanes}"
        self._dummy_hash = f"$argon2id${parameters}${salt}${digest}"
        # The threads are the limit. A lock would be free again when its request is cancelled,
        # while the thread still works.
        self._threads = ThreadPoolExecutor(settings.hash_threads, "passwords")

    async def hash(self, password: SecretStr) -> str:
        """A salted hash to store."""
        return await self._run(lambda: self._hasher.hash(_normalized(password)))

    async def verify(self, password: SecretStr, known_hash: str | None) -> PasswordCheck:
        """Compare with a stored hash; without one, at the same cost, the password is wrong."""
        given = known_hash or self._dummy_hash
        verdict = await self._run(
            lambda: PasswordCheck(*self._hasher.verify_and_update(_normalized(password), given))
        )
        return verdict if known_hash else PasswordCheck(is_right=False, new_hash=None)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _normalized(password: SecretStr) -> str:
    # Keyboards differ in how they write one and the same accented letter.
    return normalize("NFC", password.get_secret_value())
