"""What the driver takes from the environment and the home directory: a user name, and files.

Checked when the service starts, since the driver's own errors name neither file nor setting.
"""

import getpass
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.settings import SettingsError

# Options of TLS that name files, their variables, and the defaults in `~/.postgresql`.
_TLS_FILES = {
    "sslcert": ("PGSSLCERT", "postgresql.crt"),
    "sslrootcert": ("PGSSLROOTCERT", "root.crt"),
    "sslcrl": ("PGSSLCRL", "root.crl"),
    "sslkey": ("PGSSLKEY", "postgresql.key"),
}
_VERIFYING_MODES = {"require", "verify-ca", "verify-full"}


def check_user(user: str | None, missing: str) -> None:
    """Raise `SettingsError`, which begins with `missing`, without a user or a default for one."""
    if user is not None or os.environ.get("PGUSER"):
        return
    try:
        getpass.getuser()
    except (KeyError, OSError, ImportError):
        raise SettingsError(f"{missing}, and the user that runs this process has no name") from None


def check_files(options: Mapping[str, Any], *, password: str | None, is_tcp: bool) -> None:
    """Raise `SettingsError` naming a file that the driver would fail to read."""
    passfile = os.environ.get("PGPASSFILE")
    if password is None and passfile:
        # The driver goes without a file that is missing, as libpq does.
        _check(Path(passfile), f"PGPASSFILE={passfile}", is_optional=True)
    mode = options.get("sslmode") or os.environ.get("PGSSLMODE") or ("prefer" if is_tcp else None)
    if mode is None or mode == "disable":
        return
    for path, source, is_default in _tls_files(options, is_verifying=mode in _VERIFYING_MODES):
        _check(path, source, is_optional=is_default)


def _tls_files(
    options: Mapping[str, Any], *, is_verifying: bool
) -> Iterator[tuple[Path, str, bool]]:
    for option, (variable, default) in _TLS_FILES.items():
        if option in {"sslrootcert", "sslcrl"} and not is_verifying:
            continue
        if path := options.get(option):
            yield Path(path), f"DATABASE_URL: {option}={path}", False
        elif path := os.environ.get(variable):
            yield Path(path), f"{variable}={path}", False
        elif home := _home():
            path = home / ".postgresql" / default
            if option == "sslkey" and not path.with_suffix(".crt").exists():
                continue
            yield path, f"{path} (of HOME, or set {variable} or sslmode=disable)", True


def _home() -> Path | None:
    try:
        return Path.home()
    except (KeyError, RuntimeError):
        return None


def _check(path: Path, source: str, *, is_optional: bool = False) -> None:
    try:
        path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError) as error:
        if not is_optional:
            raise SettingsError(f"{source}: {error.strerror}") from None
    except OSError as error:
        raise SettingsError(f"{source}: {error.strerror}") from None
