"""The make targets of the template, also on machines without the required tools."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from choices import CONTEXT
from conftest import LAYERS, TEMPLATE, Bake, Project, clean_environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the Makefile is for Linux and macOS")

OLD_PYTHON = f"""#!/bin/sh
if [ "$1" = --version ]; then echo Python 3.10.99; exit; fi
exec "{sys.executable}" -c 'import sys; sys.version_info = (3, 10, 99); exec(sys.argv[1])' "$2"
"""


def make(
    *arguments: str, folder: Path = TEMPLATE, typed: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [shutil.which("make") or "make", *arguments],
        cwd=folder,
        env=clean_environment(variables),
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


def targets(folder: Path) -> set[str]:
    """Return the targets of the Makefile."""
    makefile = (folder / "Makefile").read_text("utf-8")
    return set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())


def listed(folder: Path) -> set[str]:
    """Return the targets in the output of `make`."""
    return set(re.findall(r"^make (\S+) +\S", make(folder=folder).stdout, re.MULTILINE))


def test_make_without_target_lists_targets(bake: Bake) -> None:
    project = bake().path

    # These two are only dependencies of other targets.
    assert listed(TEMPLATE) == targets(TEMPLATE) - {"clean-template", "uv"}
    assert listed(project) == targets(project)


def test_unknown_database_layer_is_reported_with_choices() -> None:
    # The invalid port ends a demo that starts despite the error.
    done = make("demo", "DATABASE_LAYER=mysql", PORT="none")

    assert done.returncode != 0
    assert "mysql" in done.stderr
    assert all(layer in done.stderr for layer in LAYERS)


def test_outdated_python_is_reported(tmp_path: Path) -> None:
    shutil.copy(TEMPLATE / "Makefile", tmp_path)
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(OLD_PYTHON, "utf-8")
    python.chmod(0o755)

    done = make("demo", folder=tmp_path, PATH=str(python.parent))

    assert done.returncode != 0
    assert "Python 3.11 or newer is required; python3 is Python 3.10.99." in done.stderr


@pytest.mark.slow
def test_missing_uv_is_installed(tmp_path: Path) -> None:
    shutil.copy(TEMPLATE / "Makefile", tmp_path)
    folders = clean_environment()["PATH"].split(os.pathsep)
    without_uv = os.pathsep.join(folder for folder in folders if not Path(folder, "uv").exists())

    done = make("uv", folder=tmp_path, PATH=without_uv)

    assert done.returncode == 0, done.stderr
    fetched = tmp_path / ".uv" / "bin" / "uv"
    assert subprocess.run([fetched, "--version"], check=True).returncode == 0


def test_make_bake_prompts_and_generates_into_output(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"replay_dir: {tmp_path / 'replay'}\n", "utf-8")

    done = make(
        *("bake", f"OUTPUT={tmp_path}"),
        typed="Book Shop" + "\n" * 20,
        COOKIECUTTER_CONFIG=str(config),
    )

    assert done.returncode == 0, done.stderr
    assert f"Project name ({CONTEXT['project_name']})" in done.stdout
    assert (tmp_path / "book-shop" / "README.md").read_text("utf-8").startswith("# Book Shop\n")


def test_readme_shows_current_prompts() -> None:
    Project(TEMPLATE).run(sys.executable, "scripts/update_readme.py", "--check")


def test_rejected_value_ends_the_recording_of_the_session(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, update_readme\n"
        "update_readme.TYPED = {'Database layer': 'mysql'}\n"
        "update_readme.record(pathlib.Path(sys.argv[1]))\n"
    )

    done = Project(TEMPLATE / "scripts").try_to_run(sys.executable, "-c", code, str(tmp_path))

    assert done.returncode == 1
    assert done.stdout.endswith("\nscripts/update_readme.py: change TYPED.\n")
