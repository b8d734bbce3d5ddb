"""CI workflows and dependency updates of the template and of generated projects."""

import json
import re
import sys
from typing import Any

import pytest
import yaml
from choices import CHOICES
from conftest import TEMPLATE, Bake, Project

TEMPLATE_PROJECT = Project(TEMPLATE)


def read_yaml(project: Project, name: str) -> Any:
    return yaml.safe_load(project.read(name))


def test_long_jobs_of_the_template_wait_for_lint() -> None:
    jobs = read_yaml(TEMPLATE_PROJECT, ".github/workflows/ci.yml")["jobs"]

    assert "needs" not in jobs.pop("lint")
    assert {job["needs"] for job in jobs.values()} == {"lint"}


def test_nightly_workflow_runs_the_suites_that_make_test_leaves_out() -> None:
    job = read_yaml(TEMPLATE_PROJECT, ".github/workflows/nightly.yml")["jobs"]["test"]
    [targets] = re.findall(r"\ntest-all: test (.+?) ##", TEMPLATE_PROJECT.read("Makefile"))

    assert job["strategy"]["matrix"]["target"] == targets.split()


def test_every_test_runs_in_a_make_target() -> None:
    commands = r'(?:pytest|\$\(SLOW\))(?: .*)? -m "?(.+?)"?(?: --verbose)?\n'
    selected = re.findall(commands, TEMPLATE_PROJECT.read("Makefile"))
    others = f"not ({' or '.join(f'({expression})' for expression in selected)})"

    done = TEMPLATE_PROJECT.try_to_run(
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q"),
        *("-m", others),
    )

    assert len(selected) > 5, selected
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout


def test_github_cancels_only_superseded_pull_request_runs(bake: Bake) -> None:
    for project in (TEMPLATE_PROJECT, bake(ci="github")):
        concurrency = read_yaml(project, ".github/workflows/ci.yml")["concurrency"]

        assert concurrency["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
        # A separate group per commit on main, because a waiting run in a group can be replaced.
        assert "github.event.pull_request.number || github.sha" in concurrency["group"]


def test_gitlab_cancels_only_superseded_merge_request_pipelines(bake: Bake) -> None:
    pipeline = read_yaml(bake(ci="gitlab"), ".gitlab-ci.yml")

    merge_request, default_branch = pipeline["workflow"]["rules"]
    assert pipeline["default"]["interruptible"]
    assert "auto_cancel" not in merge_request
    assert default_branch["auto_cancel"] == {"on_new_commit": "none"}


def test_dependabot_waits_a_week_for_every_ecosystem(bake: Bake) -> None:
    for project, additional in ((TEMPLATE_PROJECT, set()), (bake(ci="github"), {"docker"})):
        updates = read_yaml(project, ".github/dependabot.yml")["updates"]

        found = {update["package-ecosystem"] for update in updates}
        assert found == {"github-actions", "uv"} | additional
        assert {update["cooldown"]["default-days"] for update in updates} == {7}
        for update in updates:
            for name in update.get("directories") or [update["directory"]]:
                assert (project.path / name.lstrip("/")).is_dir()


def test_renovate_waits_a_week_for_every_manager(bake: Bake) -> None:
    settings = json.loads(bake(ci="gitlab").read("renovate.json"))

    assert settings["minimumReleaseAge"] == "7 days"
    assert "enabledManagers" not in settings


@pytest.mark.parametrize("ci", CHOICES["ci"])
def test_update_config_matches_the_ci_provider(ci: str, bake: Bake) -> None:
    files = bake(ci=ci).files()

    assert (".github/dependabot.yml" in files) == (ci == "github")
    assert ("renovate.json" in files) == (ci == "gitlab")


def test_projects_use_the_same_actions_as_the_template(bake: Bake) -> None:
    ours, theirs = (
        set(re.findall(r"uses: (\S+) +# (\S+)", project.read(".github/workflows/ci.yml")))
        for project in (TEMPLATE_PROJECT, bake(ci="github"))
    )

    assert theirs
    assert theirs <= ours
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action, _ in ours)
