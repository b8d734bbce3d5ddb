"""Every file of a project is somebody's, and nobody speaks of files that are not there."""

import re
from pathlib import Path, PurePosixPath

import pytest
from conftest import LAYERS, SOURCES, Bake, Project
from matrix import (
    CHOICES,
    EVERYTHING,
    SERVICE_OPTIONS,
    Context,
    all_files,
    combinations,
    expected_files,
    label,
    owning_features,
    post_hook,
)

# What is made by a person, or by running the project.
CREATED_LATER = {".env", ".data", ".venv", "uv.lock", "kubernetes/secret.yaml", "secret.yaml"}
DOCUMENTS = {".md", ".yaml", ".yml", "Makefile", "Dockerfile", ".dockerignore", ".gitattributes"}


def is_owned_by_a_layer(name: str) -> bool:
    return all((SOURCES / "_variants" / layer / name).exists() for layer in LAYERS)


def test_every_file_is_somebodys_and_only_one_answers() -> None:
    for name in {name for layer in LAYERS for name in all_files(layer)}:
        if found := owning_features(name):
            assert len(found) == 1, f"{name} belongs to {found}"
        else:
            assert is_owned_by_a_layer(name), f"{name} is nobody's"


def test_every_line_of_the_table_names_answers_that_exist_and_files_that_exist() -> None:
    for wanted, patterns in post_hook().FILES_BY_FEATURE:
        assert all(value in CHOICES[name] for name, value in wanted.items())
        for pattern in patterns:
            folders = [SOURCES, *(SOURCES / "_variants" / layer for layer in LAYERS)]
            assert [path for folder in folders for path in folder.glob(pattern)], pattern


@pytest.mark.parametrize(("option", "value"), [
    (option, value) for option, values in CHOICES.items() for value in values[1:]
])  # fmt: skip
def test_an_answer_changes_the_files_that_are_its_own_and_no_others(
    option: str, value: object, bake: Bake
) -> None:
    default, other = bake(**EVERYTHING), bake(**EVERYTHING | {option: value})

    changed = default.files() ^ other.files()

    assert all(any(option in wanted for wanted in owning_features(name)) for name in changed)


def removed(answers: Context) -> set[str]:
    """Files that other projects of the same layer have."""
    layer = answers.get("database_layer", LAYERS[0])
    return all_files(layer) - expected_files(answers)


def mentions(text: str, name: str) -> bool:
    """Whether `text` speaks of the file `name`, as a path or as a module."""
    module = name.removesuffix(".py").replace("/", ".")
    return bool(re.search(rf"(?<![\w./-])({re.escape(name)}|{re.escape(module)})(?![\w/-])", text))


FEATURE_SETS = [
    *combinations(SERVICE_OPTIONS),
    *({"ci": value} for value in CHOICES["ci"]),
    *({"kubernetes": value} for value in CHOICES["kubernetes"]),
]


@pytest.mark.parametrize("answers", FEATURE_SETS, ids=label)
def test_nothing_speaks_of_a_file_that_is_not_there(answers: Context, bake: Bake) -> None:
    project = bake(**answers)

    gone = {name for name in removed(answers) if not name.endswith("__init__.py")}
    for name in project.files():
        text = project.read(name)
        assert not [path for path in gone if mentions(text, path)], name


def paths_named(name: str, text: str) -> set[str]:
    """What a document or a list of commands calls a file or a folder of the project."""
    quoted = set(re.findall(r"`([\w.-]*[\w./-]+/[\w./-]*|[\w-]+\.(?:ya?ml|md|toml|py))`", text))
    if name == "Dockerfile":
        copied = re.findall(r"^COPY (?:--chmod=\d+ )?(?!--)(.+) \S+$", text, re.MULTILINE)
        quoted |= {path.rstrip("*") for line in copied for path in line.split()}
    if name.endswith(".dockerignore"):
        quoted |= set(re.findall(r"^!(.+)$", text, re.MULTILINE))
    if name == "README.md":
        quoted |= paths_drawn(text)
    return {path.rstrip("/") for path in quoted if not path.startswith("/")}


def paths_drawn(text: str) -> set[str]:
    """The folders at the margin of a tree, and what is drawn one step inside them."""
    tree = re.findall(r"\n\n```\n(.+?)\n```", text, re.DOTALL)[0]
    paths, folder = set(), ""
    for line in tree.splitlines():
        name = line.split()[0]
        folder = folder if line.startswith(" ") else name
        paths.add(name if name == folder else folder + name)
    return paths


def exists(project: Project, path: str, beside: str) -> bool:
    folder = Path(project.path / beside).parent
    if path in CREATED_LATER or (beside.startswith("docs/add-a-") and path.endswith("tags.py")):
        return True
    return (project.path / path).exists() or (folder / path).exists()


@pytest.mark.parametrize("answers", FEATURE_SETS, ids=label)
def test_every_path_in_documents_and_container_files_exists(answers: Context, bake: Bake) -> None:
    project = bake(**answers)

    for name in project.files():
        if DOCUMENTS & {PurePosixPath(name).suffix, PurePosixPath(name).name}:
            for path in paths_named(name, project.read(name)):
                assert exists(project, path, beside=name), f"{name} names {path}"


def test_the_finder_of_mentions_finds_them() -> None:
    assert mentions("see `app/api/routes/notes.py`.", "app/api/routes/notes.py")
    assert mentions("from app.api.routes.notes import router", "app/api/routes/notes.py")
    assert not mentions("app/api/routes/notes.pyc", "app/api/routes/notes.py")
    assert paths_named("a.md", "`a/b.py`, `x.yaml`, `make test`, `/livez`") == {"a/b.py", "x.yaml"}
    drawn = "A tree:\n\n```\na/    what is in a\n  b.py\n  c/d/  more\ne/\n```\n"
    assert paths_named("README.md", drawn) == {"a", "a/b.py", "a/c/d", "e"}
    assert paths_named("Dockerfile", "COPY a.ini uv.lock* ./\n") == {"a.ini", "uv.lock"}
