"""Sources of the template: checkouts with caches or without write access, URLs and archives."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from choices import CONTEXT
from conftest import LAYERS, NEEDED, SOURCES, TEMPLATE
from cookiecutter_cli import cookiecutter, created_paths, cruft
from git_repo import GitRepo, copy_history
from matrix import expected_files
from test_early_validation import make_bare, make_zip

#: What tools leave in the sources.
LEFTOVERS = [name[1:] for name in CONTEXT["_copy_without_render"] if name.startswith("*")]
#: Neither text nor a template. Detected as text, because it has no control characters.
UNDECODABLE = b"{{ none }} {% none %} \xff" + b"text " * 100
REMOTE = ("clone", "zip", "cruft")
NOTE = "_HOOKS_DID_NOT_RUN.md"


@pytest.fixture
def template(tmp_path: Path) -> GitRepo:
    return copy_history(tmp_path / "sources" / "template")


def all_paths(project: Path) -> set[str]:
    """Return the paths of all files, including those that tools leave."""
    return {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "source", ["folder", *(pytest.param(one, marks=pytest.mark.slow) for one in REMOTE)]
)
def test_leftovers_of_tools_are_not_in_the_project(
    source: str, template: GitRepo, tmp_path: Path
) -> None:
    folders = ["", "app", "tests", ".github", *(f"_variants/{layer}/app" for layer in LAYERS)]
    for folder in (template.path / SOURCES.name / name for name in folders):
        for name in LEFTOVERS:
            (folder / f"folder{name}" / "0.1").mkdir(parents=True)
            (folder / f"folder{name}" / "0.1" / "data").write_bytes(UNDECODABLE)
            (folder / name).write_bytes(UNDECODABLE)
    template.git("add", "--all", "--force")
    template.commit("Add the leftovers")

    if source == "cruft":
        done = cruft(tmp_path, "create", str(template.path), "--no-input")
    else:
        location = {"clone": make_bare, "zip": make_zip}.get(source, lambda one: str(one.path))
        done = cookiecutter(tmp_path, template=location(template))

    assert done.returncode == 0, done.stderr
    [project] = (tmp_path / "work").iterdir()
    assert all_paths(project) - {".cruft.json"} == expected_files({})


def test_leftovers_are_those_that_git_ignores_in_a_project() -> None:
    lines = (SOURCES / ".gitignore").read_text("utf-8").splitlines()
    ignored = {line.rstrip("/") for line in lines if line and not line.startswith("#")}

    # The owner's file, and data of tests that were killed: patterns begin with their only asterisk.
    assert ignored - {"kubernetes/secret.yaml", ".coverage.*"} <= {*LEFTOVERS}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permissions of this kind")
def test_read_only_template_generates_a_writable_project(tmp_path: Path) -> None:
    copy = tmp_path / "sources" / "template"
    copy.mkdir(parents=True)
    for name in (*NEEDED, SOURCES.name):
        is_folder = (TEMPLATE / name).is_dir()
        (shutil.copytree if is_folder else shutil.copy)(TEMPLATE / name, copy / name)
    paths = [copy, *copy.rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)

    done = cookiecutter(tmp_path, template=copy)

    for path in paths:
        path.chmod(path.stat().st_mode | 0o200)
    assert done.returncode == 0, done.stderr
    [project] = (tmp_path / "work").iterdir()
    for path in (project, *project.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert path.stat().st_mode & 0o700 == wanted, path


def test_project_without_hooks_contains_a_note(tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, flags=["--no-input", "--accept-hooks", "no"])

    assert done.returncode == 0
    [project] = (tmp_path / "work").iterdir()
    assert "hooks of the template did not run" in (project / NOTE).read_text("utf-8")
    assert {path.name for path in SOURCES.iterdir() if path.name.startswith("_")} == {
        NOTE,
        "_variants",
    }


@pytest.mark.slow
def test_generations_with_separate_folders_can_run_in_parallel(
    template: GitRepo, tmp_path: Path
) -> None:
    url = f"git+{template.path.as_uri()}"
    jobs = [tmp_path / f"job{number}" for number in range(4)]
    for job in jobs:
        job.mkdir()

    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda job: cookiecutter(job, template=url), jobs))

    assert [(done.returncode, done.stderr) for done in results] == [(0, "")] * 4


@pytest.mark.slow
def test_local_clone_needs_another_url_for_each_command(template: GitRepo, tmp_path: Path) -> None:
    url = template.path.as_uri()
    # cookiecutter also takes a URL for one of git if it contains the word.
    assert "git" not in url

    assert cookiecutter(tmp_path, template=url).returncode != 0
    assert cruft(tmp_path, "create", f"git+{url}", "--no-input").returncode != 0
    assert created_paths(tmp_path) == ["sources"]

    for slug, done in (
        ("one", cookiecutter(tmp_path, "project_slug=one", template=f"git+{url}")),
        (
            "two",
            cruft(
                tmp_path, "create", url, "--no-input", "--extra-context", '{"project_slug": "two"}'
            ),
        ),
    ):
        assert done.returncode == 0, done.stderr
        assert all_paths(tmp_path / "work" / slug) - {".cruft.json"} == expected_files({})


def test_archive_without_a_top_folder_is_rejected(template: GitRepo, tmp_path: Path) -> None:
    path = tmp_path / "sources" / "flat.zip"
    template.git("archive", "--format=zip", f"--output={path}", "HEAD")

    done = cookiecutter(tmp_path, template=path)

    assert done.returncode == 1
    assert "could not be found" in done.stderr + done.stdout
    assert created_paths(tmp_path) == ["sources"]
