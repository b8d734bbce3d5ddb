"""A step of a page in docs/customizing that is left out fails a fast test, which names the file."""

import re
import sys
from pathlib import Path

import pytest
from conftest import Project
from fork_pages import PAGES, create_fork, read_steps, skip_in_forks, take_steps
from git_repo import GitRepo

pytestmark = [skip_in_forks, pytest.mark.slow, pytest.mark.forks]

SESSION = "test_makefile.py::test_readme_shows_current_prompts"
TABLE = "test_feature_files.py::test_feature_table_names_existing_files"
LAYERS = "test_sources.py::test_all_layers_have_the_same_files"
RESERVED = "test_slugs_of_direct_dependencies_are_reserved"
PATHS = "test_options.py::test_file_belongs_to_the_options_that_its_path_names"
COMMON = "test_options.py::test_files_of_every_project_are_listed"
CHANGED = "test_options.py::test_every_value_of_an_option_changes_the_project[ci]"
MATRIX = "test_options.py::test_option_that_changes_the_service_is_in_the_matrix"

#: For each page and step that can be forgotten: the fast tests that then fail, and their message.
OMISSIONS: dict[tuple[str, int], tuple[str, str]] = {
    ("other-defaults", 2): (SESSION, r"README\.md"),
    ("internal-index", 2): ("test_shared_values.py", r"ci\.yml contains"),
    ("internal-index", 3): ("test_shared_values.py", r"\.gitlab-ci\.yml contains"),
    ("internal-index", 4): ("test_shared_values.py", r"compose\.yaml contains"),
    ("add-an-option", 0): ("test_names.py", r"cookiecutter\.json has no sentry"),
    ("add-an-option", 1): (TABLE, r"app/components/sentry\.py, which does not exist"),
    ("add-an-option", 2): (TABLE, r"tests/test_sentry\.py, which does not exist"),
    ("add-an-option", 3): (PATHS, r"sentry\.py .*add it to feature_files\.txt"),
    ("add-an-option", 4): ("test_imports.py", r"pyproject\.toml"),
    ("add-an-option", 5): ("test_prompt_validation.py::" + RESERVED, r"reserved_packages\.txt"),
    ("add-an-option", 6): ("test_names.py", r"\.env\.example"),
    ("add-an-option", 7): (f"{MATRIX}[sentry]", r"tests/matrix\.py"),
    ("add-an-option", 8): ("test_docs.py", r"change the table of README\.md"),
    ("add-an-option", 9): (SESSION, r"README\.md"),
    ("remove-a-database-layer", 0): (LAYERS, r"_variants has one folder for each"),
    ("remove-a-database-layer", 1): (LAYERS, r"_variants has one folder for each"),
    ("remove-a-database-layer", 2): (
        "test_docs.py",
        r"(docs/\S+|Makefile): cookiecutter\.json has no",
    ),
    ("remove-a-database-layer", 3): (SESSION, r"README\.md"),
    ("remove-gitlab", 0): (CHANGED, r"ci=gitlab .*feature_files\.txt"),
    ("remove-gitlab", 1): (COMMON, r"feature_files\.txt or, if every"),
    ("remove-gitlab", 2): (TABLE, r"feature_files\.txt names \.gitlab-ci\.yml"),
    ("remove-gitlab", 3): ("test_docs.py", r"docs/non-interactive\.md: cookiecutter\.json has no"),
    ("remove-gitlab", 4): (SESSION, r"README\.md"),
    ("add-a-file", 0): (COMMON, r"tests/common_files\.txt names others"),
    ("add-a-file", 1): (COMMON, r"tests/common_files\.txt"),
    ("header", 0): ("test_header.py", r"scripts/add_header\.py"),
    ("header", 2): ("test_header.py", r"scripts/add_header\.py"),
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


def find_errors(fork: GitRepo, page: str, omitted: int, tests: str) -> str:
    """Take the steps of a page but one, and return the messages of all failures."""
    messages = []
    try:
        take_steps(fork, page, without=omitted)
    except pytest.fail.Exception as failure:
        messages.append(str(failure))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short"]
    done = Project(fork.path).try_to_run(*command, "-m", "not slow", f"tests/{tests}")
    messages += [line for line in done.stdout.splitlines() if line.startswith("E ")]
    return "\n".join(messages)


@pytest.mark.parametrize(("page", "step"), OMISSIONS)
def test_omitted_step_is_reported_with_the_file_to_change(
    page: str, step: int, tmp_path: Path
) -> None:
    tests, message = OMISSIONS[page, step]
    fork = create_fork(tmp_path)

    output = find_errors(fork, page, step, tests)

    assert re.search(message, output), output
