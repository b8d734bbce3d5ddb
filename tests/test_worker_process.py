"""`make run` runs a worker next to the service, with the same code."""

import os
import signal
import sys
import time
from collections.abc import Callable

import psutil
import pytest
from choices import skip_without_choices
from conftest import LAYERS, Bake, Project
from server_process import find_processes, remaining_processes, run_server
from shared_environment import install

pytestmark = pytest.mark.slow

if sys.platform == "win32":
    pytest.skip("signals differ on Windows", allow_module_level=True)

JOB = '''"""Writes a file."""

from pathlib import Path

from app.job_queue import Job, JobContext


class WriteFile(Job):
    """Writes a file."""

    name: str

    async def run(self, context: JobContext) -> None:
        """Write it."""
        Path(self.name).write_text("first")
'''
ENQUEUE = """
import asyncio, sys
from app.db import Database
from app.job_queue import JobQueue
from app.jobs.write_file import WriteFile
from app.settings import load_settings

async def enqueue():
    async with Database(load_settings().database) as database:
        async with database.transaction() as transaction:
            await JobQueue(transaction).enqueue(WriteFile(name=sys.argv[1]))

asyncio.run(enqueue())
"""
#: The standard error of the processes goes to a file.
COMMAND = ["sh", "-c", "exec uv run python -m dev.serve 2> errors.log"]


@pytest.fixture
def project(bake: Bake) -> Project:
    skip_without_choices({"jobs": True})
    project = bake(database_layer=LAYERS[-1], example=False, auth=False, jobs=True)
    install(project)
    (project.path / "app" / "jobs" / "write_file.py").write_text(JOB, "utf-8")
    return project


def wait_for(condition: Callable[[], bool], project: Project) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, project.read("errors.log")
        time.sleep(0.1)


def run_job(project: Project, database: str, name: str) -> str:
    """Enqueue a job, and return the text of the file that it writes."""
    url = {"DATABASE_URL": database}
    project.run("uv", "run", "python", "-c", ENQUEUE, name, variables=url)
    file = project.path / name
    wait_for(lambda: file.exists() and bool(file.read_text("utf-8")), project)
    return file.read_text("utf-8")


def worker_process(project: Project) -> psutil.Process:
    """Return the worker: the process that has been started last."""
    found = [psutil.Process(pid) for pid in find_processes(project.path)]
    python = [one for one in found if "multiprocessing.spawn" in " ".join(one.cmdline())]
    return max(python, key=lambda process: process.create_time())


def started_workers(project: Project) -> int:
    return project.read("errors.log").count("Running jobs: ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_worker_runs_the_changed_code_and_stops_with_the_service(
    number: signal.Signals, project: Project
) -> None:
    with run_server(COMMAND, project.path) as server:
        assert run_job(project, server.database, "before") == "first"

        changed = JOB.replace("first", "second")
        (project.path / "app" / "jobs" / "write_file.py").write_text(changed, "utf-8")
        wait_for(lambda: started_workers(project) == 2, project)
        assert run_job(project, server.database, "after") == "second"

        started = time.monotonic()
        stop = server.interrupt if number == signal.SIGINT else server.terminate
        assert stop() == 0
        assert time.monotonic() - started < 10

    assert not remaining_processes(project.path)
    assert "Traceback" not in project.read("errors.log")


def test_killed_worker_is_reported_and_started_after_the_next_change(project: Project) -> None:
    message = "The worker has ended, see above. It starts again when a file in app/ changes.\n"
    with run_server(COMMAND, project.path) as server:
        wait_for(lambda: started_workers(project) == 1, project)
        os.kill(worker_process(project).pid, signal.SIGKILL)
        wait_for(lambda: message in project.read("errors.log"), project)
        assert server.request("GET", "/readyz")[0] == 200

        (project.path / "app" / "jobs" / "write_file.py").write_text(f"{JOB}\n", "utf-8")
        wait_for(lambda: started_workers(project) == 2, project)

        assert project.read("errors.log").count(message) == 1


def test_worker_that_cannot_start_is_reported(project: Project) -> None:
    (project.path / "app" / "jobs" / "write_file.py").write_text("raise ValueError\n", "utf-8")
    with run_server(COMMAND, project.path) as server:
        wait_for(lambda: "The worker has ended, see above." in project.read("errors.log"), project)

        assert server.request("GET", "/livez")[0] == 200
    assert not remaining_processes(project.path)
