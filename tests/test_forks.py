"""The fast tests pass in a fork with other defaults, license texts, headers or fewer choices."""

import re
from pathlib import Path

import pytest
from choices import CHOICES, REFERENCE, reference_values
from forks import (
    Change,
    add_header,
    change_every_default,
    remove_choices,
    replace_license_texts,
    run_fast_tests,
)
from git_repo import copy_history

FORKS: dict[str, list[Change]] = {
    "other defaults": [change_every_default, replace_license_texts],
    "header": [add_header],
    "only async-session": [remove_choices("database_layer", "async-session")],
    "only databases": [remove_choices("database_layer", "databases")],
    "no gitlab": [remove_choices("ci", "github", "none")],
    "one python": [remove_choices("python_version", "3.12")],
    "proprietary": [remove_choices("license", "Proprietary")],
}


def test_values_of_tests_do_not_depend_on_the_order_of_choices() -> None:
    reordered = {name: values[::-1] for name, values in CHOICES.items()}

    assert reference_values(reordered) == REFERENCE


@pytest.mark.slow
@pytest.mark.forks
@pytest.mark.parametrize("changes", FORKS.values(), ids=FORKS)
def test_fast_tests_of_a_fork_pass(changes: list[Change], tmp_path: Path) -> None:
    fork = copy_history(tmp_path / "fork")
    for change in changes:
        change(fork)
    fork.commit("Change the template")

    output = run_fast_tests(fork)

    # Tests of choices that the fork has removed are skipped, and no others.
    reasons = re.findall(r"^SKIPPED \[\d+\] [^ ]+ (.*)$", output, re.MULTILINE)
    assert all(reason.startswith("cookiecutter.json has ") for reason in reasons), reasons
