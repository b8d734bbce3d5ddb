"""The worker with the jobs of `fault_jobs`, and with a heartbeat timeout of HEARTBEAT_TIMEOUT."""

import os
import socket
from functools import partial

from fault_jobs import JOBS

import app.worker
from app.job_queue.worker import JobWorker

heartbeat_timeout = float(os.environ["HEARTBEAT_TIMEOUT"])
app.worker.discover_jobs = lambda: JOBS
app.worker.JobWorker = partial(JobWorker, heartbeat_timeout=heartbeat_timeout)

if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    # uvicorn logs the address only if the port is fixed.
    app.worker.main(["--port", str(port)])
