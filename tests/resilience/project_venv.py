"""Commands that run in the virtual environment of a generated project."""

import asyncio
import subprocess
from pathlib import Path

from conftest import Project, clean_environment

#: Scripts that run in the virtual environment of a generated project.
IN_VENV = Path(__file__).parent / "in_venv"


def venv_python(project: Project) -> str:
    """Return the Python interpreter in the project's virtual environment."""
    return str(project.path / ".venv/bin/python")


def venv_environment(**variables: str) -> dict[str, str]:
    """Return environment variables with which the scripts of `in_venv/` can be run by name."""
    return clean_environment({"PYTHONPATH": str(IN_VENV), **variables})


async def run_module(project: Project, *command: str, **variables: str) -> str:
    """Run `python -m` with a command and return its output.

    Raises AssertionError, with the output, if the command fails.
    """
    process = await asyncio.create_subprocess_exec(
        *(venv_python(project), "-m", *command),
        cwd=project.path,
        env=venv_environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()
