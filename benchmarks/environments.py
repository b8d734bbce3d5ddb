"""Generated projects with their virtual environments, cached until the template changes.

The projects are generated with the example, users and jobs, and installed with `uv sync`.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parent.parent
SOURCES = TEMPLATE / "{{cookiecutter.project_slug}}"
CACHE = TEMPLATE / ".bench"
_CONFIG = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))
LAYERS: list[str] = _CONFIG["database_layer"]
#: Scripts that run in the virtual environment of a generated project.
IN_VENV = Path(__file__).parent / "in_venv"

_RENDERED = (
    *("cookiecutter.json", "prompt_validation.py", "hooks", "templates"),
    SOURCES.name,
)
_UV = os.environ.get("UV", "uv")


@contextmanager
def exclusive_cache() -> Iterator[None]:
    """Lock the cache: two benchmarks at the same time would disturb each other's results."""
    if sys.platform == "win32":
        raise SystemExit("The benchmark runs on Linux and macOS only.")
    import fcntl

    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def project_environment(**variables: str) -> dict[str, str]:
    """Return environment variables for a project's process, without settings of this process."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    # Required in production; no measured request uses them.
    required = {
        "AUTH_SECRETS": secrets.token_urlsafe(48),
        "MAIL_URL": "log:",
        "MAIL_FROM": "service@example.com",
        "APP_URL": "https://example.com",
    }
    return {**kept, "PYTHONPATH": str(IN_VENV), **required, **variables}


def venv_python(project: Path) -> str:
    """Return the path of the Python interpreter in a project's virtual environment."""
    return str(project / ".venv" / "bin" / "python")


def prepare_project(layer: str) -> Path:
    """Generate and install a project with one layer, or return the cached one."""
    folder = CACHE / layer
    stamp = folder / "stamp"
    fingerprint = _fingerprint()
    if stamp.exists() and stamp.read_text("ascii") == fingerprint:
        return next(folder.glob("*/pyproject.toml")).parent
    print(f"Generating a project ({layer}) ...", file=sys.stderr, flush=True)
    stamp.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        generated = _generate(layer, Path(temporary))
        project = folder / generated.name
        if project.exists():
            if (project / ".venv").exists():
                # Faster than a new environment: `uv sync` installs only the differences.
                (project / ".venv").rename(generated / ".venv")
            shutil.rmtree(project)
        generated.rename(project)
    # Compile the bytecode, as the Docker image does; otherwise the first start is slower.
    _run(_UV, "sync", "--quiet", "--compile-bytecode", cwd=project)
    _run(venv_python(project), "-m", "compileall", "-q", "app", str(IN_VENV), cwd=project)
    stamp.write_text(fingerprint, "ascii")
    return project


def prepare_package(requirement: str) -> str:
    """Install one package into its own virtual environment and return the path of its Python."""
    folder = CACHE / sha256(requirement.encode()).hexdigest()[:12]
    python = str(folder / "bin" / "python")
    if not folder.exists():
        _run(_UV, "venv", "--quiet", str(folder), cwd=CACHE)
        _run(_UV, "pip", "install", "--quiet", "--python", python, requirement, cwd=CACHE)
    return python


@contextmanager
def project_at(revision: str, layer: str) -> Iterator[Path]:
    """Generate and install a project from another revision of the template, and yield its path."""
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        template = Path(name) / "template"
        template.mkdir()
        archive = Path(name) / "archive.tar"
        _run("git", "archive", f"--output={archive}", revision, cwd=TEMPLATE)
        _run("tar", "-xf", str(archive), cwd=template)
        project = _generate(layer, Path(name), template)
        _run(_UV, "sync", "--quiet", cwd=project)
        yield project


def _generate(layer: str, folder: Path, template: Path = TEMPLATE) -> Path:
    # A separate config file, so that the user's own cookiecutter defaults do not apply.
    config = folder / "cookiecutter.yaml"
    config.write_text(json.dumps({"replay_dir": str(folder / "replay")}), "utf-8")
    command = [sys.executable, "-m", "cookiecutter", str(template), "--no-input"]
    options = ["--config-file", str(config), "--output-dir", str(folder / "output")]
    # Without users, whom the services that it is compared with do not have.
    features = ("example=true", "auth=false", "jobs=true")
    _run(*command, *options, f"database_layer={layer}", *features, cwd=folder)
    return next((folder / "output").iterdir())


def _run(*command: str, cwd: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, check=True)


def _fingerprint() -> str:
    digest = sha256()
    for path in _rendered_files():
        digest.update(f"{path.relative_to(TEMPLATE)} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _rendered_files() -> Iterator[Path]:
    for name in _RENDERED:
        top = TEMPLATE / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            is_cache = any(part == "__pycache__" or "_cache" in part for part in path.parts)
            if path.is_file() and not is_cache:
                yield path
