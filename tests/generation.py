"""Projects generated in this process, instead of a process for cookiecutter and for each hook."""

import json
import logging
import tempfile
from contextlib import chdir
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from choices import CHOICES, REFERENCE, TEMPLATE, Context
from cookiecutter.main import cookiecutter
from rendered_hooks import load_hook

# Otherwise, pytest would show hundreds of lines of its log for a failed test.
logging.getLogger("cookiecutter").propagate = False


class Contents(NamedTuple):
    """The name of a generated project, and the contents of its files."""

    slug: str
    files: dict[str, bytes]


@cache
def post_hook() -> ModuleType:
    """Return the hook that selects the files, and contains their table."""
    with tempfile.TemporaryDirectory() as folder:
        return load_hook(Path(folder), "post_gen_project")


def complete(context: Context) -> Context:
    """Return the value of every option: `context`, and the reference values of the others."""
    return {name: REFERENCE[name] for name in CHOICES} | context


def generate(folder: Path, context: Context) -> Path:
    """Generate the same project as cookiecutter in `folder`, and return its path.

    The prompts that `context` does not name have their reference values.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "cookiecutter.json"
    config.write_text(json.dumps({"replay_dir": str(folder / "replay")}), "utf-8")
    project = Path(
        cookiecutter(
            str(TEMPLATE),
            no_input=True,
            extra_context=REFERENCE | context,
            output_dir=str(folder),
            config_file=str(config),
            accept_hooks=False,
        )
    )
    with chdir(project):
        post_hook().clean_files()
        post_hook().apply_overlay(complete(context)["database_layer"])
        post_hook().remove_unselected_features(complete(context))
    return project


def generate_contents(**context: Any) -> Contents:
    """Return the contents of a project, which is generated the first time.

    Deleting thousands of files at the end of all tests would take longer than the tests.
    """
    return _generate_contents(json.dumps(context, sort_keys=True))


@cache
def _generate_contents(values: str) -> Contents:
    with tempfile.TemporaryDirectory() as folder:
        path = generate(Path(folder), json.loads(values))
        files = {
            file.relative_to(path).as_posix(): file.read_bytes()
            for file in path.rglob("*")
            if file.is_file()
        }
    return Contents(path.name, files)
