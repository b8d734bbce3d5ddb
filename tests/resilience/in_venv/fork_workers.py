"""Fork a worker for each line of standard input, and print its process ID.

Starting a Python process for each of them would take seconds. All are killed when standard input is
closed.
"""

import os
import signal
import sys
from contextlib import suppress

import fault_worker

import app.worker

# Killed workers do not remain as zombies.
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
workers = []
for _ in sys.stdin:
    worker = os.fork()
    if worker == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # Not that of the pool, which the test reads.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        app.worker.main([])
        os._exit(0)
    workers.append(worker)
    print(worker, flush=True)
for worker in workers:
    with suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)
print(f"{len(workers)} workers with a heartbeat timeout of {fault_worker.heartbeat_timeout} s")
