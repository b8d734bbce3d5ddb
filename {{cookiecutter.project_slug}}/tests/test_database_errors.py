"""What PostgreSQL refuses, in terms of the service; and what a refusal shows of the values."""

import logging
import traceback
from contextlib import suppress
from uuid import UUID

import pytest
from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import AppError, UnavailableError
from app.settings import Settings
from tests.databases import address_in, connected
from tests.isolation import ThingWriter

NOBODY = UUID(int=0)
SECRET = "what-nobody-should-see"


@pytest.mark.parametrize(
    ("status", "states"),
    [
        (409, ["23001", "23503", "23505"]),
        (422, ["22003", "22P02", "23502", "23514"]),
        (503, ["25006", "40000", "40001", "40P01", "55P03", "25P03", "53100", "53300"]),
        (503, ["08000", "08006", "57014", "57P01", "57P02", "57P03"]),
    ],
)
async def test_what_the_database_refuses_has_a_status(
    database: Database, status: int, states: list[str]
) -> None:
    for state in states:
        with pytest.raises(AppError) as raised:
            async with database.transaction() as transaction:
                await transaction.execute(text(f"DO $$BEGIN RAISE SQLSTATE '{state}'; END$$"))
        assert (state, raised.value.status) == (state, status)
        assert raised.value.headers == ({"Retry-After": "1"} if status == 503 else {})


async def test_a_refusal_that_is_passed_over_is_told_at_the_end(database: Database) -> None:
    with pytest.raises(RuntimeError, match="rolled back because an earlier statement failed"):
        async with database.transaction() as transaction:
            with suppress(Exception):
                await transaction.execute(text("SELECT 1 / 0"))


async def test_a_table_that_changes_meanwhile_costs_one_attempt_at_most(settings: Settings) -> None:
    one = settings.database.model_copy(update={"pool_min_size": 0, "pool_max_size": 1})
    async with (
        connected(address_in(settings)) as connection,
        Database(one) as database,
    ):

        async def note() -> str:
            async with database.transaction() as transaction:
                thing = await ThingWriter(transaction).get(NOBODY)
                return thing.note or ""

        await connection.execute(
            "CREATE TABLE things_of_tests (id uuid, name text, note text, created_at timestamptz)"
        )
        try:
            await connection.execute("INSERT INTO things_of_tests VALUES ($1, 'a', 'b')", NOBODY)
            assert await note() == "b"
            await connection.execute("ALTER TABLE things_of_tests ADD COLUMN other text")
            assert await note() == "b"
            await connection.execute("ALTER TABLE things_of_tests ALTER note TYPE varchar(9)")
            with pytest.raises(UnavailableError):
                await note()
            assert await note() == "b"
        finally:
            await connection.execute("DROP TABLE things_of_tests")


async def test_a_value_is_shown_neither_by_an_error_nor_by_the_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    statement = text("SELECT nothing FROM nowhere WHERE name = :name")
    async with Database(settings.database) as database:
        with pytest.raises(Exception, match="nowhere") as raised:
            await Reader(database).fetch_all(statement, name=SECRET)
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert SECRET not in caplog.text
