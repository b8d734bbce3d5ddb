"""Virtual environments that several projects use, instead of one environment for each project."""

import os
import tempfile
from pathlib import Path

from conftest import Project


def install(project: Project) -> None:
    """Install the dependencies of a project, and no others, in the environment of this process.

    Installing a new environment and compiling its bytecode takes 7 seconds of CPU time. Only one
    project can use the environment at a time, and its path is a link.
    """
    link_environment(project, os.environ.get("PYTEST_XDIST_WORKER", "main"))
    project.run("uv", "sync", "--quiet")


def link_environment(project: Project, name: str) -> None:
    """Make `.venv` of a project a link to an environment of this test run."""
    shared = Path(tempfile.gettempdir(), f"environment-{name}")
    shared.mkdir(exist_ok=True)
    (project.path / ".venv").symlink_to(shared, target_is_directory=True)
