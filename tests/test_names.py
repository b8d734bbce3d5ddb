"""Names in shared files have a counterpart: prompts in cookiecutter.json, settings in classes."""

import ast
import re
from pathlib import Path

from choices import CONTEXT
from conftest import SOURCES, list_files

# Set only in `make run` and in tests.
OTHER_VARIABLES = {"HOST", "PORT", "TEST_DATABASE_URL"}


def test_every_prompt_that_a_file_uses_exists() -> None:
    used = re.compile(r"\bcookiecutter\.(_{0,2}[a-z]\w*)")
    for name in list_files(SOURCES):
        text = (SOURCES / name).read_text("utf-8")
        missing = {*used.findall(text)} - {*CONTEXT, "_commit", "json"}
        assert not missing, f"cookiecutter.json has no {', '.join(missing)}, which {name} uses"


def setting_names(path: Path) -> set[str]:
    """Return the variables that the groups of settings in a module read."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef) and "SettingsGroup" in map(ast.unparse, node.bases):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and "ClassVar" not in ast.dump(field):
                    alias = re.search(r"\balias='(\w+)'", ast.unparse(field))
                    names.add(alias[1] if alias else ast.unparse(field.target).upper())
    return names


def test_example_file_lists_every_setting() -> None:
    example = (SOURCES / ".env.example").read_text("utf-8")
    listed = re.findall(r"^# ([A-Z0-9_]+)=", example, re.MULTILINE)
    read = {name for path in (SOURCES / "app").rglob("*.py") for name in setting_names(path)}

    assert read - {*listed} == set(), f"add them to {SOURCES.name}/.env.example"
    assert {*listed} - read == OTHER_VARIABLES, f"{SOURCES.name}/.env.example lists others"
