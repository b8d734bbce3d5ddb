"""One virtual environment for the projects of a test process, instead of one for each project."""

import os
import tempfile
from pathlib import Path

from conftest import Project


def install(project: Project) -> None:
    """Install the dependencies of a project, and no others, in the shared environment.

    Installing a new environment and compiling its bytecode takes 7 seconds of CPU time. Only one
    project can use the shared one at a time, and its path is a link.
    """
    name = f"environment-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    shared = Path(tempfile.gettempdir(), name)
    shared.mkdir(exist_ok=True)
    (project.path / ".venv").symlink_to(shared, target_is_directory=True)
    project.run("uv", "sync", "--quiet")
