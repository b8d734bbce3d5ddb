"""The table of feature_files.txt, and that no file mentions a file of an unselected feature."""

import itertools
import re
from pathlib import Path, PurePosixPath

import pytest
from choices import CHOICES, Context
from conftest import LAYERS, SOURCES, Bake, Project
from generation import complete, post_hook
from matrix import (
    EVERYTHING,
    SERVICE_OPTIONS,
    all_files,
    combinations,
    expected_files,
    label,
    owning_features,
)

# Created by the owner, or by running the project.
CREATED_LATER = {".env", ".data", ".venv", "uv.lock", "kubernetes/secret.yaml", "secret.yaml"}
DOCUMENTS = {".md", ".yaml", ".yml", "Makefile", "Dockerfile", ".dockerignore", ".gitattributes"}


def test_file_of_several_features_is_in_projects_with_any_of_them() -> None:
    shared = {
        name: features
        for layer in LAYERS
        for name in all_files(layer)
        if len(features := owning_features(name)) > 1
    }
    for name, features in shared.items():
        for one, other in itertools.permutations(features, 2):
            assert not one.items() <= other.items(), f"feature_files.txt lists {name} twice"


def test_feature_table_names_existing_files() -> None:
    folders = [SOURCES, *(SOURCES / "_variants" / layer for layer in LAYERS)]
    for _, names in post_hook().FILES_BY_FEATURE:
        for name in names:
            assert any((folder / name).exists() for folder in folders), (
                f"feature_files.txt names {name}, which does not exist"
            )


@pytest.mark.parametrize(("option", "value"), [
    (option, value) for option, values in CHOICES.items() for value in values[1:]
])  # fmt: skip
def test_option_changes_only_the_files_that_depend_on_it(
    option: str, value: object, bake: Bake
) -> None:
    default = bake(**EVERYTHING | {option: CHOICES[option][0]})
    other = bake(**EVERYTHING | {option: value})

    changed = default.files() ^ other.files()

    others = {
        name for name in changed if not any(option in feature for feature in owning_features(name))
    }
    assert not others, f"feature_files.txt: these files do not belong to {option}"


def removed_files(context: Context) -> set[str]:
    """Return the files that only other projects of the same layer have."""
    return all_files(complete(context)["database_layer"]) - expected_files(context)


def mentions(text: str, name: str) -> bool:
    """Return whether `text` contains the file `name`, as a path or as a module."""
    module = name.removesuffix(".py").replace("/", ".")
    if name not in text and module not in text:
        # The regular expressions of all names would be compiled again for every file.
        return False
    return bool(re.search(rf"(?<![\w./-])({re.escape(name)}|{re.escape(module)})(?![\w/-])", text))


FEATURE_SETS = [
    *combinations(SERVICE_OPTIONS),
    *({"ci": value} for value in CHOICES["ci"]),
    *({"kubernetes": value} for value in CHOICES["kubernetes"]),
]


@pytest.mark.parametrize("context", FEATURE_SETS, ids=label)
def test_removed_files_are_not_mentioned(context: Context, bake: Bake) -> None:
    project = bake(**context)

    removed = {name for name in removed_files(context) if not name.endswith("__init__.py")}
    for name in project.files():
        text = project.read(name)
        found = [path for path in removed if mentions(text, path)]
        assert not found, f"{name} mentions files that this project does not have"


def paths_named(name: str, text: str) -> set[str]:
    """Return the paths of the project that a document, Dockerfile or ignore file contains."""
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
    """Return the two upper levels of the tree in the README."""
    tree = re.findall(r"\n\n```\n(.+?)\n```", text, re.DOTALL)[0]
    paths, folder = set(), ""
    for line in tree.splitlines():
        name = line.split()[0]
        folder = folder if line.startswith(" ") else name
        paths.add(name if name == folder else folder + name)
    return paths


def exists(project: Project, path: str, document: str) -> bool:
    """Return whether `path` exists, relative to the project or to the folder of `document`.

    A guide may show a file that the reader writes or generates.
    """
    folder = Path(project.path / document).parent
    is_written = re.search(rf"(Write|generated)\s`{re.escape(path)}`:", project.read(document))
    if path in CREATED_LATER or is_written:
        return True
    return (project.path / path).exists() or (folder / path).exists()


@pytest.mark.parametrize("context", FEATURE_SETS, ids=label)
def test_paths_in_documents_and_docker_files_exist(context: Context, bake: Bake) -> None:
    project = bake(**context)

    for name in project.files():
        if DOCUMENTS & {PurePosixPath(name).suffix, PurePosixPath(name).name}:
            for path in paths_named(name, project.read(name)):
                assert exists(project, path, document=name), f"{name} contains {path}"


def test_mentions_and_paths_are_recognized() -> None:
    assert mentions("see `app/api/routes/notes.py`.", "app/api/routes/notes.py")
    assert mentions("from app.api.routes.notes import router", "app/api/routes/notes.py")
    assert not mentions("app/api/routes/notes.pyc", "app/api/routes/notes.py")
    assert paths_named("a.md", "`a/b.py`, `x.yaml`, `make test`, `/livez`") == {"a/b.py", "x.yaml"}
    drawn = "A tree:\n\n```\na/    comment\n  b.py\n  c/d/  more\ne/\n```\n"
    assert paths_named("README.md", drawn) == {"a", "a/b.py", "a/c/d", "e"}
    assert paths_named("Dockerfile", "COPY a.ini uv.lock* ./\n") == {"a.ini", "uv.lock"}
