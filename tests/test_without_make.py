"""Printed and documented commands work without make and in every shell."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import LAYERS, TEMPLATE, Bake, Project, clean_environment
from test_post_gen_hook import run_hook

ROW = re.compile(r"^\| (?:`(?P<target>make .+?)` )?\| `(?P<command>uv run .+)` \|$", re.MULTILINE)
# Programs with the same name and options on every system.
PORTABLE = {"docker", "kubectl", "make", "uv", "uvx"}


def read_table(project: Project) -> dict[str, list[str]]:
    """Return the commands of each make target in the README."""
    table: dict[str, list[str]] = {}
    for row in ROW.finditer(project.read("README.md")):
        target = row["target"] or list(table)[-1]
        table.setdefault(target, []).append(row["command"])
    return table


def recorded_arguments(project: Project, folder: Path, command: str) -> list[list[str]]:
    """Run a shell command with a fake `uv`, and return the arguments of each call."""
    uv = folder / "uv"
    program = "import json, sys\nprint(json.dumps(sys.argv[1:]))\n"
    uv.write_text(f"#!{sys.executable}\n{program}", "utf-8")
    uv.chmod(0o755)
    search_path = os.pathsep.join([str(folder), os.environ["PATH"]])
    done = subprocess.run(
        [shutil.which("sh") or "sh", "-c", command],
        cwd=project.path,
        env={**clean_environment(), "PATH": search_path},
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(os.name == "nt", reason="the Makefile is for Linux and macOS")
def test_readme_has_commands_of_every_target(bake: Bake, tmp_path: Path) -> None:
    project = bake()
    table = read_table(project)

    for target, commands in table.items():
        typed = [recorded_arguments(project, tmp_path, command)[0] for command in commands]
        assert typed == recorded_arguments(project, tmp_path, f"{target} --silent"), target

    [targets] = re.findall(r"^\.PHONY: (.+)$", project.read("Makefile"), re.MULTILINE)
    # `make help` has no equivalent.
    assert {target.split()[1] for target in table} == set(targets.split()) - {"help"}


def test_message_after_generation_has_commands_of_readme(bake: Bake) -> None:
    project = bake()
    table = read_table(project)

    commands = re.findall(r"^    (uv run .+)$", run_hook(project.path), re.MULTILINE)

    assert commands == [*table["make run"], *table["make test"]]


@pytest.mark.parametrize("layer", LAYERS)
def test_documented_commands_work_in_every_shell(layer: str, bake: Bake) -> None:
    project = bake(database_layer=layer, kubernetes=True)
    for name in sorted(project.files()):
        if name.endswith(".md"):
            page = project.read(name)
            for block in re.finditer(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
                before = page[: block.start()].rstrip()
                if "POSIX shell" in before.rpartition("\n\n")[2]:
                    # An alternative in the browser is documented first.
                    assert "`/docs`" in before
                    continue
                for command in re.findall(r"^\$ (.+)$", block[1], re.MULTILINE):
                    assert shlex.split(command)[0] in PORTABLE, f"{name}: {command}"
                    assert not re.search(r"\$|[<>`|]|\\$", command), f"{name}: {command}"


def test_secrets_of_compose_are_not_exported(bake: Bake) -> None:
    for name in ("README.md", "compose.yaml", ".env.example"):
        assert "export " not in bake().read(name)


def test_template_readme_has_commands_without_make(bake: Bake) -> None:
    page = (TEMPLATE / "README.md").read_text("utf-8")
    table = read_table(bake())

    for command in ["uvx cookiecutter ", *table["make run"], *table["make test"]]:
        assert f"\n    {command}" in page
