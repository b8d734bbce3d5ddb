"""Which commits the pipelines test, and what keeps their parts up to date."""

import json
import re
from typing import Any

import pytest
import yaml
from conftest import TEMPLATE, Bake, Project

HERE = Project(TEMPLATE)


def read_yaml(project: Project, name: str) -> Any:
    return yaml.safe_load(project.read(name))


def test_only_runs_of_a_pull_request_are_cancelled(bake: Bake) -> None:
    for project in (HERE, bake(ci="github")):
        concurrency = read_yaml(project, ".github/workflows/ci.yml")["concurrency"]

        assert concurrency["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
        # A group of its own for each commit on main: one that waits in a group can be replaced.
        assert "github.event.pull_request.number || github.sha" in concurrency["group"]


def test_only_pipelines_of_a_merge_request_are_cancelled(bake: Bake) -> None:
    pipeline = read_yaml(bake(ci="gitlab"), ".gitlab-ci.yml")

    merge_request, default_branch = pipeline["workflow"]["rules"]
    assert pipeline["default"]["interruptible"]
    assert "auto_cancel" not in merge_request
    assert default_branch["auto_cancel"] == {"on_new_commit": "none"}


def test_dependabot_updates_everything_once_it_is_a_week_old(bake: Bake) -> None:
    for project, wanted in ((HERE, set()), (bake(ci="github"), {"docker"})):
        updates = read_yaml(project, ".github/dependabot.yml")["updates"]

        found = {update["package-ecosystem"] for update in updates}
        assert found == {"github-actions", "uv"} | wanted
        assert {update["cooldown"]["default-days"] for update in updates} == {7}
        for update in updates:
            for name in update.get("directories") or [update["directory"]]:
                assert (project.path / name.lstrip("/")).is_dir()


def test_renovate_updates_everything_once_it_is_a_week_old(bake: Bake) -> None:
    settings = json.loads(bake(ci="gitlab").read("renovate.json"))

    assert settings["minimumReleaseAge"] == "7 days"
    assert "enabledManagers" not in settings


@pytest.mark.parametrize("ci", ["github", "gitlab", "none"])
def test_a_project_has_the_file_of_its_own_service_only(ci: str, bake: Bake) -> None:
    files = bake(ci=ci).files()

    assert (".github/dependabot.yml" in files) == (ci == "github")
    assert ("renovate.json" in files) == (ci == "gitlab")


def test_projects_use_the_actions_of_the_template(bake: Bake) -> None:
    ours, theirs = (
        set(re.findall(r"uses: (\S+) +# (\S+)", project.read(".github/workflows/ci.yml")))
        for project in (HERE, bake(ci="github"))
    )

    assert theirs
    assert theirs <= ours
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action, _ in ours)
