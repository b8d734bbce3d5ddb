"""Rendering is a pure function of the answers, and its output is clean before it is touched."""

import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from conftest import LAYERS, Bake, Project
from matrix import OPTIONS

# Legal answers that break what pastes them without quoting.
NASTY = r"""It's "quoted" \ back\slashed\n: # & <b> 'x' ${HOME} $(id) %s %(here)s {0} é 😀"""


def check_style(project: Project) -> None:
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache"],
            cwd=project.path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_layers_differ_in_nothing_but_the_database(bake: Bake) -> None:
    first, second = (bake(database_layer=layer) for layer in LAYERS)

    assert first.files() == second.files()
    different = {name for name in first.files() if first.read(name) != second.read(name)}
    assert {name for name in different if not name.startswith("app/db/")} == {
        "README.md",
        "docs/add-a-resource.md",
        "pyproject.toml",
        "tests/isolation.py",
    }


def test_the_metadata_differs_in_dependencies_and_greenlets(bake: Bake) -> None:
    first, second = (
        tomllib.loads(bake(database_layer=layer).read("pyproject.toml")) for layer in LAYERS
    )
    dependencies = [set(project["project"].pop("dependencies")) for project in (first, second)]
    # Measuring greenlets too costs a fifth of the tests' time, and only one layer has them.
    assert first["tool"]["coverage"]["run"].pop("concurrency") == ["greenlet", "thread"]

    assert first == second
    assert dependencies[0] < dependencies[1]


def test_free_text_reaches_toml_and_yaml_unchanged(bake: Bake) -> None:
    project = bake(
        project_name=NASTY, project_slug="nasty", project_description=NASTY, author_name=NASTY
    )

    metadata = tomllib.loads(project.read("pyproject.toml"))["project"]
    assert metadata["description"] == NASTY
    assert metadata["authors"][0]["name"] == NASTY
    for name in project.files():
        if name.endswith((".yml", ".yaml")):
            yaml.safe_load(project.read(name))
    assert f"# {NASTY}\n" in project.read("README.md")
    assert NASTY in project.read("LICENSE")


def test_free_text_reaches_no_python(bake: Bake) -> None:
    text = {
        name: f"xyzzy {name}" for name in ("project_name", "project_description", "author_name")
    }
    project = bake(**text, project_slug="my-service", author_email="xyzzy@example.com")

    assert not [
        name for name in project.files() if name.endswith(".py") and "xyzzy" in project.read(name)
    ]


@pytest.mark.parametrize("slug", ["a", "a" * 40])
def test_no_slug_changes_the_formatting(slug: str, bake: Bake) -> None:
    check_style(bake(project_slug=slug))


@pytest.mark.parametrize("slug", ["true", "null", "no", "e1"])
def test_no_slug_is_something_else_in_yaml(slug: str, bake: Bake) -> None:
    assert yaml.safe_load(bake(project_slug=slug).read("compose.yaml"))["name"] == slug


@pytest.mark.parametrize("license_name", OPTIONS["license"])
def test_the_license_is_the_chosen_one_and_has_no_date(license_name: str, bake: Bake) -> None:
    text = bake(license=license_name, author_name="Ada Lovelace").read("LICENSE")

    first_words = {
        "MIT": "MIT License",
        "Apache-2.0": "Apache License",
        "Proprietary": "Copyright (c) Ada",
    }
    assert text.strip().startswith(first_words[license_name])
    assert not re.search(r"\b20[12]\d\b", text)


@pytest.mark.parametrize("example", [True, False])
@pytest.mark.parametrize("layer", LAYERS)
def test_nothing_of_users_is_left_without_them(layer: str, example: bool, bake: Bake) -> None:
    project = bake(database_layer=layer, example=example, auth=False)
    traces = re.compile(
        r"argon2|pwdlib|jwt|python-multipart|\bAUTH_|AuthSettings|FORWARDED|/users|/auth|/notes",
        re.IGNORECASE,
    )

    for name in project.files():
        assert not traces.search(project.read(name)), name
