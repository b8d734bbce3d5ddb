"""Child processes that end with the block that started them, and so do their own children."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

ROOT = Path(__file__).parents[1]
STOP_TIMEOUT = 5.0


class Module:
    """A module run by this interpreter: `with Module("alembic", "upgrade", "head") as child:`.

    It has a session of its own, out of reach of Ctrl-C, and is asked to stop only once.
    """

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=os.environ | environment,
            start_new_session=True,
        )
        self._root = psutil.Process(self._process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        family = self.children()
        with suppress(subprocess.TimeoutExpired):
            self._process.terminate()
            self._process.wait(STOP_TIMEOUT)
        # Who is left by now does not listen. Children first, while they can still be found.
        for process in [*family, *self.children()]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.kill()
        self._process.wait()

    @property
    def exit_status(self) -> int | None:
        """What it returned, or `None` while it runs."""
        return self._process.poll()

    def wait(self, checkpoint: Callable[[], None]) -> int:
        """Return its exit status, unless `checkpoint` raises before."""
        while self.exit_status is None:
            checkpoint()
            time.sleep(0.05)
        return self.exit_status

    def children(self) -> list[psutil.Process]:
        """Return what it started, directly or not, even what ended and was not waited for."""
        try:
            return list(self._root.children(recursive=True))
        except psutil.NoSuchProcess:
            return []
