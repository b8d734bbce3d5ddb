"""A step of a page in docs/customizing that is left out fails a fast test, which names the file."""

import re
import sys
from pathlib import Path

import pytest
from conftest import Project
from fork_pages import PAGES, create_fork, read_steps, skip_in_forks, take_steps

pytestmark = [skip_in_forks, pytest.mark.slow, pytest.mark.forks]

#: For each page, the steps that can be forgotten, the tests that then fail, and the file they name.
OMISSIONS: dict[tuple[str, int], tuple[str, str]] = {
    ("other-defaults", 2): ("test_makefile", r"README\.md"),
    ("internal-index", 2): ("test_shared_values", r"ci\.yml contains"),
    ("internal-index", 3): ("test_shared_values", r"\.gitlab-ci\.yml contains"),
    ("internal-index", 4): ("test_shared_values", r"compose\.yaml contains"),
    ("add-an-option", 0): ("test_options", r"cookiecutter\.json"),
    ("add-an-option", 1): ("test_options", r"app/components/sentry\.py"),
    ("add-an-option", 2): ("test_options", r"tests/test_sentry\.py"),
    ("add-an-option", 3): ("test_options", r"hooks/post_gen_project\.py"),
    ("add-an-option", 4): ("test_imports", r"pyproject\.toml"),
    ("add-an-option", 5): ("test_prompt_validation", r"reserved_packages\.txt"),
    ("add-an-option", 6): ("test_options", r"\.env\.example"),
    ("add-an-option", 7): ("test_options", r"tests/matrix\.py"),
    ("add-an-option", 8): ("test_docs", r"change the table of README\.md"),
    ("add-an-option", 9): ("test_makefile", r"README\.md"),
    ("remove-a-database-layer", 0): ("test_sources", r"cookiecutter\.json|_variants"),
    ("remove-a-database-layer", 1): ("test_sources", r"_variants has one folder"),
    ("remove-a-database-layer", 2): ("test_docs", r"docs/"),
    ("remove-a-database-layer", 3): ("test_makefile", r"README\.md"),
    ("remove-gitlab", 0): ("test_options", r"cookiecutter\.json|hooks"),
    ("remove-gitlab", 1): ("test_options", r"hooks/post_gen_project\.py"),
    ("remove-gitlab", 2): ("test_options test_feature_files", r"hooks/post_gen_project\.py"),
    ("remove-gitlab", 3): ("test_docs", r"docs/non-interactive\.md"),
    ("remove-gitlab", 4): ("test_makefile", r"README\.md"),
    ("add-a-file", 0): ("test_options", r"tests/common_files\.txt"),
    ("add-a-file", 1): ("test_options", r"tests/common_files\.txt"),
    ("header", 0): ("test_header", r"scripts/add_header\.py"),
    ("header", 2): ("test_header", r"scripts/add_header\.py"),
}
#: Steps without which the fork is valid: it only lacks what they add.
OPTIONAL = {
    "other-defaults": {0, 1},
    "internal-index": {0, 1, 5},
    "header": {1},
    "take-a-release": {0},
}


@pytest.mark.parametrize("page", PAGES)
def test_every_step_is_listed(page: str) -> None:
    steps = {n for n, step in enumerate(read_steps(page)) if "git commit" not in step.content}
    listed = {number for name, number in OMISSIONS if name == page}
    assert listed | OPTIONAL.get(page, set()) == steps


@pytest.mark.parametrize(("page", "step"), OMISSIONS)
def test_omitted_step_is_reported_with_the_file_to_change(
    page: str, step: int, tmp_path: Path
) -> None:
    modules, message = OMISSIONS[page, step]
    fork = create_fork(tmp_path)

    try:
        take_steps(fork, page, without=step)
    except pytest.fail.Exception as failure:
        assert re.search(message, str(failure))
        return

    paths = [f"tests/{name}.py" for name in modules.split()]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short"]
    done = Project(fork.path).try_to_run(*command, "-m", "not slow", *paths)
    errors = [line for line in done.stdout.splitlines() if line.startswith("E ")]
    assert done.returncode == 1, done.stdout
    assert re.search(message, "\n".join(errors)), done.stdout
