"""Results and rows have the interface of SQLAlchemy's, from every object that runs statements."""

import pickle
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any, TypeAlias

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import MultipleResultsFound, NoResultFound, ResourceClosedError, StatementError

from app.db import Database, Row, Transaction
from app.db.repositories.base import Reader
from app.errors import NotFoundError
from tests.isolation import ThingWriter
from tests.sql.accounts import users

pytestmark = pytest.mark.usefixtures("accounts")


class Name(Enum):
    """A name that the tables contain as text."""

    SPONGEBOB = "spongebob"
    SANDY = "sandy"
    PATRICK = "patrick"


NAME = sa.type_coerce(
    users.c.name,
    sa.Enum(Name, native_enum=False, values_callable=lambda names: [name.value for name in names]),
)
SELECT = sa.select(users.c.id, NAME.label("name"))
ALL = SELECT.order_by(users.c.id)
ONE = SELECT.where(users.c.id == sa.bindparam("id"))
FORMS: dict[str, sa.Executable] = {
    "select": ONE,
    "IN": SELECT.where(users.c.id.in_([2])),
    "expanding IN": SELECT.where(users.c.id.in_(sa.bindparam("ids", [2], expanding=True))),
    "IN of converted values": SELECT.where(NAME.in_([Name.SANDY])),
    "union": sa.union(ONE, ONE),
    "text": sa.text("SELECT id, name FROM user_account WHERE id = :id").columns(
        id=sa.Integer, name=NAME.type
    ),
}
Fetch: TypeAlias = Callable[..., Awaitable[Sequence[Row]]]


@asynccontextmanager
async def fetch_of(database: Database, handle: str) -> AsyncIterator[Fetch]:
    """Yield a function that fetches the rows of a statement."""
    if handle == "reader":
        yield Reader(database).fetch_all
    elif handle == "search":
        yield Reader(database).search
    elif handle == "stream":

        async def stream(statement: sa.Executable, **values: Any) -> Sequence[Row]:
            return [row async for row in database.stream(statement, **values)]

        yield stream
    elif handle == "connection":
        async with database.connection() as connection:

            async def execute(statement: sa.Executable, **values: Any) -> Sequence[Row]:
                return (await connection.execute(statement, values)).all()

            yield execute
    else:
        async with database.transaction() as transaction:
            yield (ThingWriter(transaction) if handle == "writer" else transaction).fetch_all


HANDLES = ["reader", "search", "stream", "connection", "transaction", "writer"]


@pytest.mark.parametrize("handle", HANDLES)
@pytest.mark.parametrize("form", FORMS)
async def test_rows_contain_converted_values(database: Database, handle: str, form: str) -> None:
    async with fetch_of(database, handle) as fetch:
        [row] = await fetch(FORMS[form], id=2)
    number, name = row
    assert (number, name) == (2, Name.SANDY)
    assert (row.id, row.name, row[1], row[-1]) == (2, Name.SANDY, Name.SANDY, Name.SANDY)
    assert dict(row._mapping) == row._asdict() == {"id": 2, "name": Name.SANDY}
    assert row._fields == ("id", "name")
    assert row == (2, Name.SANDY)
    assert hash(row) == hash((2, Name.SANDY))
    assert type(row) is sa.Row


@pytest.mark.parametrize("handle", HANDLES)
async def test_missing_value_is_an_error(database: Database, handle: str) -> None:
    async with fetch_of(database, handle) as fetch:
        for statement in (ONE, sa.text("SELECT CAST(:id AS text)")):
            with pytest.raises(StatementError, match="A value is required for bind parameter 'id'"):
                await fetch(statement, other=1)


async def test_fetch_one_rejects_several_rows(database: Database) -> None:
    async with database.transaction() as transaction:
        for handle in (Reader(database), transaction, ThingWriter(transaction)):
            assert (await handle.fetch_one(ONE, id=1)).id == 1
            assert await handle.fetch_one_or_none(ONE, id=4) is None
            with pytest.raises(NotFoundError):
                await handle.fetch_one(ONE, id=4)
            with pytest.raises(MultipleResultsFound):
                await handle.fetch_one(ALL)
            with pytest.raises(MultipleResultsFound):
                await handle.fetch_one_or_none(ALL)


async def test_rows_can_be_copied_and_compared(transaction: Transaction) -> None:
    first, second, third = await transaction.fetch_all(ALL)
    assert (first < second, first == second, first in {first, third}) == (True, False, True)
    copied = pickle.loads(pickle.dumps(first))  # noqa: S301 - the data is from this test
    assert (copied, copied.name) == (first, Name.SPONGEBOB)
    with pytest.raises(AttributeError):
        _ = first.fullname
    with pytest.raises(AttributeError):
        first.name = "changed"


async def test_result_has_methods_of_sqlalchemy(transaction: Transaction) -> None:
    async def execute() -> sa.Result[*tuple[Any, ...]]:
        return await transaction.execute(ALL)

    assert list((await execute()).keys()) == ["id", "name"]
    assert (await execute()).first() == (1, Name.SPONGEBOB)
    assert (await execute()).fetchmany(2) == [(1, Name.SPONGEBOB), (2, Name.SANDY)]
    assert [row.id for row in await execute()] == [1, 2, 3]
    assert [len(part) for part in (await execute()).partitions(2)] == [2, 1]
    assert (await execute()).columns("name").first() == (Name.SPONGEBOB,)
    assert (await execute()).scalars("name").all() == list(Name)
    assert dict((await execute()).mappings().all()[0]) == {"id": 1, "name": Name.SPONGEBOB}
    assert (await execute()).unique(lambda row: row.id % 2).all() == [
        (1, Name.SPONGEBOB),
        (2, Name.SANDY),
    ]
    with pytest.raises(MultipleResultsFound):
        (await execute()).one()
    with pytest.raises(NoResultFound):
        (await transaction.execute(ONE, {"id": 4})).one()
    result = await execute()
    assert (len(result.all()), result.all()) == (3, [])
    result.close()
    with pytest.raises(ResourceClosedError):
        result.all()


async def test_scalars(transaction: Transaction) -> None:
    assert (await transaction.scalars(ALL)).all() == [1, 2, 3]
    assert await transaction.scalar(ALL) == 1
    assert await transaction.scalar(ONE, {"id": 4}) is None


@pytest.mark.parametrize(
    "statement",
    [
        sa.update(users).values(fullname=None),
        sa.delete(users).where(users.c.id == 3),
        sa.text("DELETE FROM user_account WHERE id = 3"),
    ],
)
async def test_statement_without_rows_has_no_result(
    transaction: Transaction, statement: sa.Executable
) -> None:
    result = await transaction.execute(statement)
    for method in (result.all, result.first, result.one, result.scalar):
        with pytest.raises(ResourceClosedError):
            method()
    with pytest.raises(ResourceClosedError):
        await transaction.fetch_all(statement)
