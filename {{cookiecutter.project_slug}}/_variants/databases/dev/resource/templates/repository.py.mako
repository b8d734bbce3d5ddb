<%!
from importlib import import_module

from app.db import metadata

def model(r, f):
    """Return the name of the table to which a field refers."""
    if f.argument == r.plural:
        return r.plural
    table, module = metadata.tables[f.argument], import_module(f"app.db.models.{f.argument}")
    return next(name for name, member in vars(module).items() if member is table)

def column(r, name):
    return f"{r.plural}.c.{name}"

def select(r):
    names = ["id", *[f.column for f in r.fields], "created_at"]
    columns = ", ".join(column(r, name) for name in names)
    owner = f'.where({r.plural}.c.owner_id == bindparam("owner_id"))' if r.is_owned else ""
    return f"select({columns}){owner}"

def condition(r, each):
    operator = {"after": ">", "before": "<", "min": ">=", "max": "<="}.get(each.kind)
    name = column(r, each.field.column)
    return f'{name} {operator} bindparam("{each.name}")' if operator else name

def sorts(r):
    names = [sign + name for name in r.sorts[1:] for sign in ("", "-")]
    return ", ".join(f'"{name}"' for name in ["-created_at", "created_at", *names])
%>\
<%
owned = [f for f in r.references if f.parent.is_owned]
whose = f"the {r.labels} of one user" if r.is_owned else r.labels
verbs = [f"{verb}s" for verb in ("create", "update", "delete") if verb in r.actions]
%>\
% if r.is_owned:
"""Repositories of the ${r.labels} of one user.

Every statement is restricted to the owner, so the ${r.labels} of other users are not found.
"""
% else:
"""Repositories of ${r.labels}."""
% endif

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from app.db.base import Row
from app.db.database import Database
from app.db.keyset import KeysetList, PageRequest
from app.db.models.${r.plural} import ${r.plural}
% for f in r.references:
from app.db.models.${f.argument} import ${model(r, f)}
% endfor
from app.db.repositories.base import Reader, Writer
from app.db.transaction import Transaction
from app.errors import ReferenceNotFoundError

% if r.nested:
SELECT_${r.plural.upper()} = ${select(r)}
% endif
% for f in r.references:
% if f in r.nested or f in owned:
SELECT_${f.name.upper()} = select(${model(r, f)}.c.id).where(
    ${model(r, f)}.c.id == bindparam("${f.column}")${f', {model(r, f)}.c.owner_id == bindparam("owner_id")' if f in owned else ""}
)
% endif
% if f in r.nested:
${r.plural.upper()}_OF_${f.name.upper()} = KeysetList(
    SELECT_${r.plural.upper()}.where(${column(r, f.column)} == bindparam("${f.column}")),
% if r.sorts:
    sorts=("-created_at", "created_at"),
% endif
)
% endif
% endfor


class ${r.class_name}Reader(Reader):
    """Reads ${whose}."""

    rows = KeysetList(
        ${f"SELECT_{r.plural.upper()}" if r.nested else select(r)},
% if r.sorts:
        sorts=(${sorts(r)}),
% endif
% if r.filters:
        filters={
% for each in r.filters:
            "${each.name}": ${condition(r, each)},
% endfor
        },
% endif
% if r.search:
        search_vector=${r.plural}.c.search_vector,
% endif
    )
% if r.is_owned:

    def __init__(self, database: Database, owner_id: UUID) -> None:
        super().__init__(database, owner_id=owner_id)
% endif
% for f in r.nested:

    async def list_of_${f.name}(self, ${f.column}: ${f.key_type}, page: PageRequest) -> Sequence[Row]:
        """Return the rows of a page, and one more if there is a next page.

        Raises `NotFoundError` if the ${f.label} does not exist.
        """
        rows = await self.fetch_page(
            ${r.plural.upper()}_OF_${f.name.upper()}, page, ${"**self._scope, " if r.is_owned else ""}${f.column}=${f.column}
        )
        if not rows:
            await self.fetch_one(SELECT_${f.name.upper()}, ${"**self._scope, " if f in owned else ""}${f.column}=${f.column})
        return rows
% endfor
% if verbs:


class ${r.class_name}Writer(Writer):
    """${" and ".join(filter(None, [", ".join(verbs[:-1]), verbs[-1]])).capitalize()} ${whose}."""

    table = ${r.plural}
% if r.is_owned:

    def __init__(self, transaction: Transaction, owner_id: UUID) -> None:
        super().__init__(transaction, owner_id=owner_id)
% endif
% if owned:

    async def check(self, values: Mapping[str, Any]) -> None:
        """Raise `ReferenceNotFoundError` if a new reference is to a row of another user."""
% for f in owned:
        key = values.get("${f.column}")
        if key is not None and not await self.fetch_all(SELECT_${f.name.upper()}, **self._scope, ${f.column}=key):
            raise ReferenceNotFoundError("${f.column}")
% endfor
% endif
% endif
