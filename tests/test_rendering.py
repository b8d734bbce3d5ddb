"""Generated files: differences between options, valid syntax and style, and escaped text."""

import re
import subprocess
import sys
import tomllib
from itertools import pairwise

import pytest
import yaml
from choices import CHOICES
from conftest import LAYERS, TEMPLATE, Bake, Project, needs_two_layers
from matrix import ONLY_IN

# Valid text that breaks files in which it is not escaped.
TRICKY_TEXT = r"""It's "quoted" \ back\slashed\n: # & <b> 'x' ${HOME} $(id) %s %(here)s {0} é 😀"""


def check_style(project: Project) -> None:
    """Fail unless ruff accepts every file, with the settings of the project."""
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache"],
            cwd=project.path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@needs_two_layers
def test_layers_differ_only_in_database_files(bake: Bake) -> None:
    first, second = (bake(database_layer=layer) for layer in LAYERS)

    assert first.files() ^ second.files() == set().union(*ONLY_IN.values())
    common = first.files() & second.files()
    different = {name for name in common if first.read(name) != second.read(name)}
    assert {name for name in different if not name.startswith("app/db/")} == {
        "README.md",
        "dev/resource/templates/model.py.mako",
        "dev/resource/templates/repository.py.mako",
        "docs/add-a-resource.md",
        "docs/auth-recipes.md",
        "docs/cookbook.md",
        "pyproject.toml",
        "tests/isolation.py",
        "tests/writers/models.py",
    }


@needs_two_layers
def test_project_metadata_differs_in_dependencies_and_greenlet_coverage(bake: Bake) -> None:
    first, second = (
        tomllib.loads(bake(database_layer=layer).read("pyproject.toml"))
        for layer in ("async-session", "databases")
    )
    dependencies = [set(project["project"].pop("dependencies")) for project in (first, second)]
    # Only this layer uses greenlets, and measuring them costs a fifth of the tests' time.
    assert first["tool"]["coverage"]["run"].pop("concurrency") == ["greenlet", "thread"]

    assert first == second
    assert dependencies[0] < dependencies[1]


def test_free_text_reaches_toml_and_yaml_unchanged(bake: Bake) -> None:
    project = bake(
        project_name=TRICKY_TEXT,
        project_slug="tricky",
        kubernetes=True,
        project_description=TRICKY_TEXT,
        author_name=TRICKY_TEXT,
    )

    metadata = tomllib.loads(project.read("pyproject.toml"))["project"]
    assert metadata["description"] == TRICKY_TEXT
    assert metadata["authors"][0]["name"] == TRICKY_TEXT
    for name in project.files():
        if name.endswith((".yml", ".yaml")):
            yaml.safe_load(project.read(name))
    assert f"# {TRICKY_TEXT}\n" in project.read("README.md")


def test_free_text_is_not_in_python_files(bake: Bake) -> None:
    text = {
        name: f"xyzzy {name}" for name in ("project_name", "project_description", "author_name")
    }
    project = bake(**text, project_slug="my-service", author_email="xyzzy@example.com")

    assert not [
        name for name in project.files() if name.endswith(".py") and "xyzzy" in project.read(name)
    ]


@pytest.mark.parametrize("slug", ["a", "a" * 40])
def test_length_of_the_slug_does_not_change_the_formatting(slug: str, bake: Bake) -> None:
    check_style(bake(project_slug=slug))


@pytest.mark.parametrize("slug", ["true", "null", "no", "e1"])
def test_slug_is_text_in_yaml(slug: str, bake: Bake) -> None:
    assert yaml.safe_load(bake(project_slug=slug).read("compose.yaml"))["name"] == slug


def test_every_license_has_a_text() -> None:
    texts = {path.name for path in (TEMPLATE / "templates" / "licenses").iterdir()}

    assert texts == {*CHOICES["license"]}, "cookiecutter.json and templates/licenses differ"


@pytest.mark.parametrize("license_name", CHOICES["license"])
def test_selected_license_is_generated_with_the_name_of_the_author(
    license_name: str, bake: Bake
) -> None:
    source = (TEMPLATE / "templates" / "licenses" / license_name).read_text("utf-8")

    text = bake(license=license_name, author_name=TRICKY_TEXT).read("LICENSE")

    assert text.strip() == source.replace("{{ cookiecutter.author_name }}", TRICKY_TEXT).strip()


@pytest.mark.parametrize("example", [True, False])
@pytest.mark.parametrize("layer", LAYERS)
def test_project_without_auth_does_not_mention_users(layer: str, example: bool, bake: Bake) -> None:
    project = bake(database_layer=layer, example=example, auth=False)
    traces = re.compile(
        r"argon2|pwdlib|jwt|python-multipart|(?-i:\bAUTH_)|AuthSettings|FORWARDED"
        r"|/users|/auth|/notes",
        re.IGNORECASE,
    )

    # The cookbook adds python-multipart for an upload.
    for name in project.files() - {"docs/cookbook.md"}:
        assert not traces.search(project.read(name)), name
    cookbook = project.read("docs/cookbook.md").replace("python-multipart", "")
    assert not traces.search(cookbook)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(
    "context", [{}, {"auth": False}, {"jobs": False}, {"example": False}], ids=str
)
def test_headings_and_tables_of_documents_are_between_blank_lines(
    layer: str, context: dict[str, bool], bake: Bake
) -> None:
    project = bake(database_layer=layer, **context)

    for name in project.files():
        if not name.endswith(".md"):
            continue
        text = re.sub(r"^```.*?^```$", "", project.read(name), flags=re.MULTILINE | re.DOTALL)
        for before, line in pairwise(text.split("\n")):
            assert not (before and line.startswith("#")), f"{name}: {line}"
            is_table = before.startswith("|"), line.startswith("|")
            assert not (before and line and is_table[0] != is_table[1]), f"{name}: {line}"
