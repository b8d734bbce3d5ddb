"""Changes that turn a clone of this template into a fork, and the fast tests of a fork."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from typing import Any

from conftest import SOURCES, Project
from git_repo import GitRepo

HEADER = "# Copyright (c) The Team.\n# SPDX-License-Identifier: LicenseRef-The-Team\n"
Change = Callable[[GitRepo], None]


def edit_config(fork: GitRepo, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the prompts in cookiecutter.json, and update the documents that show them."""
    file = fork.path / "cookiecutter.json"
    config = json.loads(file.read_text("utf-8"))
    change(config)
    file.write_text(json.dumps(config, indent=4, ensure_ascii=False) + "\n", "utf-8")
    Project(fork.path).run(sys.executable, "scripts/update_readme.py")


def change_every_default(fork: GitRepo) -> None:
    """Change the default of every prompt, and thereby the order of all choices."""

    def change(config: dict[str, Any]) -> None:
        for name, value in config.items():
            if isinstance(value, bool):
                config[name] = not value
            elif isinstance(value, list) and not name.startswith("_"):
                value.reverse()
        config |= {
            "project_name": "Team Service",
            "project_description": "One of our services.",
            "author_name": "The Team",
            "author_email": "team@example.com",
        }

    edit_config(fork, change)


def replace_license_texts(fork: GitRepo) -> None:
    """Replace the text of every license."""
    for file in (fork.path / "templates" / "licenses").iterdir():
        # Different texts, as each choice of an option must change the project.
        text = f"Internal, not {file.stem}. Ask {{{{ cookiecutter.author_name }}}}.\n"
        file.write_text(text, "utf-8")


def add_header(fork: GitRepo) -> None:
    """Add a header of two lines to every Python file."""
    for file in fork.path.rglob("*.py"):
        if ".venv" not in file.parts:
            text = file.read_text("utf-8")
            file.write_text(HEADER + text, "utf-8")


def remove_choices(option: str, *kept: str) -> Change:
    """Return a change that removes all choices of `option` but `kept`."""

    def remove(fork: GitRepo) -> None:
        removed: set[str] = set()

        def change(config: dict[str, Any]) -> None:
            removed.update(set(config[option]) - {*kept})
            config[option] = [*kept]
            for choice in removed:
                labels = config["__prompts__"][option]
                if isinstance(labels, dict):
                    labels.pop(choice, None)

        edit_config(fork, change)
        for choice in removed:
            remove_files(fork, option, choice)
            remove_mentions(fork, option, choice)

    return remove


def remove_files(fork: GitRepo, option: str, choice: str) -> None:
    """Remove the files of a choice, and its entry in feature_files.txt."""
    if option == "database_layer":
        shutil.rmtree(fork.path / SOURCES.name / "_variants" / choice)
    elif option == "license":
        (fork.path / "templates" / "licenses" / choice).unlink()
    elif option == "ci" and choice == "gitlab":
        for name in (".gitlab-ci.yml", "renovate.json"):
            (fork.path / SOURCES.name / name).unlink()
    table = fork.path / "feature_files.txt"
    entry = re.compile(rf"^\[{option}={choice}\]\n(.+\n)*\n?", re.MULTILINE)
    table.write_text(entry.sub("", table.read_text("utf-8")), "utf-8")


def remove_mentions(fork: GitRepo, option: str, choice: str) -> None:
    """Remove a choice from the pages and the settings that name it."""
    for path in [*fork.path.glob("*.md"), *fork.path.glob("docs/*.md"), fork.path / "Makefile"]:
        text = path.read_text("utf-8")
        changed = re.sub(rf'^  "?{option}"?: {choice}\n', "", text, flags=re.MULTILINE)
        changed = re.sub(rf" ?(DATABASE_LAYER|{option})={choice}\b", "", changed)
        paragraph = rf"^\*\*`{choice}`\*\*:.*?\n\n"
        changed = re.sub(paragraph, "", changed, flags=re.MULTILINE | re.DOTALL)
        if path.name != "CHANGELOG.md" and changed != text:
            path.write_text(changed, "utf-8")


def run_fast_tests(fork: GitRepo, *arguments: str) -> str:
    """Run the fast tests of a fork and return their output; fail the test if they fail."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs"]
    return Project(fork.path).run(*command, "-m", "not slow", *arguments).stdout
