"""INSERT statements of a table, and the names of its columns, for the repositories that write.

Each statement is built only once, because building and compiling it takes longer than running it.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import Column, ColumnElement, Table, and_, bindparam
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.schema import ColumnElementColumnDefault, ScalarElementColumnDefault

from app.db.search import columns_without_search_vector

#: The keys of columns, as statements expect them.
Keys: TypeAlias = tuple[str, ...]
InsertReturning: TypeAlias = ReturningInsert[*tuple[Any, ...]]


class TableStatements:
    """The INSERT statements of a table.

    `attributes` are its columns by the name of the attribute. Where that is not the name of the
    column, as in `metadata_ = Column("metadata")`, both names are accepted, and rows have the
    attribute.

    The search vector is not returned, because it is about as large as the text of the row.
    """

    def __init__(self, table: Table, attributes: Iterable[tuple[str, Column[Any]]]) -> None:
        self.table = table
        by_attribute = dict(attributes)
        self._columns = {**{column.name: column for column in table.columns}, **by_attribute}
        readable = set(columns_without_search_vector(table))
        self.returned: Sequence[ColumnElement[Any]] = [
            column if column.name == name else column.label(name)
            for name, column in by_attribute.items()
            if column in readable
        ]

    def column(self, name: str) -> Column[Any]:
        """Return a column by either name. Raises `TypeError` if it does not exist."""
        if name not in self._columns:
            raise TypeError(f"{self.table.name} has no column {name!r}")
        return self._columns[name]

    def by_key(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values of columns by key.

        Raises `TypeError` if a column does not exist, or has two values.
        """
        found = {self.column(name).key: value for name, value in values.items()}
        if len(found) < len(values):
            raise TypeError(f"{self.table.name}: both names of a column are in {list(values)}")
        return found

    def conflict_keys(self, conflict: Sequence[str], new: Mapping[str, Any]) -> Keys:
        """Return the keys of the columns `conflict`. Raises `TypeError` if one has no value."""
        keys = tuple(self.column(name).key for name in conflict)
        if not keys:
            raise TypeError("`conflict` must have the columns of a unique constraint")
        if missing := [key for key in keys if key not in new]:
            raise TypeError(f"Missing values of the unique constraint: {', '.join(missing)}")
        return keys

    def insert(self, keys: Keys) -> InsertReturning:
        """Return an INSERT of these columns."""
        return _insert(self, keys)

    def insert_expressions(self, values: Mapping[str, Any]) -> InsertReturning:
        """Return an INSERT of these values by key, which may be SQL expressions.

        It is built for each call.
        """
        return insert(self.table).values(dict(values)).returning(*self.returned)

    def upsert(self, keys: Keys, conflict: Keys, scope: Keys) -> InsertReturning:
        """Return an INSERT that updates an existing row.

        `conflict` are the columns of the unique constraint. The row is updated only if its values
        of the columns `scope` are those of the new row.
        """
        return _upsert(self, keys, conflict, scope)

    def insert_if_missing(self, keys: Keys, conflict: Keys) -> InsertReturning:
        """Return an INSERT that does nothing, and returns no row, if the row exists."""
        return _insert_if_missing(self, keys, conflict)


# The caches have one entry for each table and tuple of columns.


@cache
def _insert(statements: TableStatements, keys: Keys) -> InsertReturning:
    return _values(statements.table, keys).returning(*statements.returned)


@cache
def _upsert(
    statements: TableStatements, keys: Keys, conflict: Keys, scope: Keys
) -> InsertReturning:
    columns = statements.table.columns
    statement = _values(statements.table, keys)
    new = statement.excluded
    # If there are no other columns, update one to its own value: DO NOTHING would return no row.
    updated = [key for key in keys if key not in {*conflict, *scope}] or conflict
    # SQLAlchemy does not add the `onupdate` values, such as that of `updated_at`, to this UPDATE.
    values: dict[str, Any] = {
        column.key: _onupdate_value(column)
        for column in columns
        if column.onupdate is not None and column.key not in updated
    }
    values.update({key: new[key] for key in updated})
    return statement.on_conflict_do_update(
        index_elements=[columns[key] for key in conflict],
        set_={columns[key]: value for key, value in values.items()},
        where=and_(*(columns[key] == new[key] for key in scope)) if scope else None,
    ).returning(*statements.returned)


def _onupdate_value(column: Column[Any]) -> Any:
    default = column.onupdate
    if isinstance(default, ColumnElementColumnDefault | ScalarElementColumnDefault):
        return default.arg
    # The statement is built only once, and the function would have to be called each time.
    raise TypeError(f"Upsert supports no function as `onupdate`, only SQL or a value: {column}")


@cache
def _insert_if_missing(statements: TableStatements, keys: Keys, conflict: Keys) -> InsertReturning:
    elements = [statements.table.columns[key] for key in conflict]
    statement = _values(statements.table, keys).on_conflict_do_nothing(index_elements=elements)
    return statement.returning(*statements.returned)


def _values(table: Table, keys: Keys) -> Insert:
    return insert(table).values(
        {key: bindparam(key, type_=table.columns[key].type) for key in keys}
    )
