"""Check that asyncpg will find a user name, and can read its password and TLS files.

What `DATABASE_URL` does not contain, asyncpg takes from `PG...` variables and from the home
directory. The checks run when the service starts, because the errors of asyncpg name neither the
file nor the setting.
"""

import getpass
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.settings import SettingsError

# TLS options that name files, each with its variable and its default file in `~/.postgresql`.
_TLS_FILES = {
    "sslcert": ("PGSSLCERT", "postgresql.crt"),
    "sslrootcert": ("PGSSLROOTCERT", "root.crt"),
    "sslcrl": ("PGSSLCRL", "root.crl"),
    "sslkey": ("PGSSLKEY", "postgresql.key"),
}
# Values of `sslmode` for which asyncpg reads the root certificate and the revocation list.
_VERIFYING_MODES = {"require", "verify-ca", "verify-full"}


def check_user(user: str | None, message: str) -> None:
    """Raise `SettingsError` if `user` is None and asyncpg has no default for it.

    The text of the error begins with `message`.
    """
    if user is not None or os.environ.get("PGUSER"):
        return
    try:
        getpass.getuser()
    except (KeyError, OSError, ImportError):
        raise SettingsError(f"{message}, and the user of this process has no name") from None


def check_files(options: Mapping[str, Any], *, password: str | None, is_tcp: bool) -> None:
    """Raise `SettingsError` if asyncpg could not read a password or TLS file.

    `options` are the TLS options of `DATABASE_URL`. The text of the error names the file.
    """
    passfile = os.environ.get("PGPASSFILE")
    if password is None and passfile:
        # asyncpg ignores a missing password file, as libpq does.
        _check_readable(Path(passfile), f"PGPASSFILE={passfile}", is_optional=True)
    mode = options.get("sslmode") or os.environ.get("PGSSLMODE") or ("prefer" if is_tcp else None)
    if mode is None or mode == "disable":
        return
    for path, source, is_default in _tls_files(options, is_verifying=mode in _VERIFYING_MODES):
        _check_readable(path, source, is_optional=is_default)


def _tls_files(
    options: Mapping[str, Any], *, is_verifying: bool
) -> Iterator[tuple[Path, str, bool]]:
    """Yield each file that asyncpg reads, its setting, and whether it is a default path."""
    for option, (variable, default) in _TLS_FILES.items():
        if option in {"sslrootcert", "sslcrl"} and not is_verifying:
            # asyncpg reads these only to verify the server.
            continue
        if path := options.get(option):
            yield Path(path), f"DATABASE_URL: {option}={path}", False
        elif path := os.environ.get(variable):
            yield Path(path), f"{variable}={path}", False
        elif home := _home():
            path = home / ".postgresql" / default
            if option == "sslkey" and not path.with_suffix(".crt").exists():
                # asyncpg reads the key only with its certificate.
                continue
            yield path, f"{path} (of HOME, or set {variable} or sslmode=disable)", True


def _home() -> Path | None:
    try:
        return Path.home()
    except (KeyError, RuntimeError):
        return None


def _check_readable(path: Path, source: str, *, is_optional: bool) -> None:
    try:
        path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError) as error:
        if not is_optional:
            raise SettingsError(f"{source}: {error.strerror}") from None
    except OSError as error:
        raise SettingsError(f"{source}: {error.strerror}") from None
