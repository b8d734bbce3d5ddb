"""Virtual environments that several projects use, instead of one environment for each project."""

import os
import tempfile
from pathlib import Path

from conftest import Project


def install(project: Project, name: str = os.environ.get("PYTEST_XDIST_WORKER", "main")) -> None:
    """Install the dependencies of a project, and no others, in an environment of this test run.

    `.venv` becomes a link to the environment. By default, it is that of this process, which only
    one project can use at a time. A new environment and its bytecode take 7 seconds of CPU time.
    What a project adds later is removed when the next one is installed.
    """
    shared = Path(tempfile.gettempdir(), f"environment-{name}")
    shared.mkdir(exist_ok=True)
    (project.path / ".venv").symlink_to(shared, target_is_directory=True)
    # The first line of a script contains the path of the environment, which must outlive the link.
    project.run("uv", "sync", "--quiet", variables={"UV_PROJECT_ENVIRONMENT": str(shared)})
