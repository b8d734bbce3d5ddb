"""Invalid values end every command before a folder is created or a hook runs."""

import json
import subprocess
from pathlib import Path

import pytest
from conftest import list_files
from cookiecutter_cli import cookiecutter, created_paths, cruft, reject
from git_repo import GitRepo, copy_history

INVALID = {"project_slug": "../x/y", "author_email": "nope"}
ARGUMENTS = [f"{name}={value}" for name, value in INVALID.items()]
MARK_HOOK = "import pathlib; pathlib.Path({path!r}).touch()\n"


@pytest.fixture
def template(tmp_path: Path) -> GitRepo:
    """Return a copy of the template, whose first hook leaves a file next to it."""
    template = copy_history(tmp_path / "sources" / "template")
    hook = template.path / "hooks" / "pre_gen_project.py"
    mark = MARK_HOOK.format(path=str(tmp_path / "hook-ran"))
    hook.write_text(mark + hook.read_text("utf-8"), "utf-8")
    template.commit("Mark the run of a hook")
    return template


def assert_rejected(done: subprocess.CompletedProcess[str], folder: Path) -> None:
    """Fail unless the command printed only the list of problems and created nothing."""
    assert done.returncode == 1
    headline, slug, email, end = done.stderr.split("\n")
    assert headline == "No project was generated. Please fix:"
    assert slug.startswith("  - project_slug '../x/y' must be lower-case words")
    assert email.startswith("  - author_email 'nope' must be an e-mail address")
    assert end == ""
    assert done.stdout == ""
    assert [name for name in created_paths(folder) if name != "sources"] == []
    # No recording, whose replay would skip the validation.
    assert not [*(folder / "replay").glob("*.json")]


def make_zip(template: GitRepo) -> str:
    """Return the path of an archive, as a hosting service would serve it."""
    path = template.path.with_suffix(".zip")
    template.git("archive", "--format=zip", "--prefix=template/", f"--output={path}", "HEAD")
    return str(path)


def make_bare(template: GitRepo) -> str:
    """Return the URL of a bare clone."""
    path = template.path.with_suffix(".git")
    template.git("clone", "--quiet", "--bare", ".", str(path))
    return path.as_uri()


@pytest.mark.parametrize(
    "source",
    [
        "folder",
        *(pytest.param(s, marks=pytest.mark.slow) for s in ("relative folder", "git", "zip")),
    ],
)
def test_cookiecutter_rejects_invalid_values(
    source: str, template: GitRepo, tmp_path: Path
) -> None:
    locations = {"folder": str(template.path), "relative folder": "../sources/template"}
    locations |= {"git": make_bare(template), "zip": make_zip(template)}
    location = locations[source]

    done = cookiecutter(tmp_path, *ARGUMENTS, template=location)

    assert_rejected(done, tmp_path)
    valid = cookiecutter(tmp_path, template=location)
    assert valid.returncode == 0, valid.stderr
    assert created_paths(tmp_path) == ["hook-ran", "my-service", "sources"]


@pytest.mark.slow
@pytest.mark.parametrize("source", ["folder", "git"])
def test_cruft_create_rejects_invalid_values(
    source: str, template: GitRepo, tmp_path: Path
) -> None:
    location = make_bare(template) if source == "git" else str(template.path)
    create = ("create", location, "--no-input")

    done = cruft(tmp_path, *create, "--extra-context", json.dumps(INVALID))

    assert_rejected(done, tmp_path)
    valid = cruft(tmp_path, *create)
    assert valid.returncode == 0, valid.stderr
    assert created_paths(tmp_path) == ["hook-ran", "my-service", "sources"]


@pytest.mark.slow
def test_cruft_update_rejects_invalid_values(template: GitRepo, tmp_path: Path) -> None:
    assert cruft(tmp_path, "create", str(template.path), "--no-input").returncode == 0
    project = GitRepo(tmp_path / "work" / "my-service")
    project.git("init", "--quiet")
    project.commit("Generate the project")
    files = list_files(project.path)

    variables = ["--variables-to-update", json.dumps(INVALID)]
    done = cruft(tmp_path, "update", "--skip-apply-ask", *variables, cwd=project.path)

    assert done.returncode == 1
    assert done.stderr.startswith("No project was generated. Please fix:\n  - project_slug ")
    assert len(done.stderr.splitlines()) == 3
    assert list_files(project.path) == files
    assert project.git("status", "--porcelain") == ""
    assert created_paths(tmp_path) == ["hook-ran", "my-service", "sources"]


@pytest.mark.slow
def test_cruft_update_validates_by_the_rules_of_the_new_version(
    template: GitRepo, tmp_path: Path
) -> None:
    create = ("create", str(template.path), "--no-input")
    assert cruft(tmp_path, *create, "--extra-context", '{"author_name": "Ada"}').returncode == 0
    project = GitRepo(tmp_path / "work" / "my-service")
    project.git("init", "--quiet")
    project.commit("Generate the project")
    template.replace("prompt_validation.py", '"author_name": 100', '"author_name": 2')
    template.commit("Shorten the author's name")

    done = cruft(tmp_path, "update", "--skip-apply-ask", cwd=project.path)

    assert done.returncode == 1
    assert "author_name 'Ada' has 3 characters; at most 2 are allowed" in done.stderr


@pytest.mark.parametrize("name", ["project_slug", "project_description"])
def test_nul_in_a_configuration_is_rejected(name: str, tmp_path: Path) -> None:
    done = reject(tmp_path, defaults={name: "a\0b"})

    assert (done.returncode, created_paths(tmp_path)) == (1, [])
    assert done.stderr.startswith(f"No project was generated. Please fix:\n  - {name} 'a\\x00b' ")


@pytest.mark.parametrize("slug", ["", ".", "..", "a/b", "/a", "a" * 300, "_"])
def test_slug_that_is_not_a_folder_name_creates_nothing(slug: str, tmp_path: Path) -> None:
    done = reject(tmp_path, f"project_slug={slug}")

    assert (done.returncode, done.stdout, created_paths(tmp_path)) == (1, "", [])
    headline, problem = done.stderr.splitlines()
    assert headline == "No project was generated. Please fix:"
    assert problem.startswith("  - project_slug ")
