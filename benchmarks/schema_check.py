"""Compare the articles of the other services with those of the project, in the sources.

The services write their own statements, so a new field of the project must be added to them too.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.environments import IN_VENV, SOURCES, TEMPLATE
from benchmarks.routes import CREATE
from benchmarks.services import InvalidRunError

SCHEMAS = SOURCES / "app" / "schemas" / "articles.py"
SELECTED = re.compile(r"(?:SELECT|RETURNING) (id, title[\w, ]*?)(?: FROM|\")")
INSERTED = re.compile(r"INSERT INTO articles \(([\w, ]+)\)")


def check_fields(schemas: Path = SCHEMAS) -> None:
    """Raise InvalidRunError if a service does not read and write the fields of the project."""
    read, _ = _fields(schemas, "ArticleRead")
    accepted, required = _fields(schemas, "ArticleCreate")
    problems = []
    for place, names in _read_fields():
        if names != read:
            problems.append(f"{place} reads {_list(names)} instead of {_list(read)}")
    for place, names in _written_fields():
        if not required <= names:
            problems.append(f"{place} does not write {_list(required - names)}")
    sent = {*json.loads(CREATE.body)}
    if not required <= sent <= accepted:
        problems.append(f"benchmarks/routes.py sends {_list(sent)} instead of {_list(required)}")
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise InvalidRunError(f"The articles of the project have changed. Please fix:\n{listed}")


def _read_fields() -> Iterator[tuple[str, set[str]]]:
    """Yield the fields that each service reads, with its file."""
    raw, documented = IN_VENV / "raw_asyncpg.py", IN_VENV / "documented_pattern.py"
    for columns in SELECTED.findall(raw.read_text("utf-8")):
        yield _name(raw), {*columns.split(", ")}
    yield _name(documented), _fields(documented, "Article")[0]


def _written_fields() -> Iterator[tuple[str, set[str]]]:
    """Yield the columns of each INSERT, with its file."""
    for path in sorted(IN_VENV.glob("*.py")):
        for columns in INSERTED.findall(path.read_text("utf-8")):
            yield _name(path), {*columns.split(", ")}


def _fields(path: Path, name: str) -> tuple[set[str], set[str]]:
    """Return the annotated attributes of a class, and those without a default."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
            required = [item for item in fields if item.value is None]
            return {ast.unparse(item.target) for item in fields}, {
                ast.unparse(item.target) for item in required
            }
    raise InvalidRunError(f"{path} has no class {name}.")


def _name(path: Path) -> str:
    return path.relative_to(TEMPLATE).as_posix()


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names))
