"""The pages in docs/customizing work: each one in a new fork, and one after the other."""

from pathlib import Path

import pytest
from conftest import Project
from cookiecutter_cli import cookiecutter
from fork_pages import PAGES, create_fork, skip_in_forks, take_steps
from forks import run_fast_tests
from git_repo import GitRepo
from test_fork_merge import release_next_version
from test_generated_projects import run_checks

pytestmark = [skip_in_forks, pytest.mark.slow]

#: Prompt values of a project that has what the page adds.
VALUES: dict[str, list[str]] = {"add-an-option": ["sentry=true"]}
#: The example's index does not exist.
REAL_INDEX = {"UV_DEFAULT_INDEX": "https://pypi.org/simple"}


def generate(fork: GitRepo, folder: Path, *values: str) -> Project:
    """Generate a project from a fork."""
    folder.mkdir()
    done = cookiecutter(folder, *values, template=fork.path)
    assert done.returncode == 0, done.stderr
    return Project(folder / "work" / "my-service")


def check(fork: GitRepo, folder: Path, *values: str) -> None:
    """Run the fast tests of a fork, and lint and all tests of a project."""
    run_fast_tests(fork)
    run_checks(generate(fork, folder, *values), REAL_INDEX)


def test_steps_apply_in_sequence_and_leave_nothing_without_the_option(tmp_path: Path) -> None:
    fork = create_fork(tmp_path)

    for page in PAGES:
        take_steps(fork, page)

    assert fork.git("status", "--porcelain") == ""
    values = ("database_layer=async-session", "kubernetes=true")
    project = generate(fork, tmp_path / "without", *values)
    assert [name for name in project.files() if "sentry" in project.read(name).lower()] == []
    project = generate(fork, tmp_path / "with", *values, "sentry=true")
    assert {"app/components/sentry.py", "docs/support.md"} <= project.files()
    assert project.read("app/main.py").startswith("# Copyright (c) The Team.\n")


@pytest.mark.forks
@pytest.mark.parametrize("page", PAGES)
def test_fork_with_the_changes_of_one_page_is_valid(page: str, tmp_path: Path) -> None:
    fork = create_fork(tmp_path)
    if page == "take-a-release":
        release_next_version(GitRepo(tmp_path / "upstream"))

    take_steps(fork, page)

    check(fork, tmp_path / "project", *VALUES.get(page, []))


@pytest.mark.forks
def test_fork_is_valid_after_each_page(tmp_path: Path) -> None:
    fork = create_fork(tmp_path)
    values: list[str] = []
    for page in PAGES:
        take_steps(fork, page)
        values += VALUES.get(page, [])
        check(fork, tmp_path / page, *values)
