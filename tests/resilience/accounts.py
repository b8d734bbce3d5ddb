"""Users of a generated project, whose addresses need no confirmation by mail."""

import asyncio
import subprocess

from conftest import Project

from resilience.project_venv import venv_environment, venv_python


async def create_user(
    project: Project, database_url: str, email: str, password: str, **variables: str
) -> None:
    """Create a user with the command of the project."""
    process = await asyncio.create_subprocess_exec(
        *(venv_python(project), "-m", "app.cli", "create-user", email),
        cwd=project.path,
        env=venv_environment(DATABASE_URL=database_url, **variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate(password.encode())
    assert process.returncode == 0, output.decode()
