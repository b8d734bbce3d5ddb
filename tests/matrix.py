"""Options and their values, computed from the prompts, and the files that belong to them."""

import itertools
from collections.abc import Sequence
from pathlib import PurePosixPath

import pytest
from allpairspy import AllPairs
from choices import CHOICES, Context
from conftest import LAYERS, SOURCES, list_files
from generation import complete, post_hook

# One name a line: lines that a fork adds do not conflict with those of a release.
_SERVICE_OPTIONS = [
    "database_layer",
    "example",
    "auth",
    "jobs",
]
#: Options that change the service itself, rather than the files around it.
SERVICE_OPTIONS = [name for name in _SERVICE_OPTIONS if name in CHOICES]

#: For tests of what all layers share: `make test` runs them on one layer, `make test-options` on
#: the others.
ONE_LAYER = [*LAYERS[:1], *(pytest.param(layer, marks=pytest.mark.options) for layer in LAYERS[1:])]

#: Files that only one database layer needs. The others exist in both overlays.
ONLY_IN = {
    "async-session": {"tests/test_entities.py", "tests/writers/test_loaded_entities.py"},
    "databases": {"app/db/compilation.py", "app/db/driver.py", "app/db/execution.py"},
}

#: The options that generate the most files.
EVERYTHING: Context = {
    name: True for name, values in CHOICES.items() if isinstance(values[0], bool)
}


def combinations(names: Sequence[str]) -> list[Context]:
    """Return every combination of the options `names`."""
    values = itertools.product(*(CHOICES[name] for name in names))
    return [dict(zip(names, combination, strict=True)) for combination in values]


def pairwise(names: Sequence[str] = tuple(CHOICES)) -> list[Context]:
    """Return a few combinations that contain every pair of values of any two options."""
    pairs = AllPairs([CHOICES[name] for name in names])
    return [dict(zip(names, values, strict=True)) for values in pairs]


def label(context: Context) -> str:
    """Return the name of a combination in pytest's reports."""
    return "-".join(
        str(value) if isinstance(value, str) else name if value else f"no_{name}"
        for name, value in context.items()
    )


def owning_features(name: str) -> list[Context]:
    """Return the options of each feature that contains a file; none if every project has it.

    A project with any of them has the file. Fails if feature_files.txt lists it in another way.
    """
    path = PurePosixPath(name)
    listed: dict[str, list[Context]] = {}
    for required, names in post_hook().FILES_BY_FEATURE:
        for one in {name, *map(str, path.parents)} & {*names}:
            listed.setdefault(one, []).append(required)
    layers = [layer for layer in LAYERS if (SOURCES / "_variants" / layer / name).exists()]
    if not listed and len(layers) == 1 < len(LAYERS):
        return [{"database_layer": layers[0]}]
    *folders, own = [listed[one] for one in sorted(listed, key=len)] or [[]]
    for features in folders:
        is_clear = all(any(one.items() <= other.items() for one in features) for other in own)
        assert is_clear, f"feature_files.txt: a folder of {name} belongs to other features"
    return own


def all_files(layer: str) -> set[str]:
    """Return every file that a project of `layer` can have."""
    shared = {name for name in list_files(SOURCES) if not name.startswith("_")}
    return shared | list_files(SOURCES / "_variants" / layer)


def expected_files(context: Context) -> set[str]:
    """Return the files of a project that is generated with `context`."""
    options = complete(context)
    return {
        name
        for name in all_files(options["database_layer"])
        if not (features := owning_features(name))
        or any(required.items() <= options.items() for required in features)
    }
