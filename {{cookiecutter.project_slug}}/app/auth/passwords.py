"""Password hashes: argon2id, computed in a few threads with a bounded queue.

Each hash deliberately takes about 0.1 s of CPU time and `AUTH_ARGON2_MEMORY_COST` KiB of memory.
https://www.rfc-editor.org/rfc/rfc9106
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from unicodedata import normalize

from argon2 import extract_parameters
from argon2.low_level import ARGON2_VERSION
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import SecretStr

from app.auth.hash_queue import HashQueue
from app.auth.settings import AuthSettings

_PARAMETERS = re.compile(r"m=\d+,t=\d+,p=\d+")
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
        self._parameters = (
            f"m={settings.argon2_memory_cost},t={settings.argon2_time_cost}"
            f",p={settings.argon2_parallelism}"
        )
        self._queue = HashQueue(settings.hash_concurrency, settings.hash_queue)

    async def hash(self, password: SecretStr) -> str:
        """Return a salted hash to store."""
        return await self._queue.run(lambda: self._hasher.hash(_normalize(password)))

    async def verify(
        self, password: SecretStr, stored_hash: str | None, all_parameters: Iterable[str] = ()
    ) -> PasswordCheck:
        """Check a password against the stored hash, which is None for an unknown user.

        `all_parameters` are the different parameters of the hashes of all users. For a wrong
        password and for an unknown user, one hash with each of them is computed. So all failures
        cost the same work, also after the parameters have changed, and the response time does not
        reveal whether an account exists. If they are empty, an unknown user costs one hash with the
        current parameters.
        """
        remaining = {*filter(_PARAMETERS.fullmatch, all_parameters)}

        def check() -> PasswordCheck:
            text = _normalize(password)
            # Treat an empty hash like an unknown user; pwdlib would raise an exception for it.
            if stored_hash:
                is_valid, upgraded_hash = self._hasher.verify_and_update(text, stored_hash)
                if is_valid:
                    return PasswordCheck(is_valid, upgraded_hash)
                remaining.discard(_parameters_of(stored_hash))
            elif not remaining:
                remaining.add(self._parameters)
            for parameters in remaining:
                self._hasher.verify(text, _dummy_hash(parameters))
            return PasswordCheck(is_valid=False, upgraded_hash=None)

        return await self._queue.run(check)


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


@lru_cache
def _dummy_hash(parameters: str) -> str:
    """Return a well-formed hash with these parameters that matches no known password.

    Built by hand rather than computed. The digest is all zeros; no password with that digest is
    known.
    """
    # In Base64, "A" stands for six zero bits.
    salt, digest = "A" * _SALT_CHARACTERS, "A" * _DIGEST_CHARACTERS
    return f"$argon2id$v={ARGON2_VERSION}${parameters}${salt}${digest}"


def _parameters_of(stored_hash: str) -> str:
    """Return the parameters of a hash, as the repository of the users does."""
    return stored_hash.split("$")[3]


def _normalize(password: SecretStr) -> str:
    # Keyboards produce the same accented letter as one or as two code points. Without NFC, a
    # password that was set on one device could be wrong when it is typed on another.
    return normalize("NFC", password.get_secret_value())
