"""The post_gen_project hook: file selection, permissions and the printed next steps."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import LAYERS, TEMPLATE, Bake
from generation import post_hook
from rendered_hooks import load_hook, render_hook


def run_hook(folder: Path, *, encoding: str = "utf-8", **values: object) -> str:
    """Run the hook, rendered with `values`, in `folder`, and return its output."""
    hook = folder.parent / "hook.py"
    hook.write_text(render_hook("post_gen_project", **values), "utf-8")
    done = subprocess.run(
        [sys.executable, hook],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        text=True,
        encoding=encoding,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("selected", [True, False])
def test_second_run_changes_nothing(selected: bool, bake: Bake) -> None:
    project = bake(example=selected, auth=selected)
    before = {name: project.read(name) for name in project.files()}

    run_hook(project.path, example=selected, auth=selected)

    assert {name: project.read(name) for name in project.files()} == before


@pytest.mark.parametrize("jobs", [True, False])
def test_files_belong_to_options_that_are_off(
    jobs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = post_hook()
    table = "[ci=none jobs=false]\nwithout_jobs.py\n\n[jobs=true]\njobs.py\n"
    monkeypatch.setattr(hook, "FILES_BY_FEATURE", hook.parse_features(table))
    monkeypatch.chdir(tmp_path)
    for name in ("jobs.py", "without_jobs.py"):
        (tmp_path / name).touch()

    # A rendered hook has the values as text.
    hook.remove_unselected_features({"ci": "none", "jobs": str(jobs)})

    (kept,) = tmp_path.iterdir()
    assert kept.name == ("jobs.py" if jobs else "without_jobs.py")


def test_hook_changes_nothing_outside_the_working_directory(tmp_path: Path) -> None:
    project, neighbor = tmp_path / "project", tmp_path / "neighbor"
    for folder in (project, neighbor):
        for layer in LAYERS:
            (folder / "_variants" / layer / "app" / "services").mkdir(parents=True)
    before = sorted(neighbor.rglob("*"))

    run_hook(project, example=False)

    assert sorted(neighbor.rglob("*")) == before
    assert [path.name for path in project.iterdir()] == ["app"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bits")
def test_executable_bits_of_files_are_cleared(bake: Bake) -> None:
    project = bake()
    paths = [project.path / name for name in ("README.md", "app/main.py", ".github/workflows")]
    for path in paths:
        path.chmod(0o755)

    run_hook(project.path)

    assert [path.stat().st_mode & 0o777 for path in paths] == [0o644, 0o644, 0o755]


def test_next_steps_are_a_few_lines_of_ascii(bake: Bake) -> None:
    output = run_hook(bake().path)

    assert output.isascii()
    assert "make run" in output
    assert len(output.splitlines()) < 10


@pytest.mark.skipif(os.name == "nt", reason="Windows has other shells")
@pytest.mark.parametrize("folder", ["plain", "a second place", "it's $HOME", "\u00fcber", "\u65e5"])
def test_printed_cd_command_works_in_a_shell(folder: str, tmp_path: Path) -> None:
    project = tmp_path / folder / "my-service"
    project.mkdir(parents=True)

    [command] = re.findall("^ +(cd .*)", run_hook(project), re.MULTILINE)

    done = subprocess.run(
        ["sh", "-c", f"{command} && pwd -P"], cwd="/", capture_output=True, check=True
    )
    assert Path(os.fsdecode(done.stdout).strip()) == project.resolve()


@pytest.mark.parametrize(
    ("path", "quoted"),
    [("C:\\work\\api", "C:\\work\\api"), ("C:\\my work\\api", '"C:\\my work\\api"')],
)
def test_path_is_quoted_for_the_shells_of_windows(
    path: str, quoted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = load_hook(tmp_path, "post_gen_project")
    monkeypatch.setattr(hook, "os", SimpleNamespace(name="nt", sep="\\"))

    assert hook.quote(path) == quoted


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_path_that_the_console_cannot_encode_is_escaped(encoding: str, tmp_path: Path) -> None:
    project = tmp_path / "\u65e5\u672c" / "my-service"
    project.mkdir(parents=True)

    output = run_hook(project, encoding=encoding)

    assert "\\u65e5" in output
    assert "make run" in output


def test_locked_file_is_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = load_hook(tmp_path, "post_gen_project")
    overlay = tmp_path / "project" / "_variants" / LAYERS[0]
    overlay.mkdir(parents=True)
    (overlay / "new.py").write_text("", "utf-8")
    monkeypatch.chdir(tmp_path / "project")
    attempts = {"replace": 0, "rmdir": 0}

    def fail_twice(name: str) -> Any:
        original = getattr(os, name)

        def action(*paths: str) -> None:
            attempts[name] += 1
            if attempts[name] <= 2:
                raise PermissionError(13, "Access is denied")
            original(*paths)

        return action

    for name in attempts:
        monkeypatch.setattr(os, name, fail_twice(name))

    hook.apply_overlay(LAYERS[0])

    assert sorted(path.name for path in Path().iterdir()) == ["new.py"]


@pytest.mark.parametrize("name", [".DS_Store", ".ruff_cache", "main.egg-info", "main.py~"])
def test_leftovers_of_tools_are_removed(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    apps = [folder / "_variants" / layer / "app" for layer in LAYERS]
    for app in apps:
        app.mkdir(parents=True)
    for parent in (folder, apps[0]):
        (parent / name).write_bytes(b"\0")
        (parent / f"folder{name}" / "0.1").mkdir(parents=True)
        (parent / f"folder{name}" / "0.1" / "data").write_bytes(b"\0")

    run_hook(folder, database_layer=LAYERS[0])

    assert [path.name for path in folder.rglob("*")] == ["app"]


def test_files_of_editors_and_of_macos_are_git_ignored(bake: Bake) -> None:
    for folder in (TEMPLATE, bake().path):
        lines = (folder / ".gitignore").read_text("utf-8").splitlines()
        assert {".DS_Store", ".idea/", ".vscode/"} <= set(lines)
