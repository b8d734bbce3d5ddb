"""The Docker image, the compose file and the Kubernetes manifests."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from choices import CHOICES
from conftest import Bake, Project
from shared_environment import install


def read_manifest(project: Project, name: str) -> Any:
    return yaml.safe_load(project.read(f"kubernetes/{name}.yaml"))


def stages(project: Project) -> list[str]:
    """Return the stages of the Dockerfile, without comments."""
    text = re.sub(r"^#.*\n", "", project.read("Dockerfile"), flags=re.MULTILINE)
    return re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]


def test_copied_files_are_readable_and_only_writable_by_root(bake: Bake) -> None:
    project = bake()

    copied = re.findall(r"^COPY (?!--from)(.+)", stages(project)[-1], re.MULTILINE)

    assert copied
    for line in copied:
        mode, source = re.fullmatch(r"--chmod=(\d+) (\S+) \S+", line).groups()  # type: ignore[union-attr]
        is_folder = (project.path / source).is_dir()
        assert int(mode, 8) == (0o755 if is_folder else 0o644), line


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the commands of the image need Linux")
@pytest.mark.parametrize("is_locked", [True, False])
def test_new_version_keeps_cached_dependencies(
    bake: Bake, tmp_path: Path, *, is_locked: bool
) -> None:
    project = bake()
    manifest, build = stages(project)[1:3]
    [command] = re.findall(r"^RUN (.+)", manifest, re.MULTILINE)
    assert "COPY --from=manifest /service ./\nRUN if [ -f uv.lock ]; then uv sync --locked" in build
    copies = (tmp_path / str(number) for number in range(9))

    def prepare() -> Path:
        """Run the first stage and return its folder."""
        folder = next(copies)
        folder.mkdir()
        for path in (project.path / name for name in ("pyproject.toml", "uv.lock")):
            if path.exists():
                shutil.copy(path, folder)
        subprocess.run(["sh", "-c", command], cwd=folder, check=True)
        return folder

    def contents() -> dict[str, str]:
        return {path.name: path.read_text("utf-8") for path in prepare().iterdir()}

    if is_locked:
        project.run("uv", "lock", "--quiet")
        # The first change reorders the markers of a fresh lock file, the following ones do not.
        project.run("uv", "version", "--no-sync", "1.0.0")
    before = contents()
    assert len(before) == (2 if is_locked else 1)

    project.run("uv", "version", "--frozen", "2.0.0")

    assert contents() == before
    if is_locked:
        project.run("uv", "sync", "--locked", "--no-dev", "--dry-run", cwd=prepare())
        project.run("uv", "lock", "--quiet")
        assert contents() == before

        project.run("uv", "add", "--frozen", "tomli>=2")
        outdated = ["uv", "sync", "--locked", "--no-dev", "--dry-run"]
        assert project.try_to_run(*outdated, cwd=prepare()).returncode != 0


@pytest.mark.parametrize("auth", [True, False])
def test_compose_commands_require_no_variables(bake: Bake, *, auth: bool) -> None:
    assert not re.search(r"\$\{\w+:?\?", bake(auth=auth).read("compose.yaml"))


@pytest.mark.slow
def test_missing_secrets_are_reported_by_the_migrations(bake: Bake) -> None:
    project = bake()
    install(project)
    services = yaml.safe_load(project.read("compose.yaml"))["services"]
    migrations, condition = services["migrations"], "service_completed_successfully"
    assert services["service"]["depends_on"] == {"migrations": {"condition": condition}}
    unset = {
        name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", str(value))
        for name, value in migrations["environment"].items()
    }

    done = project.try_to_run(
        "uv", "run", "--quiet", *migrations["command"],
        variables={"ENVIRONMENT": "production", **unset},
    )  # fmt: skip

    assert done.returncode != 0
    assert "AUTH_SECRETS is missing" in done.stdout


def test_all_containers_have_the_same_environment(bake: Bake) -> None:
    project = bake(kubernetes=True, jobs=True)

    [service], [migrations], [worker] = (
        read_manifest(project, name)["spec"]["template"]["spec"]["containers"]
        for name in ("deployment", "migrations", "worker")
    )

    assert len(service["envFrom"]) == 2
    assert migrations["envFrom"] == worker["envFrom"] == service["envFrom"]
    assert "env" not in migrations.keys() | worker.keys() | service.keys()


def test_migration_job_of_previous_release_is_replaced(bake: Bake) -> None:
    project = bake(kubernetes=True)
    job = read_manifest(project, "migrations")
    page = project.read("docs/operations.md")
    commands = re.findall(r"^\$ kubectl (.+)", page, re.MULTILINE)

    # Argo CD and Flux would create an expired Job again.
    assert "ttlSecondsAfterFinished" not in job["spec"]
    assert commands[-2:] == [
        f"delete job {job['metadata']['name']} --ignore-not-found",
        "apply --kustomize kubernetes",
    ]
    assert job["metadata"]["annotations"] == {
        "argocd.argoproj.io/hook": "Sync",
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
        "kustomize.toolkit.fluxcd.io/force": "enabled",
    }


def probes(project: Project, manifest: str) -> Iterator[tuple[str, int, Any]]:
    """Yield the name of each probe, the seconds until it has failed, and the probe."""
    [container] = read_manifest(project, manifest)["spec"]["template"]["spec"]["containers"]
    for name in ("startup", "liveness", "readiness"):
        probe = container[f"{name}Probe"]
        yield name, probe["periodSeconds"] * probe["failureThreshold"], probe


@pytest.mark.parametrize("manifest", ["deployment", "worker"])
def test_probes_tolerate_slow_starts_and_responses(manifest: str, bake: Bake) -> None:
    project = bake(kubernetes=True, jobs=True)
    found = {name: (seconds, probe) for name, seconds, probe in probes(project, manifest)}

    assert found["startup"][0] >= 60
    assert found["liveness"][0] >= 30
    for name, (_, probe) in found.items():
        # The service reports an unresponsive database within two seconds.
        assert probe["timeoutSeconds"] > 2
        assert probe["failureThreshold"] >= 3
        assert probe["httpGet"]["path"] == ("/readyz" if name == "readiness" else "/livez")


def test_unready_pods_do_not_block_drains_and_pods_are_spread(
    bake: Bake,
) -> None:
    project = bake(kubernetes=True)
    budget = read_manifest(project, "disruption-budget")["spec"]
    deployment = read_manifest(project, "deployment")["spec"]

    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    spread = deployment["template"]["spec"]["topologySpreadConstraints"]
    assert {one["topologyKey"].partition("/")[0] for one in spread} == {
        "kubernetes.io",
        "topology.kubernetes.io",
    }
    for selector in (budget["selector"], *(one["labelSelector"] for one in spread)):
        assert selector == deployment["selector"]


def test_dev_container_has_python_of_image_and_uv(bake: Bake) -> None:
    version = CHOICES["python_version"][-1]
    project = bake(python_version=version)

    container = json.loads(project.read(".devcontainer/devcontainer.json"))

    assert container["image"].endswith(f":{version}")
    assert container["postCreateCommand"] == "uv sync"
    assert any(name.partition(":")[0].endswith("/uv") for name in container["features"])
