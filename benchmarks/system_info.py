"""What the figures depend on: the machine, and the versions of what was measured."""

import json
import platform
import subprocess
from pathlib import Path

import psutil

from benchmarks.environments import interpreter, project_environment

PACKAGES = (
    *("fastapi", "starlette", "pydantic", "uvicorn", "uvloop", "httptools"),
    *("sqlalchemy", "asyncpg", "databases"),
)
ASK = """
import json, platform, sys
from importlib.metadata import version
print(json.dumps({"Python": platform.python_version()} | {n: version(n) for n in sys.argv[1:]}))
"""


def describe_machine() -> str:
    """The machine in words, and what else it was doing."""
    memory = psutil.virtual_memory().total / 2**30
    load = psutil.getloadavg()[0]
    return (
        f"{platform.system()} on {_processor()}, {psutil.cpu_count()} processors, "
        f"{memory:.0f} GiB, load {load:.1f} before"
    )


def find_versions(project: Path, server_version: str) -> dict[str, str]:
    """The versions of what a project runs on; it is one with the `databases` layer."""
    found = subprocess.run(
        [interpreter(project), "-c", ASK, *PACKAGES],
        env=project_environment(),
        capture_output=True,
        check=True,
    )
    versions: dict[str, str] = json.loads(found.stdout)
    return {"PostgreSQL": server_version, **versions}


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
