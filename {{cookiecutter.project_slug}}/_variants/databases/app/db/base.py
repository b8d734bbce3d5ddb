"""Common columns of the tables, the type of a row, and compiled queries.

https://docs.sqlalchemy.org/en/21/core/metadata.html
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from databases.backends.dialects.psycopg import dialect
from sqlalchemy import Column, DateTime, MetaData, Uuid, func
from sqlalchemy.sql.selectable import ReturnsRows

from app.db.naming import NAMING_CONVENTION

metadata = MetaData(naming_convention=NAMING_CONVENTION)

# Column defaults must be server defaults: `databases` ignores Python defaults and stores NULL.


def uuid_primary_key() -> Column[UUID]:
    """Return a primary key that the server generates: a UUIDv7, which increases with time."""
    return Column("id", Uuid, primary_key=True, server_default=func.uuidv7())


def created_at_column() -> Column[datetime]:
    """Return a column with the time of the insertion of the row."""
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def updated_at_column() -> Column[datetime]:
    """Return a column with the time of the last change of the row, or of its insertion.

    SQLAlchemy sets the column in every UPDATE, except in textual SQL, which must set it itself. It
    differs after each of several updates in one transaction, where `now()` would not.
    """
    return Column(
        "updated_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        onupdate=func.clock_timestamp(),
    )


class Row(asyncpg.Record):
    """A result row. Its columns are attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class CompiledQuery(NamedTuple):
    """A statement in the form that asyncpg accepts.

    `select(users).where(users.c.email == bindparam("email"))` has the SQL `SELECT ... WHERE
    users.email = $1` and the names `("email",)`.
    """

    sql: str
    #: The names of the values of `$1`, `$2` and so on.
    names: tuple[str, ...]
    #: Values that are part of the statement, such as the 0 of `count > 0`.
    defaults: Mapping[str, Any]
    #: Conversions of values, by name, for types that need one, such as JSON.
    processors: Mapping[str, Callable[[Any], Any]]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the values of `$1`, `$2` and so on. Raises `KeyError` if one is missing."""
        values = {**self.defaults, **values}
        arguments = []
        for name in self.names:
            process = self.processors.get(name)
            arguments.append(process(values[name]) if process else values[name])
        return arguments


# The dialect is untyped.
_DIALECT: Any = dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]


@lru_cache(maxsize=512)
def compile_query(statement: ReturnsRows) -> CompiledQuery | None:
    """Return the compiled form of a statement. Each statement is compiled only once.

    `databases` compiles a statement at every execution, which takes longer than a short query.

    Returns None for statements that only `databases` can run: those whose SQL depends on the
    values, such as IN, and those with columns that SQLAlchemy converts, such as JSON.
    """
    compiled: Any = statement.compile(dialect=_DIALECT)
    is_converted = any(
        column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
        for column in statement.exported_columns
    )
    if compiled.post_compile_params or is_converted:
        return None
    names = tuple(compiled.params)
    # SQLAlchemy writes `%(email)s`, and asyncpg expects `$1`.
    placeholders = {name: f"${number}" for number, name in enumerate(names, start=1)}
    defaults = {
        name: value for name, value in compiled.params.items() if not compiled.binds[name].required
    }
    processors = {
        name: process
        for parameter, name in compiled.bind_names.items()
        if (process := parameter.type.dialect_impl(_DIALECT).bind_processor(_DIALECT))
    }
    return CompiledQuery(compiled.string % placeholders, names, defaults, processors)
