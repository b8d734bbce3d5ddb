"""What all tables and their rows have in common.

https://docs.sqlalchemy.org/en/21/core/metadata.html
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from databases.backends.dialects.psycopg import dialect
from sqlalchemy import Column, DateTime, MetaData, Select, Uuid, func
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

metadata = MetaData(
    # A constraint without a name cannot be dropped by a migration.
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# Defaults come from the server: `databases` skips those that Python would make, and stores NULL.


def uuid_primary_key() -> Column[UUID]:
    """A primary key that the server makes; it sorts by the time of its making."""
    return Column("id", Uuid, primary_key=True, server_default=func.uuidv7())


def created_at_column() -> Column[datetime]:
    """The moment at which the row was made."""
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


class Row(asyncpg.Record):
    """A row whose columns are attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class CompiledQuery(NamedTuple):
    """A statement as the driver takes it: `$1` and so on for values, and which those are."""

    sql: str
    defaults: Mapping[str, Any]
    names: tuple[str, ...]
    processors: Mapping[str, Callable[[Any], Any]]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of their places in the SQL; raises `KeyError` without one."""
        given = {**self.defaults, **values}
        arguments = []
        for name in self.names:
            process = self.processors.get(name)
            arguments.append(process(given[name]) if process else given[name])
        return arguments


#: What has rows for a result.
ReturningStatement = (
    Select[*tuple[Any, ...]]
    | ReturningInsert[*tuple[Any, ...]]
    | ReturningUpdate[*tuple[Any, ...]]
    | ReturningDelete[*tuple[Any, ...]]
)

# Has no types.
_DIALECT: Any = dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]


@lru_cache(maxsize=512)
def compile_query(statement: ReturningStatement) -> CompiledQuery | None:
    """Compile a statement once; `databases` does so at every execution, which takes longer
    than the query.

    None for a statement that needs more than its text: one whose SQL depends on its values, as
    with IN, or whose columns are converted by SQLAlchemy, as JSON is.
    """
    compiled: Any = statement.compile(dialect=_DIALECT)
    is_converted = any(
        column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
        for column in statement.exported_columns
    )
    if compiled.post_compile_params or is_converted:
        return None
    names = tuple(compiled.params)
    places = {name: f"${place}" for place, name in enumerate(names, start=1)}
    processors = {
        name: process
        for value, name in compiled.bind_names.items()
        if (process := value.type.dialect_impl(_DIALECT).bind_processor(_DIALECT))
    }
    defaults = {
        name: value for name, value in compiled.params.items() if not compiled.binds[name].required
    }
    return CompiledQuery(compiled.string % places, defaults, names, processors)
