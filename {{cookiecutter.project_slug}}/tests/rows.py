"""Rows of any table, for tests of resources that refer to others."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from fastapi import FastAPI
from pydantic import TypeAdapter
from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    Enum,
    Index,
    String,
    UniqueConstraint,
    delete,
    insert,
    text,
)

from app.db import Database, metadata

# Different values of each column that must be unique, however short it is.
NUMBERS: defaultdict[Column[Any], Iterator[int]] = defaultdict(lambda: count(1))


async def insert_row(app: FastAPI, table_name: str, /, **values: Any) -> UUID | int:
    """Insert a row and return its ID. Values may be those of a request body.

    Other columns get the simplest value of their type, unless they are nullable or have a default.
    Rows to which they refer are inserted too, with the same owner.
    """
    table = metadata.tables[table_name]
    row = {}
    for column in table.columns:
        if column.name in values:
            row[column.name] = _convert(column, values[column.name])
        elif not (column.nullable or column.server_default or column.identity or column.computed):
            row[column.name] = await _simplest_value(app, column, values)
    database: Database = app.state.database
    async with database.transaction() as transaction:
        inserted = await transaction.fetch_one(insert(table).values(row).returning(table.c.id))
    key: UUID | int = inserted.id
    return key


async def delete_row(app: FastAPI, table_name: str, key: UUID | int | str) -> None:
    """Delete the row with this ID."""
    column = metadata.tables[table_name].c.id
    database: Database = app.state.database
    async with database.transaction() as transaction:
        await transaction.execute(delete(column.table).where(column == _convert(column, key)))


async def refer_to_rows(app: FastAPI, table_name: str) -> None:
    """Create a table that refers to all rows of this one, like a resource that is added later."""
    database: Database = app.state.database
    async with database.transaction() as transaction:
        for statement in (
            f"CREATE TABLE references_of_tests AS TABLE {table_name}",
            f"ALTER TABLE references_of_tests ADD FOREIGN KEY (id) REFERENCES {table_name}",
        ):
            await transaction.execute(text(statement))


def _convert(column: Column[Any], value: Any) -> Any:
    kind: Any = column.type.python_type
    if isinstance(column.type, ARRAY):
        item: Any = column.type.item_type.python_type
        kind = list[item]
    return TypeAdapter(kind | None).validate_python(value)


async def _simplest_value(app: FastAPI, column: Column[Any], values: dict[str, Any]) -> Any:
    for foreign_key in column.foreign_keys:
        parent = foreign_key.column.table
        is_owned = "owner_id" in values and "owner_id" in parent.columns
        scope = {"owner_id": values["owner_id"]} if is_owned else {}
        return await insert_row(app, parent.name, **scope)
    if isinstance(column.type, Enum):
        return column.type.enums[0]
    number = next(NUMBERS[column]) if _is_unique(column) else 1
    if isinstance(column.type, String):
        length = column.type.length or 32
        return uuid4().hex[:length] if length > 8 else str(number)[-length:]
    if isinstance(column.type, JSON):
        return {}
    kind = column.type.python_type
    scale, digits = getattr(column.type, "scale", 0), getattr(column.type, "precision", None)
    simplest: dict[type, Any] = {
        bool: False,
        date: date(2030, 1, 1) + timedelta(days=number),
        datetime: datetime(2030, 1, 1, tzinfo=UTC) + timedelta(days=number),
        Decimal: Decimal(number % 10 ** (digits or 9)).scaleb(-(scale or 0)),
        UUID: uuid4(),
    }
    if kind in simplest:
        return simplest[kind]
    return kind(number) if kind in {int, float} else kind()


def _is_unique(column: Column[Any]) -> bool:
    rules = [*column.table.constraints, *(index for index in column.table.indexes if index.unique)]
    unique = (rule for rule in rules if isinstance(rule, UniqueConstraint | Index))
    return any(column.name in rule.columns for rule in unique)
