"""All problems of a new resource, found before the first file is written."""

import re
from enum import StrEnum
from keyword import iskeyword

from sqlalchemy import Row
from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from app.db import metadata
from app.schemas.base import RequestBody
from dev.resource.files import FILES, JOURNAL, ROOT, imported_names
from dev.resource.specification import ACTIONS, DELETIONS, TEXTS, TYPES, Field, Parent, Resource

# Names of columns, attributes of models, rows and `table.c`, parameters of `TableWriter`, and types
# that models name.
_RESERVED = {"id", "created_at", "updated_at", "owner_id", "search_vector", "metadata", "registry"}
_RESERVED |= {"self", "version", "bool", "dict", "float", "int", "list", "str"}
_RESERVED |= {*dir(RequestBody), *dir(Row), *dir(ReadOnlyColumnCollection)}
# Parameters of the generated functions, and those of a list.
_LOCALS = {"changes", "database", "page", "request", "response", "row", "transaction", "user"}
_PARAMETERS = {"after", "after_key", "after_value", "key", "keyset", "limit", "q", "sort", *_LOCALS}
_MODIFIERS = {"default", "filter", "index", "optional", "sort", "unique"}
# An entry of an index has at most 2704 bytes, and a search vector at most a megabyte. The name of
# an index has at most 63 characters, as `ix_<plural>_owner_id_<field>_created_at_id` must have.
_MAX_INDEXED, _MAX_SEARCHED, _MAX_TEXT, _MAX_NAMES = 500, 50_000, 100_000, 36
_MODELS = ROOT / "app/db/models"


def find_parents() -> dict[str, Parent]:
    """Return the resources that others can refer to, by their tables."""
    return {
        name: Parent(table.c.id.type.python_type.__name__, "owner_id" in table.c)
        for name, table in metadata.tables.items()
        if table.primary_key.columns.keys() == ["id"] and (_MODELS / f"{name}.py").exists()
    }


def find_problems(resource: Resource) -> list[str]:
    """Return the problems of a resource."""
    singular, plural, fields = resource.singular, resource.plural, resource.fields
    files = [name for file in FILES if (ROOT / (name := file.format(plural))).exists()]
    texts = {item.column: item.length for item in fields if item.type in TEXTS and not item.is_list}
    columns, filters = [item.column for item in fields], [item.name for item in resource.filters]
    left = JOURNAL.read_text("utf-8") if JOURNAL.exists() else ""
    is_local = {singular, plural} & _LOCALS or resource.class_name in imported_names("*")
    searched = sum(texts.get(name, 0) for name in resource.search)
    problems: dict[str, object] = {
        f"An earlier run was interrupted. Undo it with --undo, which removes:\n{left}": left,
        f"{plural}: pass a plural that differs from the singular as --plural": singular == plural,
        f"{plural}: in use: {', '.join(files) or 'a table'}": files or plural in metadata.tables,
        f"{singular}: the generated modules use this name for another object": is_local,
        "--owned: this project has no users": resource.is_owned and "users" not in metadata.tables,
        f"--only: some of {', '.join(ACTIONS)}": {*resource.actions} - {*ACTIONS},
        f"--search: some of {', '.join(texts) or '(no texts)'}": {*resource.search} - {*texts},
        f"--search: at most {_MAX_SEARCHED} characters of a row": searched > _MAX_SEARCHED,
        "A resource has at least one field": not fields,
    }
    for names in (columns, filters):
        problems |= {f"{name}: the name is used twice": names.count(name) > 1 for name in names}
    problems |= {f"{name}: lists have such a parameter": name in _PARAMETERS for name in filters}
    for name in (singular, plural, *columns):
        is_snake_case = re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", name)
        problems[f"{name!r}: not lower-case words joined by underscores"] = not is_snake_case
        problems[f"{name}: a keyword of Python or SQL"] = iskeyword(name) or name in RESERVED_WORDS
    for field in fields:
        found = _find_problems_of_field(field, resource)
        problems |= {f"{field.name}: {problem}": found[problem] for problem in found}
    return [problem for problem, is_found in problems.items() if is_found]


def _find_problems_of_field(field: Field, resource: Resource) -> dict[str, object]:
    kind, argument, values, rules = field.type, field.argument, field.values, field.rules
    plural, column, words = resource.plural, field.column, {*field.words}
    example, no_list = rules.get("example"), field.is_list and rules.get("no_list")
    pattern = rules.get("default", "(?!)") % vars(field)
    is_default = re.fullmatch(pattern, field.default or "", re.ASCII)
    unknown = words - _MODIFIERS - {*(DELETIONS if kind == "ref" else ())}
    excluded = words & {*rules.get("excluded", ())}
    limit = _MAX_INDEXED if {"unique", "index", "filter", "sort"} & words else _MAX_TEXT
    wrong = {v for v in values if iskeyword(v) or hasattr(StrEnum, v) or values.count(v) > 1}
    is_private = field.parent and field.parent.is_owned and not resource.is_owned
    return {
        f"unknown type {kind!r}; known: {', '.join(TYPES)}": kind not in {*TYPES} - {"list"},
        f"{kind} needs an argument, such as {kind}:{example}": example and not argument,
        f"unknown modifiers: {', '.join(sorted(unknown))}": unknown,
        "a modifier is repeated": len(field.words) > len(words) or len(words & {*DELETIONS}) > 1,
        f"its type excludes {', '.join(sorted(excluded))}": excluded,
        "only an optional reference can become null": "null" in words and not field.is_optional,
        "a unique field has no default": {"unique", "default"} <= words,
        f"{field.default!r} is not a possible default": "default" in words and not is_default,
        "the name is reserved": column in _RESERVED | imported_names("[ms]*"),
        f"longer than {_MAX_NAMES} characters with {plural}": len(column + plural) > _MAX_NAMES,
        f"at most {limit} characters": field.length > limit,
        "a decimal has 1 to 28 digits": not field.scale <= field.precision in range(1, 29),
        f"values that are repeated, keywords or methods: {', '.join(sorted(wrong))}": wrong,
        f"a list of {kind} is not supported: {no_list}": no_list,
        f"unknown resource {argument!r}": kind == "ref" and argument and not field.parent,
        f"{argument} belong to users, so {plural} must, too": is_private,
        "a reference to itself must be optional": argument == plural and not field.is_optional,
    }
