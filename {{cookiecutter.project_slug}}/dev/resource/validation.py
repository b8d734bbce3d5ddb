"""All problems of a new resource, found before the first file is written."""

import keyword
import re
from decimal import Decimal
from importlib import import_module
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from app.db import metadata
from app.schemas.base import RequestBody
from dev.resource.files import FILES, JOURNAL, ROOT, TEMPLATES
from dev.resource.specification import ACTIONS, TEXTS, TYPES, Field, Parent, Resource, Type

# Names of columns, attributes of models, rows and `table.c`, and parameters of `TableWriter`.
_RESERVED = {"id", "created_at", "updated_at", "owner_id", "search_vector", "metadata", "registry"}
_RESERVED |= {"self", "version", *dir(RequestBody), *dir(Row), *dir(ReadOnlyColumnCollection)}
# Parameters of the generated functions, and those of a list.
_LOCALS = {"changes", "database", "page", "request", "response", "row", "transaction", "user"}
_PARAMETERS = {"after", "after_key", "after_value", "key", "keyset", "limit", "q", "sort", *_LOCALS}
_MODIFIERS = {"default", "filter", "index", "optional", "sort", "unique"}
_DELETIONS = {"cascade", "null", "restrict"}
# An entry of an index has at most 2704 bytes, and a search vector at most a megabyte. The name of
# an index has at most 63 characters, as `ix_<plural>_owner_id_<field>_created_at_id` must have.
_MAX_INDEXED, _MAX_SEARCHED, _MAX_TEXT, _MAX_NAMES = 500, 50_000, 100_000, 36


def find_parents() -> dict[str, Parent]:
    """Return the resources that others can refer to, by their tables."""
    parents = {}
    for name, table in metadata.tables.items():
        keys = [*table.primary_key]
        if [key.name for key in keys] == ["id"] and (ROOT / f"app/db/models/{name}.py").exists():
            members = vars(import_module(f"app.db.models.{name}")).items()
            # A class, if there is one, sorts before a variable for its table.
            model = min(key for key, one in members if getattr(one, "__table__", one) is table)
            key_type = "UUID" if keys[0].type.python_type is UUID else "int"
            parents[name] = Parent(model, key_type, is_owned="owner_id" in table.columns)
    return parents


def find_problems(resource: Resource) -> list[str]:
    """Return the problems of a resource."""
    singular, plural, fields = resource.singular, resource.plural, resource.fields
    files = [file.format(plural) for file in FILES if (ROOT / file.format(plural)).exists()]
    texts = {item.column: item.length for item in fields if item.type in TEXTS and not item.is_list}
    columns, filters = [item.column for item in fields], [item.name for item in resource.filters]
    left = JOURNAL.read_text("utf-8") if JOURNAL.exists() else ""
    is_local = {singular, plural} & _LOCALS or resource.class_name in _imported_names("*")
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
        problems[f"{name}: a keyword of Python"] = keyword.iskeyword(name)
        problems[f"{name}: a reserved word of SQL"] = name in RESERVED_WORDS
    for item in fields:
        found = {**_problems_of_words(item), **_problems_of_type(item, resource)}
        problems |= {f"{item.name}: {problem}": found[problem] for problem in found}
    return [problem for problem, is_found in problems.items() if is_found]


def _imported_names(pattern: str) -> set[str]:
    """Return the names that templates import, which the generated code cannot define."""
    text = "".join(path.read_text("utf-8") for path in TEMPLATES.glob(f"{pattern}.mako"))
    blocks = re.findall(r"^from [\w.]+ import (\([\w,\s]+|.+)", text, re.MULTILINE)
    return {name for block in blocks for name in re.findall(r"\w+", block)}


def _problems_of_words(field: Field) -> dict[str, object]:
    words, kind, default = {*field.words}, field.type, field.default or ""
    type_ = TYPES["list" if field.is_list else kind] if kind in TYPES else Type()
    unknown = words - _MODIFIERS - (_DELETIONS if kind == "ref" else set())
    excluded = words & {*type_.excluded.split()}
    is_default = re.fullmatch(type_.default, default, re.ASCII) and _fits(field, default)
    example = {"decimal": "12.2", "enum": "draft,sent", "ref": "customers"}.get(kind, "50")
    has_argument = field.argument or not TYPES.get(kind, type_).argument
    return {
        f"unknown type {kind!r}; known: {', '.join(TYPES)}": kind not in {*TYPES} - {"list"},
        f"{kind} needs an argument, such as {kind}:{example}": not has_argument,
        f"unknown modifiers: {', '.join(sorted(unknown))}": unknown,
        "a modifier is repeated": len(field.words) > len(words) or len(words & _DELETIONS) > 1,
        f"its type excludes {', '.join(sorted(excluded))}": excluded,
        "only an optional reference can become null": "null" in words and not field.is_optional,
        "a unique field has no default": {"unique", "default"} <= words,
        f"{default!r} is not a possible default": "default" in words and not is_default,
    }


def _fits(field: Field, default: str) -> bool:
    """Return whether a default value is within the bounds of the field."""
    precision, scale = field.digits
    if field.is_list or field.type not in {"decimal", "enum", *TEXTS}:
        return True
    if field.type == "decimal":
        number = Decimal(default).scaleb(scale)
        return number == int(number) and abs(number) < 10**precision
    return default in field.values or (not field.values and len(default) <= field.length)


def _problems_of_type(field: Field, resource: Resource) -> dict[str, object]:
    kind, column, argument, values = field.type, field.column, field.argument, field.values
    limit = _MAX_INDEXED if {"unique", "index", "filter", "sort"} & {*field.words} else _MAX_TEXT
    is_too_long = kind in {"str", "text"} and argument and not 0 < field.length <= limit
    wrong = [one for one in values if one[0].isdigit() or keyword.iskeyword(one)]
    wrong += [one for one in values if hasattr(str, one)]
    is_private = field.parent and field.parent.is_owned and not resource.is_owned
    has_long_name = len(column + resource.plural) > _MAX_NAMES
    has_few_values = kind == "enum" and len({*values}) < max(2, len(values))
    return {
        "the name is reserved": column in _RESERVED | _imported_names("[ms]*"),
        f"with {resource.plural}, longer than {_MAX_NAMES} characters": has_long_name,
        f"the bound must be from 1 to {limit}": is_too_long,
        "a decimal has 1 to 28 digits": not field.digits[1] <= field.digits[0] in range(1, 29),
        "an enum has at least two values, all different": has_few_values,
        f"values that are numbers, keywords or methods of str: {', '.join(wrong)}": wrong,
        f"a list of {kind} is not supported": field.is_list and kind in {"enum", "json", "ref"},
        f"unknown resource {argument!r}": kind == "ref" and argument and not field.parent,
        f"{argument} belong to users, so {resource.plural} must, too": is_private,
    }
