"""All that can be answered, computed from the questions, and the files that belong to it."""

import itertools
import json
import tempfile
from collections.abc import Sequence
from contextlib import chdir
from functools import cache
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from allpairspy import AllPairs
from conftest import SOURCES, TEMPLATE, list_files
from cookiecutter.main import cookiecutter
from rendered_hooks import QUESTIONS, load_hook

Answers = dict[str, Any]

#: The questions with a few answers, the default first.
OPTIONS: dict[str, list[Any]] = {
    name: values if isinstance(values, list) else [values, not values]
    for name, values in QUESTIONS.items()
    if isinstance(values, list | bool) and not name.startswith("_")
}
#: Those that change the service itself; the others change what stands around it.
SERVICE_OPTIONS = [name for name in ("database_layer", "example", "auth") if name in OPTIONS]

#: The answers that make the most files.
FULL: Answers = {name: True for name in ("example", "auth", "kubernetes") if name in OPTIONS}


def combine(names: Sequence[str]) -> list[Answers]:
    """Every combination of the options `names`."""
    values = itertools.product(*(OPTIONS[name] for name in names))
    return [dict(zip(names, combination, strict=True)) for combination in values]


def pairs() -> list[Answers]:
    """Few combinations, in which any two answers to any two questions meet."""
    return [dict(zip(OPTIONS, values, strict=True)) for values in AllPairs(list(OPTIONS.values()))]


def label(answers: Answers) -> str:
    """The name of a combination in the reports of pytest."""
    return "-".join(
        str(value) if isinstance(value, str) else name if value else f"no_{name}"
        for name, value in answers.items()
    )


@cache
def post_hook() -> ModuleType:
    """The hook that chooses the files, with its table of them."""
    with tempfile.TemporaryDirectory() as folder:
        return load_hook(Path(folder), "post_gen_project")


def owners(name: str) -> list[Answers]:
    """The answers that the file `name` belongs to: `{}` is all projects, nothing is nobody."""
    path = PurePosixPath("/", name)
    found = [
        wanted
        for wanted, patterns in post_hook().FEATURES
        if any(part.match(f"/{pattern}") for part in (path, *path.parents) for pattern in patterns)
    ]
    # A line for more answers takes its files out of those for fewer.
    return [one for one in found if not any(one.items() < other.items() for other in found)]


def complete(answers: Answers) -> Answers:
    """All options: `answers`, and the default of each that they leave out."""
    return {name: values[0] for name, values in OPTIONS.items()} | answers


def possible_files(layer: str) -> set[str]:
    """Every file that a project of `layer` can have."""
    shared = {name for name in list_files(SOURCES) if not name.startswith("_variants/")}
    return shared | list_files(SOURCES / "_variants" / layer)


def expected_files(answers: Answers) -> set[str]:
    """The files that a project with `answers` has."""
    given = complete(answers)
    return {
        name
        for name in possible_files(given["database_layer"])
        if all(wanted.items() <= given.items() for wanted in owners(name))
    }


def bake_quickly(folder: Path, answers: Answers) -> Path:
    """Do what cookiecutter does, without a process for each hook."""
    config = folder / "cookiecutter.json"
    config.write_text(json.dumps({"replay_dir": str(folder / "replay")}), "utf-8")
    project = Path(
        cookiecutter(
            str(TEMPLATE),
            no_input=True,
            extra_context=answers,
            output_dir=str(folder / label(answers)),
            config_file=str(config),
            accept_hooks=False,
        )
    )
    with chdir(project):
        post_hook().choose_database_layer(complete(answers)["database_layer"])
        post_hook().drop_features(complete(answers))
    return project
