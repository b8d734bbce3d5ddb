"""`make seed`: fake rows for the tables of the project, and for tables that only tests create."""

import os
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient
from sqlalchemy import CheckConstraint, Column, ForeignKey, Table
from sqlalchemy.dialects.postgresql import ARRAY, INET, JSONB

from app.db import Database, metadata
from app.db.base import Row
from app.settings import Settings
from dev import DevelopmentError
from dev.seed import seed
from tests.databases import ROOT, created_tables, url_from
from tests.openapi_contract import OPERATIONS

TABLES = sa.MetaData()
authors = Table(
    "seed_authors",
    TABLES,
    Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    Column("initials", sa.String(2), unique=True, nullable=False),
    Column("email", sa.Text, CheckConstraint("email = lower(email)"), nullable=False),
    Column("is_active", sa.Boolean, server_default=sa.true(), nullable=False),
)
books = Table(
    "seed_books",
    TABLES,
    Column("id", sa.Uuid, primary_key=True, server_default=sa.func.uuidv7()),
    Column("author_id", ForeignKey(authors.c.id), nullable=False),
    Column("previous_id", ForeignKey("seed_books.id")),
    Column("title", sa.String(40), unique=True, nullable=False),
    Column("pages", sa.Integer, nullable=False),
    Column("rating", sa.SmallInteger, CheckConstraint("rating BETWEEN 1 AND 5"), nullable=False),
    Column("price", sa.Numeric(8, 2), nullable=False),
    Column("discount", sa.Numeric(3, 2), nullable=False),
    Column("change", sa.Integer, CheckConstraint("change < 0"), nullable=False),
    Column("weight", sa.Float, nullable=False),
    Column("in_print", sa.Boolean, nullable=False),
    Column("published", sa.Date, nullable=False),
    Column("opens", sa.Time, nullable=False),
    Column("starts_at", sa.DateTime(timezone=True), nullable=False),
    Column("ends_at", sa.DateTime(timezone=True), nullable=False),
    Column("deleted_at", sa.DateTime(timezone=True)),
    Column("loan", sa.Interval, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("tags", ARRAY(sa.Text), nullable=False),
    Column("scores", ARRAY(sa.Integer, dimensions=2), nullable=False),
    Column("cover", sa.LargeBinary, nullable=False),
    Column("host", INET),
    Column(
        "color",
        sa.Enum("red", "blue", name="color", native_enum=False, create_constraint=True),
        nullable=False,
    ),
    Column("status", sa.Text, CheckConstraint("status IN ('draft', 'sent')"), nullable=False),
    Column("level", sa.Integer, CheckConstraint("level IN (10, 20)"), nullable=False),
    Column("total", sa.Integer, nullable=False),
    Column("used", sa.Integer, nullable=False),
    CheckConstraint("used BETWEEN 0 AND total"),
    CheckConstraint("ends_at > starts_at"),
    CheckConstraint("discount > 0 AND discount < 1"),
)
# A constraint of expressions instead of text.
books.append_constraint(CheckConstraint(books.c.price >= 100))
books.append_constraint(CheckConstraint(books.c.pages > 0))
loans = Table(
    "seed_loans",
    TABLES,
    Column("book_id", ForeignKey(books.c.id), primary_key=True),
    Column("author_id", ForeignKey(authors.c.id), primary_key=True),
)
returns = Table(
    "seed_returns",
    TABLES,
    Column("id", sa.Integer, primary_key=True),
    Column("book_id", sa.Uuid, nullable=False),
    Column("author_id", sa.BigInteger, nullable=False),
    Column("is_late", sa.Boolean, unique=True, nullable=False),
    sa.ForeignKeyConstraint(["book_id", "author_id"], [loans.c.book_id, loans.c.author_id]),
)


async def seed_new_tables(database: Database, settings: Settings) -> tuple[list[str], list[Row]]:
    """Create and seed the tables twice in a row, and return the first report and the rows."""
    async with created_tables(url_from(settings), TABLES):
        async with database.transaction() as transaction:
            report = await seed(transaction, TABLES, 30, settings)
        async with database.transaction() as transaction:
            repeated = await seed(transaction, TABLES, 5, settings)
            rows = [
                row
                for table in TABLES.sorted_tables
                for row in await transaction.fetch_all(
                    sa.select(table).order_by(*table.primary_key)
                )
            ]
    assert all("not changed, has rows" in line for line in repeated)
    return report, rows


async def test_rows_satisfy_constraints_and_are_the_same_in_every_run(
    database: Database, settings: Settings
) -> None:
    report, rows = await seed_new_tables(database, settings)

    assert report == [
        "seed_authors: 30 rows",
        "seed_books: 30 rows",
        "seed_loans: 30 rows",
        # A column of this table is a unique boolean.
        "seed_returns: 2 rows",
    ]
    assert len(rows) == 92
    assert rows == (await seed_new_tables(database, settings))[1]
    book = rows[30]._mapping
    assert (book["previous_id"], book["host"], book["deleted_at"]) == (None, None, None)
    assert (book["author_id"], book["total"], book["details"]) == (1, 1, {"number": 1})
    ratings = {row._mapping["rating"] for row in rows[30:60]}
    assert ratings == {1, 2, 3, 4, 5}


async def test_failure_leaves_no_rows_and_names_the_constraint(
    database: Database, settings: Settings
) -> None:
    tables = sa.MetaData()
    first = Table("seed_first", tables, Column("name", sa.Text))
    rule = CheckConstraint("length(code) = 3", name="seed_rule")
    Table("seed_second", tables, Column("code", sa.Text), rule)
    async with created_tables(url_from(settings), tables):
        with pytest.raises(DevelopmentError, match=r"(?s)seed_second: .*seed_rule"):
            async with database.transaction() as transaction:
                await seed(transaction, tables, 2, settings)
        async with database.connection() as connection:
            assert await connection.scalar(sa.select(sa.func.count()).select_from(first)) == 0


async def test_column_of_unknown_type_is_reported(database: Database, settings: Settings) -> None:
    tables = sa.MetaData()
    Table("seed_hosts", tables, Column("host", INET, nullable=False))
    async with created_tables(url_from(settings), tables), database.transaction() as transaction:
        with pytest.raises(DevelopmentError, match=r"seed_hosts\.host: .*dev/seeds/seed_hosts\.py"):
            await seed(transaction, tables, 2, settings)


async def test_missing_parent_is_reported(database: Database, settings: Settings) -> None:
    tables = sa.MetaData()
    Table(
        "seed_nodes",
        tables,
        Column("id", sa.Integer, primary_key=True),
        Column("parent_id", ForeignKey("seed_nodes.id"), nullable=False),
    )
    async with created_tables(url_from(settings), tables), database.transaction() as transaction:
        with pytest.raises(DevelopmentError, match="seed_nodes has no rows to refer to"):
            await seed(transaction, tables, 2, settings)


def is_left_empty(table: str) -> bool:
    """Return whether the module of a table says that it gets no rows."""
    name = f"dev.seeds.{table}"
    return bool(find_spec(name)) and getattr(import_module(name), "IS_EMPTY", False)


async def test_every_table_of_the_service_has_rows(
    committing_client: AsyncClient, database: Database, settings: Settings
) -> None:
    async with database.transaction() as transaction:
        report = await seed(transaction, metadata, 20, settings)
    filled = {line.partition(":")[0] for line in report if line.endswith(" rows")}
    assert filled == {name for name in metadata.tables if not is_left_empty(name)}
    lists = [
        operation.path
        for operation in OPERATIONS
        if operation.name.startswith("list_") and "security" not in operation.spec
    ]
    for path in lists:
        if "{" not in path:
            response = await committing_client.get(path)
            assert (response.status_code, response.json() != []) == (200, True), path


@pytest.mark.slow
def test_production_database_is_not_changed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dev.seed"],
        cwd=ROOT,
        env={**os.environ, "ENVIRONMENT": "production"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ENVIRONMENT is production: fake rows are only for development\n"
