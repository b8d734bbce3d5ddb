"""Create, update and delete the rows of a table: the base class of `Writer`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa

from app.db import Transaction
from app.db.base import Row
from app.db.statements import FetchMethods
from app.db.table_statements import Keys, TableStatements
from app.errors import AlreadyExistsError, NotFoundError, StaleVersionError

#: A primary key. That of several columns is a tuple.
Key: TypeAlias = UUID | int | str | tuple[Any, ...]
Parameters: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]

# `get_or_create` tries again if another transaction deletes the row between its two statements.
_TRIES = 3


class TableWriter(FetchMethods):
    """Creates, updates and deletes the rows of a table, in a transaction that the caller commits.

    All methods name columns by attribute or as in the database. A name that the table does not have
    is a `TypeError`. They return rows without the search vector, and lock them until the
    transaction ends.

    `scope` are values that all rows of this writer have, such as their owner. New rows get them,
    and other rows are not found.
    """

    def __init__(
        self, transaction: Transaction, statements: TableStatements, scope: Mapping[str, Any]
    ) -> None:
        self._transaction = transaction
        self._statements = statements
        self._scope = statements.by_key(scope)

    async def fetch_all(self, statement: sa.Executable, /, **values: Any) -> Sequence[Row]:
        """Return all rows of a statement. `values` are its bound parameters."""
        return await self._transaction.fetch_all(statement, **values)

    async def get(self, key: Key) -> Row:
        """Lock the row with this primary key (`FOR UPDATE`), and return it.

        Raises `NotFoundError` if the row does not exist.
        """
        statement = sa.select(*self._statements.returned).where(self._row_condition(key))
        return _require_row(await self._execute(statement.with_for_update()))

    async def create(self, **values: Any) -> Row:
        """Insert a row and return it, with the values that the server generates.

        Values may be SQL expressions.

        Raises `AlreadyExistsError` or another `AppError` if a constraint is violated.
        """
        new = {**self._scope, **self._by_key(values)}
        await self.check(new)
        if any(map(_is_expression, new.values())):
            return _require_row(await self._execute(self._statements.insert_expressions(new)))
        return _require_row(await self._execute(self._statements.insert(tuple(new)), new))

    async def create_many(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Row]:
        """Insert rows that have values for the same columns, and return them in the same order."""
        new = [await self._new_row(row) for row in rows]
        if not new:
            return []
        if any(row.keys() != new[0].keys() for row in new):
            raise TypeError("All rows must have values for the same columns")
        # PostgreSQL inserts the rows in this order, and RETURNING keeps it.
        return await self._execute(self._statements.insert(tuple(new[0])), new)

    async def upsert(self, conflict: Sequence[str], /, **values: Any) -> Row:
        """Insert a row or, if it exists, update the given columns. Return the row.

        `conflict` are the columns of a unique constraint, such as `["slug"]`.

        Raises `AlreadyExistsError` if the existing row is not in the scope of this writer.
        """
        new = await self._new_row(values)
        keys = self._statements.conflict_keys(conflict, new)
        statement = self._statements.upsert(tuple(new), keys, tuple(self._scope))
        rows = await self._execute(statement, new)
        if not rows:
            raise _already_exists(keys)
        return rows[0]

    async def get_or_create(self, conflict: Sequence[str], /, **values: Any) -> tuple[Row, bool]:
        """Return the existing row, or insert it. Also return whether it was inserted.

        `conflict` are the columns of a unique constraint, such as `["slug"]`. The other values are
        used only for a new row. Concurrent calls create only one row, and no error.

        Raises `AlreadyExistsError` if the existing row is not in the scope of this writer.
        """
        new = await self._new_row(values)
        keys = self._statements.conflict_keys(conflict, new)
        insert = self._statements.insert_if_missing(tuple(new), keys)
        columns = self._statements.table.columns
        # FOR KEY SHARE: the row cannot be deleted before the transaction ends, so it can be
        # referred to. Unlike FOR UPDATE, callers do not wait for each other.
        select = (
            sa.select(*self._statements.returned)
            .where(*(columns[key] == new[key] for key in {*keys, *self._scope}))
            .with_for_update(read=True, key_share=True)
        )
        for _ in range(_TRIES):
            if created := await self._execute(insert, new):
                return created[0], True
            if existing := await self._execute(select):
                return existing[0], False
        raise _already_exists(keys)

    async def update(self, key: Key, /, *, version: datetime | None = None, **values: Any) -> Row:
        """Update the given columns of the row with this primary key, and return the row.

        Values may be SQL expressions. Without values, returns the row unchanged. `version` is the
        `updated_at` of the row that the caller has read.

        Raises `NotFoundError` if the row does not exist, and `StaleVersionError` if it has changed
        since that version.
        """
        changes = self._by_key(values)
        await self.check(changes)
        condition = self._row_condition(key)
        if version is not None:
            condition &= self._statements.column("updated_at") == version
        returned = self._statements.returned
        statement: sa.Executable
        if changes:
            # Built for each call, unlike INSERT, because a value may be an SQL expression.
            update = sa.update(self._statements.table).where(condition).values(changes)
            statement = update.returning(*returned)
        else:
            statement = sa.select(*returned).where(condition).with_for_update()
        rows = await self._execute(statement)
        if not rows and version is not None:
            await self.get(key)
            raise StaleVersionError
        return _require_row(rows)

    async def delete(self, key: Key) -> Row:
        """Delete the row with this primary key, and return it.

        Raises `NotFoundError` if the row does not exist.
        """
        statement = sa.delete(self._statements.table).where(self._row_condition(key))
        return _require_row(await self._execute(statement.returning(*self._statements.returned)))

    async def check(self, values: Mapping[str, Any]) -> None:
        """Do nothing. Override it for rules that no constraint can express; raise an `AppError`.

        `values` are those of a new row, or new values of a row, by the keys of their columns.
        """

    def _row_condition(self, key: Key) -> sa.ColumnElement[bool]:
        """Return the condition that selects the row in `get`, `update` and `delete`."""
        table = self._statements.table
        keys = key if isinstance(key, tuple) else (key,)
        own = (column == value for column, value in zip(table.primary_key, keys, strict=True))
        return sa.and_(*own, *(table.columns[name] == self._scope[name] for name in self._scope))

    def _by_key(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values by the keys of their columns. Raises `TypeError` for an invalid name."""
        found = self._statements.by_key(values)
        if fixed := found.keys() & self._scope:
            raise TypeError(f"Values that this writer sets itself: {', '.join(sorted(fixed))}")
        return found

    async def _new_row(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of an INSERT. Raises `TypeError` for an SQL expression."""
        found = self._by_key(values)
        if expressions := [key for key, value in found.items() if _is_expression(value)]:
            raise TypeError(f"Only `create` and `update` accept SQL expressions: {expressions}")
        await self.check(row := {**self._scope, **found})
        return row

    async def _execute(
        self, statement: sa.Executable, parameters: Parameters | None = None
    ) -> Sequence[Row]:
        """Execute a statement that returns rows of the table without their search vectors."""
        return (await self._transaction.execute(statement, parameters)).all()


def _is_expression(value: object) -> bool:
    return isinstance(value, sa.ClauseElement) or hasattr(value, "__clause_element__")


def _require_row(rows: Sequence[Row]) -> Row:
    if not rows:
        raise NotFoundError
    return rows[0]


def _already_exists(keys: Keys) -> AlreadyExistsError:
    return AlreadyExistsError(keys[0] if len(keys) == 1 else None)
