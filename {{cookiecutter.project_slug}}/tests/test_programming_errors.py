"""Defects of the program are 500, with a traceback in the log, but without values."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy import Executable, Integer, bindparam, select, text

from app.api.dependencies import DatabaseDep, TransactionDep
from app.db.repositories.base import Reader
from app.main import create_app
from app.settings import Settings
from tests.databases import connected, url_from

SECRET = "secret-value"


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    """Return an application to which tests add routes."""
    return create_app(settings)


@pytest.fixture(autouse=True)
async def table(settings: Settings) -> AsyncIterator[None]:
    """Create a table with a column that is NOT NULL."""
    async with connected(url_from(settings)) as connection:
        await connection.execute("CREATE TABLE probe (name text, note text NOT NULL, id uuid)")
        yield
        await connection.execute("DROP TABLE probe")


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (text("INSERT INTO probe (name) VALUES (:value)"), "NotNullViolationError"),
        (text("SELECT 1 / 0 WHERE :value <> ''"), "DivisionByZeroError"),
        (text("SELECT missing FROM probe WHERE name = :value"), "UndefinedColumnError"),
        (select(bindparam("value", type_=Integer)), "cannot be interpreted as an integer"),
        (text("SELECT * FROM probe WHERE id = :value"), "DataError"),
    ],
)
async def test_defect_is_500_with_traceback_and_without_values(
    app: FastAPI,
    client: AsyncClient,
    caplog: pytest.LogCaptureFixture,
    statement: Executable,
    error: str,
) -> None:
    @app.post(f"/{error}")
    async def fail(transaction: TransactionDep) -> None:
        await transaction.execute(statement, {"value": SECRET})

    response = await client.post(f"/{error}")
    assert response.status_code == 500
    log = caplog.text
    assert "Traceback" in log
    assert __file__ in log
    assert error in log
    assert "NoneType" not in log
    assert SECRET not in log + response.text


async def test_write_of_reader_is_500_with_traceback(
    app: FastAPI, committing_client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    statement = text("INSERT INTO probe (note) VALUES ('a') RETURNING note")

    @app.post("/write")
    async def write(database: DatabaseDep) -> None:
        await Reader(database).fetch_one(statement)

    assert (await committing_client.post("/write")).status_code == 500
    assert "Traceback" in caplog.text
    assert "read-only transaction" in caplog.text


async def test_invalid_value_of_client_is_422_without_traceback(
    app: FastAPI, client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    statements = [
        (text("SELECT CAST(:value AS integer)"), 2**31),
        (text("SELECT CAST(:value AS text)"), "\0"),
        (text("SELECT CAST(:value AS text)"), "\ud800"),
        (text("SELECT CAST(:value AS numeric(3))"), 10**3),
        (text("SELECT CAST(:value AS numeric)"), Decimal("1e-20000")),
        (text("SELECT CAST(CAST(:value AS text) AS uuid)"), SECRET),
    ]

    @app.post("/value/{number}")
    async def use_value(number: int, transaction: TransactionDep) -> None:
        statement, value = statements[number]
        await transaction.execute(statement, {"value": value})

    for number, statement in enumerate(statements):
        response = await client.post(f"/value/{number}")
        assert (str(statement), response.status_code) == (str(statement), 422)
        assert SECRET not in response.text
    assert "Traceback" not in caplog.text
