"""What the last hook makes of the rendered files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import LAYERS, Bake
from rendered_hooks import render_hook


def run_hook(folder: Path, **answers: object) -> str:
    hook = folder.parent / "hook.py"
    hook.write_text(render_hook("post_gen_project", **answers), "utf-8")
    done = subprocess.run(
        [sys.executable, hook], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("chosen", [True, False])
def test_running_it_again_changes_nothing(chosen: bool, bake: Bake) -> None:
    project = bake(example=chosen, auth=chosen)
    before = {name: project.read(name) for name in project.files()}

    run_hook(project.path, example=chosen, auth=chosen)

    assert {name: project.read(name) for name in project.files()} == before


def test_it_touches_nothing_outside_the_working_directory(tmp_path: Path) -> None:
    project, neighbour = tmp_path / "project", tmp_path / "neighbour"
    for folder in (project, neighbour):
        for layer in LAYERS:
            (folder / "_variants" / layer / "app" / "services").mkdir(parents=True)
    before = sorted(neighbour.rglob("*"))

    run_hook(project, example=False)

    assert sorted(neighbour.rglob("*")) == before
    assert [path.name for path in project.iterdir()] == ["app"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bits")
def test_no_file_is_a_program_whatever_the_template_was_on(bake: Bake) -> None:
    project = bake()
    programs = [project.path / name for name in ("README.md", "app/main.py", ".github/workflows")]
    for path in programs:
        path.chmod(0o755)

    run_hook(project.path)

    assert [path.stat().st_mode & 0o777 for path in programs] == [0o644, 0o644, 0o755]


def test_it_says_what_to_do_next_on_a_few_lines_of_ascii(bake: Bake) -> None:
    output = run_hook(bake().path)

    assert output.isascii()
    assert "make run" in output
    assert len(output.splitlines()) < 10
