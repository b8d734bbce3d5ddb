"""Errors of constraints name the field of the request, or what still refers to the row."""

from collections.abc import AsyncIterator

import pytest
from asyncpg import ForeignKeyViolationError, RestrictViolationError, UniqueViolationError
from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from app.db import Database
from app.db.errors import translate_driver_error
from app.errors import (
    AlreadyExistsError,
    AppError,
    ConflictError,
    ReferenceNotFoundError,
    StillReferencedError,
)
from app.settings import Settings
from tests.databases import connected, url_from

CREATE = """
    CREATE TABLE customers (
        id integer PRIMARY KEY, code text UNIQUE, owner integer, UNIQUE (owner, id));
    CREATE TABLE invoices (
        id integer PRIMARY KEY,
        customer_id integer CONSTRAINT customer REFERENCES customers,
        code text CONSTRAINT code REFERENCES customers (code) DEFERRABLE INITIALLY DEFERRED,
        owner integer,
        buyer integer,
        parent_id integer CONSTRAINT parent REFERENCES invoices,
        pinned_id integer CONSTRAINT pinned REFERENCES customers ON DELETE RESTRICT,
        days int4range,
        CONSTRAINT days EXCLUDE USING gist (days WITH &&),
        CONSTRAINT buyer FOREIGN KEY (owner, buyer) REFERENCES customers (owner, id));
    INSERT INTO customers VALUES (1, 'a', 1), (2, 'b)=(x)', 1), (3, 'c', 1), (4, 'd', 1);
    INSERT INTO invoices (id, customer_id) VALUES (10, 1);
    INSERT INTO invoices (id, code) VALUES (11, 'b)=(x)');
    INSERT INTO invoices (id, owner, buyer, parent_id) VALUES (12, 1, 3, 10);
    INSERT INTO invoices (id, pinned_id) VALUES (13, 4);
    INSERT INTO invoices (id, days) VALUES (14, '[1,5)')
"""


def create_metadata() -> MetaData:
    metadata = MetaData()
    Table(
        "customers",
        metadata,
        Column("id", Integer),
        Column("code", Text),
        Column("owner", Integer),
        Column("name", Text),
        Column("note", Text),
        UniqueConstraint("name", name="uq_name"),
        UniqueConstraint("name", "note", name="uq_name_note"),
        Index("ix_note", "note", unique=True),
    )
    Table(
        "invoices",
        metadata,
        Column("customer_id", ForeignKey("customers.id", name="customer")),
        Column("code", ForeignKey("customers.code", name="code")),
        Column("owner", Integer),
        Column("buyer", Integer),
        Column("parent_id", ForeignKey("invoices.id", name="parent")),
        ForeignKeyConstraint(["owner", "buyer"], ["customers.owner", "customers.id"], name="buyer"),
    )
    return metadata


@pytest.fixture
async def tables(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Create customers and their invoices, and drop them after the test."""
    monkeypatch.setattr("app.db.constraint_errors.metadata", create_metadata())
    async with connected(url_from(settings)) as connection:
        await connection.execute(CREATE)
        yield
        await connection.execute("DROP TABLE invoices, customers")


async def execute(database: Database, statement: str) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(text(statement))


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ("customer_id = 99", "customer_id"),
        ("code = 'missing'", "code"),
        ("parent_id = 99", "parent_id"),
        ("pinned_id = 99", "pinned_id"),
        ("owner = 1, buyer = 99", None),
    ],
)
async def test_missing_reference_names_the_field(
    database: Database, values: str, field: str | None
) -> None:
    with pytest.raises(ReferenceNotFoundError) as raised:
        await execute(database, f"UPDATE invoices SET {values} WHERE id = 10")  # noqa: S608
    assert raised.value.members.get("field") == field


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM customers WHERE id = 1",
        "UPDATE customers SET id = 7 WHERE id = 1",
        "DELETE FROM customers WHERE id = 2",
        "DELETE FROM customers WHERE id = 3",
        "DELETE FROM customers WHERE id = 4",
        "DELETE FROM invoices WHERE id = 10",
    ],
)
async def test_remaining_references_name_the_table(database: Database, statement: str) -> None:
    with pytest.raises(StillReferencedError) as raised:
        await execute(database, statement)
    assert raised.value.members == {"referenced_by": "invoices"}


@pytest.mark.usefixtures("tables")
async def test_excluded_row_is_a_conflict(database: Database) -> None:
    with pytest.raises(ConflictError):
        await execute(database, "INSERT INTO invoices (id, days) VALUES (20, '[4,9)')")


def translated(error: BaseException, **fields: str) -> AppError | None:
    """Return the application error for a server error with these fields."""
    for name, value in fields.items():
        setattr(error, name, value)
    return translate_driver_error(error)


@pytest.mark.parametrize(
    ("constraint", "key", "table", "expected"),
    [
        ("customer", "customer_id", "customers", ReferenceNotFoundError),
        ("customer", "id", "invoices", StillReferencedError),
        ("code", "code", "customers", ReferenceNotFoundError),
        ("code", "code", "invoices", StillReferencedError),
        ("parent", "parent_id", "invoices", ReferenceNotFoundError),
        ("parent", "id", "invoices", StillReferencedError),
        ("unknown", "customer_id", "customers", ReferenceNotFoundError),
        ("unknown", "id", "invoices", StillReferencedError),
    ],
)
def test_language_of_the_message_is_irrelevant(
    monkeypatch: pytest.MonkeyPatch,
    constraint: str,
    key: str,
    table: str,
    expected: type[ConflictError],
) -> None:
    monkeypatch.setattr("app.db.constraint_errors.metadata", create_metadata())
    detail = f"Schlüssel ({key})=(invoices customers) und Tabelle »{table}«."
    found = translated(
        ForeignKeyViolationError("verletzt Fremdschlüssel"),
        table_name="invoices",
        constraint_name=constraint,
        detail=detail,
    )
    assert type(found) is expected


def test_violated_restriction_needs_no_detail() -> None:
    found = translated(RestrictViolationError("restricted"), table_name="invoices")
    assert isinstance(found, StillReferencedError)


@pytest.mark.parametrize(
    ("constraint", "field"),
    [("uq_name", "name"), ("uq_name_note", None), ("ix_note", "note"), ("unknown", None)],
)
def test_unique_violation_names_single_column(
    monkeypatch: pytest.MonkeyPatch, constraint: str, field: str | None
) -> None:
    monkeypatch.setattr("app.db.constraint_errors.metadata", create_metadata())
    found = translated(
        UniqueViolationError("taken"), table_name="customers", constraint_name=constraint
    )
    assert isinstance(found, AlreadyExistsError)
    assert found.members.get("field") == field
