"""Runs a PostgreSQL program on a data folder, and stops it when standard input is closed."""

import select
import signal
import sys
from pathlib import Path

from dev.programs import lend, run_program

name, data, *options = sys.argv[1:]
folder = Path(data)
if not folder.exists():
    folder.mkdir(mode=0o700)
    lend(folder)
process = run_program(name, *options, data=folder, log=folder.with_suffix(".log"))
while process.poll() is None:
    if select.select([sys.stdin], [], [], 0.02)[0]:
        process.send_signal(signal.SIGQUIT)
        process.wait()
sys.exit(process.returncode)
