"""Projects exactly as they come, each with its environment; kept until the template changes."""

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
CACHE = TEMPLATE / ".bench"
LAYERS: tuple[str, ...] = ("async-session", "databases")
#: What runs in the environment of a project.
INSIDE = Path(__file__).parent / "in_venv"

_RENDERED = ("cookiecutter.json", "hooks", "templates", "{{cookiecutter.project_slug}}")
_UV = os.environ.get("UV", "uv")


@contextmanager
def exclusive_cache() -> Iterator[None]:
    """One process at a time makes projects, or measures: two would measure each other."""
    if sys.platform == "win32":
        raise SystemExit("The benchmark runs on Linux and macOS only.")
    import fcntl

    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def project_environment(**variables: str) -> dict[str, str]:
    """The variables of a process in a project: nothing of this one's that could set it up."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    # In production it must be there; nothing that is measured is signed with it.
    secret = secrets.token_urlsafe(48)
    return {**kept, "PYTHONPATH": str(INSIDE), "AUTH_SECRETS": secret, **variables}


def interpreter(project: Path) -> str:
    """The Python of a project's environment."""
    return str(project / ".venv" / "bin" / "python")


def prepare_project(layer: str) -> Path:
    """The project with the default answers and this layer, installed."""
    folder = CACHE / layer
    stamp = folder / "stamp"
    fingerprint = _fingerprint()
    if stamp.exists() and stamp.read_text("ascii") == fingerprint:
        return next(folder.glob("*/pyproject.toml")).parent
    print(f"Making a project ({layer}) ...", file=sys.stderr, flush=True)
    stamp.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        fresh = _bake(layer, Path(temporary))
        project = folder / fresh.name
        if project.exists():
            if (project / ".venv").exists():
                # uv changes in it what has to change.
                (project / ".venv").rename(fresh / ".venv")
            shutil.rmtree(project)
        fresh.rename(project)
    # Compiled, as in the image: the first start is then like any other.
    _run(_UV, "sync", "--quiet", "--compile-bytecode", cwd=project)
    _run(interpreter(project), "-m", "compileall", "-q", "app", str(INSIDE), cwd=project)
    stamp.write_text(fingerprint, "ascii")
    return project


def prepare_package(requirement: str) -> str:
    """The Python of an environment that has one package."""
    folder = CACHE / sha256(requirement.encode()).hexdigest()[:12]
    python = str(folder / "bin" / "python")
    if not folder.exists():
        _run(_UV, "venv", "--quiet", str(folder), cwd=CACHE)
        _run(_UV, "pip", "install", "--quiet", "--python", python, requirement, cwd=CACHE)
    return python


@contextmanager
def project_at(revision: str, layer: str) -> Iterator[Path]:
    """Yield the project that another revision of the template generates, installed."""
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        template = Path(name) / "template"
        template.mkdir()
        archive = Path(name) / "archive.tar"
        _run("git", "archive", f"--output={archive}", revision, cwd=TEMPLATE)
        _run("tar", "-xf", str(archive), cwd=template)
        project = _bake(layer, Path(name), template)
        _run(_UV, "sync", "--quiet", cwd=project)
        yield project


def _bake(layer: str, folder: Path, template: Path = TEMPLATE) -> Path:
    # Whatever this person's own defaults are.
    config = folder / "cookiecutter.yaml"
    config.write_text(json.dumps({"replay_dir": str(folder / "replay")}), "utf-8")
    command = [sys.executable, "-m", "cookiecutter", str(template), "--no-input"]
    options = ["--config-file", str(config), "--output-dir", str(folder / "output")]
    _run(*command, *options, f"database_layer={layer}", cwd=folder)
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
