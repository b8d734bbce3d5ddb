"""Run a PostgreSQL program on a data folder, and stop it when standard input is closed."""

import select
import signal
import sys
from pathlib import Path

from dev.embedded_server import IS_ROOT, chown_to_nobody, start_binary

name, data, *options = sys.argv[1:]
folder = Path(data)
if not folder.exists():
    folder.mkdir(mode=0o700)
    if IS_ROOT:
        chown_to_nobody(folder)
process = start_binary(name, *options, "-D", data, data=folder, log=folder.with_suffix(".log"))
while process.poll() is None:
    if select.select([sys.stdin], [], [], 0.02)[0]:
        process.send_signal(signal.SIGQUIT)
        process.wait()
sys.exit(process.returncode)
