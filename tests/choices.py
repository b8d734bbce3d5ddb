"""The prompts of this template, their values, and the values that tests use.

All of it is read from `cookiecutter.json`, so that the tests also pass in a fork with other
defaults, another order of choices, or fewer choices.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

Context = dict[str, Any]

TEMPLATE = Path(__file__).resolve().parent.parent
CONTEXT: Context = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))

#: The values of each prompt that offers a choice, the default first.
CHOICES: dict[str, list[Any]] = {
    name: values if isinstance(values, list) else [values, not values]
    for name, values in CONTEXT.items()
    if isinstance(values, list | bool) and not name.startswith("_")
}

_PREFERRED: Context = {
    "database_layer": "async-session",
    "example": True,
    "auth": True,
    "jobs": True,
    "python_version": "3.13",
    "ci": "github",
    "kubernetes": False,
    "license": "MIT",
}


def reference_values(choices: Mapping[str, list[Any]]) -> Context:
    """Return a value for each prompt that depends neither on its default nor on their order."""
    return {
        "project_name": "My Service",
        "project_description": "An async service on FastAPI and PostgreSQL.",
        "author_name": "Ada Lovelace",
        "author_email": "ada@example.com",
        **{
            name: _PREFERRED[name] if _PREFERRED.get(name) in values else min(values)
            for name, values in choices.items()
        },
    }


#: The values for which a test does not name others.
REFERENCE = reference_values(CHOICES)


def skip_without_choices(context: Mapping[str, object]) -> None:
    """Skip the test if a value in `context` is not a choice, because a fork has removed it."""
    for name, value in context.items():
        if name in CHOICES.keys() | _PREFERRED.keys() and value not in CHOICES.get(name, []):
            pytest.skip(f"cookiecutter.json has no choice {value!r} of {name}")
