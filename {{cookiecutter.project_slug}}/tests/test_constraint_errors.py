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
    PrimaryKeyConstraint,
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
    CREATE TABLE parents_of_tests (
        id integer PRIMARY KEY, code text UNIQUE, owner integer, UNIQUE (owner, id));
    CREATE TABLE children_of_tests (
        id integer PRIMARY KEY,
        customer_id integer CONSTRAINT customer REFERENCES parents_of_tests,
        code text CONSTRAINT code REFERENCES parents_of_tests (code) DEFERRABLE INITIALLY DEFERRED,
        owner integer,
        buyer integer,
        parent_id integer CONSTRAINT parent REFERENCES children_of_tests,
        pinned_id integer CONSTRAINT pinned REFERENCES parents_of_tests ON DELETE RESTRICT,
        days int4range,
        CONSTRAINT days EXCLUDE USING gist (days WITH &&),
        CONSTRAINT buyer FOREIGN KEY (owner, buyer) REFERENCES parents_of_tests (owner, id));
    INSERT INTO parents_of_tests VALUES (1, 'a', 1), (2, 'b)=(x)', 1), (3, 'c', 1), (4, 'd', 1);
    INSERT INTO children_of_tests (id, customer_id) VALUES (10, 1);
    INSERT INTO children_of_tests (id, code) VALUES (11, 'b)=(x)');
    INSERT INTO children_of_tests (id, owner, buyer, parent_id) VALUES (12, 1, 3, 10);
    INSERT INTO children_of_tests (id, pinned_id) VALUES (13, 4);
    INSERT INTO children_of_tests (id, days) VALUES (14, '[1,5)')
"""


def create_metadata() -> MetaData:
    metadata = MetaData()
    Table(
        "parents_of_tests",
        metadata,
        Column("id", Integer),
        Column("code", Text),
        Column("owner", Integer),
        Column("name", Text),
        Column("note", Text),
        PrimaryKeyConstraint("id", name="pk"),
        UniqueConstraint("name", name="uq_name"),
        UniqueConstraint("name", "note", name="uq_name_note"),
        Index("ix_note", "note", unique=True),
    )
    Table(
        "children_of_tests",
        metadata,
        Column("customer_id", ForeignKey("parents_of_tests.id", name="customer")),
        Column("code", ForeignKey("parents_of_tests.code", name="code")),
        Column("owner", Integer),
        Column("buyer", Integer),
        Column("parent_id", ForeignKey("children_of_tests.id", name="parent")),
        ForeignKeyConstraint(
            ["owner", "buyer"], ["parents_of_tests.owner", "parents_of_tests.id"], name="buyer"
        ),
    )
    return metadata


@pytest.fixture
async def tables(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Create the tables, whose names no model has, and drop them after the test."""
    monkeypatch.setattr("app.db.constraint_errors.metadata", create_metadata())
    async with connected(url_from(settings)) as connection:
        await connection.execute(CREATE)
        yield
        await connection.execute("DROP TABLE children_of_tests, parents_of_tests")


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
        await execute(database, f"UPDATE children_of_tests SET {values} WHERE id = 10")  # noqa: S608
    assert raised.value.members.get("field") == field


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM parents_of_tests WHERE id = 1",
        "UPDATE parents_of_tests SET id = 7 WHERE id = 1",
        "DELETE FROM parents_of_tests WHERE id = 2",
        "DELETE FROM parents_of_tests WHERE id = 3",
        "DELETE FROM parents_of_tests WHERE id = 4",
        "DELETE FROM children_of_tests WHERE id = 10",
    ],
)
async def test_remaining_references_name_the_table(database: Database, statement: str) -> None:
    with pytest.raises(StillReferencedError) as raised:
        await execute(database, statement)
    assert raised.value.members == {"referenced_by": "children_of_tests"}


@pytest.mark.usefixtures("tables")
async def test_excluded_row_is_a_conflict(database: Database) -> None:
    with pytest.raises(ConflictError):
        await execute(database, "INSERT INTO children_of_tests (id, days) VALUES (20, '[4,9)')")


def translated(error: BaseException, **fields: str) -> AppError | None:
    """Return the application error for a server error with these fields."""
    for name, value in fields.items():
        setattr(error, name, value)
    return translate_driver_error(error)


@pytest.mark.parametrize(
    ("constraint", "key", "table", "expected"),
    [
        ("customer", "customer_id", "parents_of_tests", ReferenceNotFoundError),
        ("customer", "id", "children_of_tests", StillReferencedError),
        ("code", "code", "parents_of_tests", ReferenceNotFoundError),
        ("code", "code", "children_of_tests", StillReferencedError),
        ("parent", "parent_id", "children_of_tests", ReferenceNotFoundError),
        ("parent", "id", "children_of_tests", StillReferencedError),
        ("unknown", "customer_id", "parents_of_tests", ReferenceNotFoundError),
        ("unknown", "id", "children_of_tests", StillReferencedError),
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
    detail = f"Schlüssel ({key})=(children_of_tests parents_of_tests) und Tabelle »{table}«."
    found = translated(
        ForeignKeyViolationError("verletzt Fremdschlüssel"),
        table_name="children_of_tests",
        constraint_name=constraint,
        detail=detail,
    )
    assert type(found) is expected


def test_violated_restriction_needs_no_detail() -> None:
    found = translated(RestrictViolationError("restricted"), table_name="children_of_tests")
    assert isinstance(found, StillReferencedError)


@pytest.mark.parametrize(
    ("constraint", "field"),
    [("pk", "id"), ("uq_name", "name"), ("uq_name_note", None), ("ix_note", "note"), ("x", None)],
)
def test_unique_violation_names_single_column(
    monkeypatch: pytest.MonkeyPatch, constraint: str, field: str | None
) -> None:
    monkeypatch.setattr("app.db.constraint_errors.metadata", create_metadata())
    found = translated(
        UniqueViolationError("taken"), table_name="parents_of_tests", constraint_name=constraint
    )
    assert isinstance(found, AlreadyExistsError)
    assert found.members.get("field") == field
