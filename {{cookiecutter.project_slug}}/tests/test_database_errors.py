"""Database errors are translated to application errors, which contain no values."""

import asyncio
import logging
import traceback
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from asyncpg import UniqueViolationError
from sqlalchemy import Column, Integer, MetaData, Table, UniqueConstraint, text

from app.db import Database
from app.db.errors import translate_driver_error
from app.db.repositories.base import Reader
from app.errors import AlreadyExistsError, AppError, UnavailableError
from app.settings import Settings
from tests.databases import connected, url_from
from tests.isolation import ThingWriter

UNKNOWN_ID = UUID(int=0)
SECRET = "secret-value"


@pytest.mark.parametrize(
    ("status", "states"),
    [
        (409, ["23001", "23503", "23505", "23P01"]),
        (422, ["22000", "22001", "22003", "22008", "22021", "22P02", "22P05", "23514", "54000"]),
        (503, ["40000", "40001", "40P01", "55P03", "25P03", "53100", "53300"]),
        (503, ["08000", "08006", "57014", "57P01", "57P02", "57P03"]),
    ],
)
async def test_sqlstate_maps_to_status(database: Database, status: int, states: list[str]) -> None:
    for state in states:
        with pytest.raises(AppError) as raised:
            async with database.transaction() as transaction:
                await transaction.execute(text(f"DO $$BEGIN RAISE SQLSTATE '{state}'; END$$"))
        assert (state, raised.value.status) == (state, status)
        assert raised.value.headers == ({"Retry-After": "1"} if status == 503 else {})


@pytest.mark.parametrize("state", ["22012", "22023", "2201W", "23502", "25006", "42703", "42P01"])
async def test_programming_error_is_not_translated(database: Database, state: str) -> None:
    with pytest.raises(Exception, match=state) as raised:
        async with database.transaction() as transaction:
            await transaction.execute(text(f"DO $$BEGIN RAISE SQLSTATE '{state}'; END$$"))
    assert not isinstance(raised.value, AppError)


async def test_suppressed_error_fails_the_commit(database: Database) -> None:
    with pytest.raises(RuntimeError, match="rolled back because an earlier statement failed"):
        async with database.transaction() as transaction:
            with suppress(Exception):
                await transaction.execute(text("SELECT 1 / 0"))


async def test_schema_change_fails_at_most_one_request(settings: Settings) -> None:
    one_connection = settings.database.model_copy(update={"pool_min_size": 0, "pool_max_size": 1})
    async with (
        connected(url_from(settings)) as connection,
        Database(one_connection) as database,
    ):

        async def read_note() -> str:
            async with database.transaction() as transaction:
                thing = await ThingWriter(transaction).get(UNKNOWN_ID)
                return thing.note or ""

        await connection.execute(
            "CREATE TABLE things_of_tests (id uuid, name text, note text, created_at timestamptz)"
        )
        try:
            await connection.execute(
                "INSERT INTO things_of_tests VALUES ($1, 'a', 'b')", UNKNOWN_ID
            )
            assert await read_note() == "b"
            await connection.execute("ALTER TABLE things_of_tests ADD COLUMN other text")
            assert await read_note() == "b"
            await connection.execute("ALTER TABLE things_of_tests ALTER note TYPE varchar(9)")
            # The plan that the connection has cached returns another type.
            with pytest.raises(UnavailableError):
                await read_note()
            assert await read_note() == "b"
        finally:
            await connection.execute("DROP TABLE things_of_tests")


@pytest.mark.parametrize("size", [1, 3])
async def test_schema_change_fails_no_read(settings: Settings, size: int) -> None:
    limits = {"pool_min_size": 0, "pool_max_size": size}
    read = text("SELECT *, pg_sleep(0.02) FROM changed")
    async with (
        connected(url_from(settings)) as connection,
        Database(settings.database.model_copy(update=limits)) as database,
    ):
        reader = Reader(database)

        async def read_with_all_connections() -> list[str]:
            # Each has cached the statement.
            rows = await asyncio.gather(*(reader.fetch_one(read) for _ in range(size)))
            return [row.note for row in rows]

        await connection.execute("CREATE TABLE changed AS SELECT text 'a' AS note")
        try:
            assert await read_with_all_connections() == ["a"] * size
            for type_ in ("varchar(9)", "text", "varchar(5)"):
                await connection.execute(f"ALTER TABLE changed ALTER note TYPE {type_}")
                assert await read_with_all_connections() == ["a"] * size
                assert await read_with_all_connections() == ["a"] * size
        finally:
            await connection.execute("DROP TABLE changed")


async def test_values_are_neither_in_errors_nor_in_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    statement = text("SELECT 1 FROM missing_table WHERE name = :name")
    async with Database(settings.database) as database:
        with pytest.raises(Exception, match="missing_table") as raised:
            await Reader(database).fetch_all(statement, name=SECRET)
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert SECRET not in caplog.text


def test_owner_is_not_the_field_of_a_unique_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = MetaData()
    columns = Column("owner_id", Integer), Column("number", Integer)
    Table("rows_of_tests", metadata, *columns, UniqueConstraint(*columns, name="uq_number"))
    monkeypatch.setattr("app.db.constraint_errors.metadata", metadata)
    error: Any = UniqueViolationError("taken")
    error.table_name, error.constraint_name = "rows_of_tests", "uq_number"
    translated = translate_driver_error(error)
    assert isinstance(translated, AlreadyExistsError)
    assert translated.members == {"field": "number"}
