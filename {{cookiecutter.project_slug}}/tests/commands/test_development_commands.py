"""`python -m dev.cli` runs commands on the development database."""

import os
import subprocess
import sys

from app.settings import Settings
from tests.databases import ROOT, url_from


def test_command_is_run_on_the_configured_database(settings: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dev.cli", "--help"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url_from(settings)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Commands for operators." in done.stdout
