"""Description of the machine and of the software versions, for the report."""

import json
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path

import psutil

from benchmarks.environments import project_environment, venv_python

PACKAGES = (
    *("fastapi", "starlette", "pydantic", "uvicorn", "uvloop", "httptools"),
    *("sqlalchemy", "asyncpg", "databases"),
)
PRINT_VERSIONS = """
import json, platform, sys
from importlib.metadata import distributions, version
installed = {distribution.name.lower() for distribution in distributions()}
versions = {name: version(name) for name in sys.argv[1:] if name in installed}
print(json.dumps({"Python": platform.python_version(), **versions}))
"""


def describe_machine() -> str:
    """Describe the machine and its load before the run."""
    memory = psutil.virtual_memory().total / 2**30
    load = psutil.getloadavg()[0]
    return (
        f"{platform.system()} on {_cpu_model()}, {psutil.cpu_count()} CPUs, "
        f"{memory:.0f} GiB, load {load:.1f} before"
    )


def find_versions(projects: Iterable[Path], server_version: str) -> dict[str, str]:
    """Return the versions of the server and of the packages in the projects."""
    versions = {"PostgreSQL": server_version}
    for project in projects:
        found = subprocess.run(
            [venv_python(project), "-c", PRINT_VERSIONS, *PACKAGES],
            env=project_environment(),
            capture_output=True,
            check=True,
        )
        versions |= json.loads(found.stdout)
    return versions


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
