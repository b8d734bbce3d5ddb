"""Base classes of the repositories, tested on a table that only these tests create."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

import pytest
from sqlalchemy import (
    Column,
    MetaData,
    Table,
    Text,
    Uuid,
    bindparam,
    select,
    text,
)
from sqlalchemy.sql.compiler import SQLCompiler

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import AlreadyExistsError, NotFoundError
from app.settings import Settings
from tests.databases import created_tables, url_from
from tests.isolation import ThingWriter, things_metadata

UNKNOWN_ID = UUID(int=0)

things = Table(
    "things_of_tests", MetaData(), Column("id", Uuid), Column("name", Text), Column("note", Text)
)
SELECT_BY_NAME = select(things.c.id, things.c.name, things.c.note).where(
    things.c.name == bindparam("name")
)


@pytest.fixture(autouse=True)
async def table(settings: Settings) -> AsyncIterator[None]:
    """Create the table of `ThingWriter`, and drop it after the test."""
    async with created_tables(url_from(settings), things_metadata):
        yield


async def create(database: Database, name: str, note: str | None = None) -> UUID:
    async with database.transaction() as transaction:
        thing = await ThingWriter(transaction).create(name=name, note=note)
        key: UUID = thing.id
        return key


async def test_create_returns_server_defaults(database: Database) -> None:
    async with database.transaction() as transaction:
        thing = await ThingWriter(transaction).create(name="a", note=None)
    assert isinstance(thing.id, UUID)
    assert thing.created_at.utcoffset() is not None


async def test_reader_and_writer_find_row(database: Database) -> None:
    key = await create(database, "a", "b")
    row = await Reader(database).fetch_one(SELECT_BY_NAME, name="a")
    assert (row.id, row.name, row.note) == (key, "a", "b")
    async with database.transaction() as transaction:
        assert (await ThingWriter(transaction).get(key)).name == "a"


async def test_row_has_only_selected_columns(database: Database) -> None:
    await create(database, "a")
    row = await Reader(database).fetch_one(SELECT_BY_NAME, name="a")
    with pytest.raises(AttributeError):
        _ = row.other


async def test_update_keeps_omitted_columns(database: Database) -> None:
    key = await create(database, "a", "b")
    async with database.transaction() as transaction:
        thing = await ThingWriter(transaction).update(key, note=None)
        assert (thing.name, thing.note) == ("a", None)
        assert (await ThingWriter(transaction).update(key)).name == "a"


async def test_statement_is_compiled_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Reader(database).fetch_all(SELECT_BY_NAME, name="a")
    # From here on, compiling a SELECT fails.
    monkeypatch.delattr(SQLCompiler, "visit_select")
    await Reader(database).fetch_all(SELECT_BY_NAME, name="b")


async def test_delete_removes_row(database: Database) -> None:
    key = await create(database, "a")
    async with database.transaction() as transaction:
        await ThingWriter(transaction).delete(key)
    with pytest.raises(NotFoundError):
        await Reader(database).fetch_one(SELECT_BY_NAME, name="a")


async def test_concurrent_update_and_delete_succeed_or_raise_not_found(database: Database) -> None:
    key = await create(database, "a")

    async def delete() -> None:
        async with database.transaction() as transaction:
            await ThingWriter(transaction).delete(key)

    # Raised by `update`, unless `get` has locked the row: then the delete waits for the update.
    with suppress(NotFoundError):
        async with database.transaction() as transaction:
            thing = await ThingWriter(transaction).get(key)
            deleting = asyncio.create_task(delete())
            await asyncio.wait([deleting], timeout=0.1)
            await ThingWriter(transaction).update(thing.id, note="changed")
    await deleting
    with pytest.raises(NotFoundError):
        await delete()


@pytest.mark.parametrize("method", ["get", "update", "delete"])
async def test_unknown_id_raises_not_found(database: Database, method: str) -> None:
    with pytest.raises(NotFoundError):
        async with database.transaction() as transaction:
            await getattr(ThingWriter(transaction), method)(UNKNOWN_ID)


async def test_unique_violation_raises_already_exists(database: Database) -> None:
    await create(database, "a")
    with pytest.raises(AlreadyExistsError):
        await create(database, "a")
    rows = await Reader(database).fetch_all(text("SELECT count(*) FROM things_of_tests"))
    assert rows[0][0] == 1
