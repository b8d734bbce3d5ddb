"""Parameters and textual SQL work as SQLAlchemy documents them.

https://docs.sqlalchemy.org/en/21/tutorial/dbapi_transactions.html
"""

from enum import Enum
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import ArgumentError, CompileError, InvalidRequestError, StatementError

from app.db import Transaction
from tests.sql.accounts import users

pytestmark = pytest.mark.usefixtures("accounts")


class Initial(Enum):
    """A value that is converted before it is compared."""

    P = "p"
    S = "s"


c = users.c
IDS = sa.select(c.id).order_by(c.id)
OPTIONAL = sa.bindparam("id", type_=sa.Integer)
initial = sa.type_coerce(
    sa.func.upper(sa.func.left(c.name, 1)), sa.Enum(Initial, native_enum=False)
)
REQUIRED = "A value is required for bind parameter"


def ids_of(parameter: sa.BindParameter[Any]) -> sa.Select[Any]:
    """Return a statement of the same structure for each parameter."""
    return IDS.where(c.id == parameter)


@pytest.mark.parametrize(
    ("statement", "values", "ids"),
    [
        (IDS.where(sa.or_(OPTIONAL.is_(None), c.id == OPTIONAL)), {"id": None}, [1, 2, 3]),
        (IDS.where(sa.or_(OPTIONAL.is_(None), c.id == OPTIONAL)), {"id": 2}, [2]),
        (IDS.where(c.id.in_(sa.bindparam("ids", expanding=True))), {"ids": [1, 3]}, [1, 3]),
        (IDS.where(c.id.in_(sa.bindparam("ids", expanding=True))), {"ids": (2,)}, [2]),
        (IDS.where(c.id.in_(sa.bindparam("ids", expanding=True))), {"ids": []}, []),
        (IDS.where(c.id.not_in(sa.bindparam("ids", expanding=True))), {"ids": []}, [1, 2, 3]),
        (IDS.where(initial.in_([Initial.S])), {}, [1, 2]),
        (IDS.where(initial == sa.bindparam("initial")), {"initial": Initial.P}, [3]),
        (IDS.where(c.id > 1, sa.bindparam("below") > c.id), {"below": 3}, [2]),
        (ids_of(sa.bindparam("id", 1)), {}, [1]),
        (ids_of(sa.bindparam("id", 2)), {}, [2]),
        (ids_of(sa.bindparam("id", 2)), {"id": 3}, [3]),
        (ids_of(sa.bindparam("id", 2, literal_execute=True)), {}, [2]),
        (sa.text("SELECT 1 WHERE :a = :b AND :b = :a").columns(c.id), {"a": "x", "b": "x"}, [1]),
        (sa.text("SELECT id FROM user_account WHERE id = ANY(:ids)"), {"ids": [3]}, [3]),
        (
            sa.text("SELECT id FROM user_account WHERE id IN :ids ORDER BY id").bindparams(
                sa.bindparam("ids", expanding=True)
            ),
            {"ids": [1, 2]},
            [1, 2],
        ),
    ],
)
async def test_parameters(
    transaction: Transaction, statement: sa.Executable, values: dict[str, Any], ids: list[int]
) -> None:
    for _ in range(3):
        assert (await transaction.scalars(statement, values)).all() == ids


async def test_statements_of_the_same_structure_have_their_own_values(
    transaction: Transaction,
) -> None:
    for number in (1, 2, 1):
        label = sa.func.max(c.id).label("found")
        row = await transaction.fetch_one(sa.select(label).where(c.id == number))
        assert (row.found, row._mapping[label]) == (number, number)


async def test_duplicate_names_are_matched_by_position(transaction: Transaction) -> None:
    row = await transaction.fetch_one(sa.select(c.id, c.name.label("id"), c.id).where(c.id == 1))
    assert tuple(row) == (1, "spongebob", 1)
    with pytest.raises(InvalidRequestError, match="Ambiguous"):
        _ = row._mapping["id"]


async def test_names_may_contain_any_characters(transaction: Transaction) -> None:
    table = sa.Table(
        "odd names",
        sa.MetaData(),
        sa.Column("a (b) %c: d.e[f]", sa.Integer),
        sa.Column("select", sa.Text, key="from"),
    )
    odd = table.c[0]
    await transaction.execute(
        sa.text(
            'CREATE TEMPORARY TABLE "odd names" ("a (b) %c: d.e[f]" int, "select" text)'
            " ON COMMIT DROP"
        )
    )
    await transaction.execute(sa.insert(table), {odd.name: 1, "from": "x"})
    await transaction.execute(sa.insert(table), [{odd.name: 2, "from": "y"}] * 2)
    await transaction.execute(sa.update(table).where(odd == 1).values({"from": "%s"}))
    rows = await transaction.fetch_all(sa.select(table).order_by(odd))
    assert rows == [(1, "%s"), (2, "y"), (2, "y")]
    assert rows[0]._mapping == {odd.name: 1, "select": "%s"}


async def test_textual_sql(transaction: Transaction) -> None:
    statement = sa.text(
        "SELECT '100%' AS percent, 7 % 4, '\\:y', CAST(:x AS text) || :x, 5\\:\\:numeric,"
        " '{\"a\": 1}'\\:\\:jsonb AS document, ARRAY[1, NULL] AS numbers"
    )
    row = await transaction.fetch_one(statement, x="z")
    assert tuple(row) == ("100%", 3, ":y", "zz", 5, {"a": 1}, [1, None])
    assert (row.percent, row.document) == ("100%", {"a": 1})
    empty = await transaction.execute(sa.text("SELECT 1 AS one WHERE false"))
    assert (list(empty.keys()), empty.all()) == (["one"], [])


async def test_columns_of_textual_sql_are_objects(transaction: Transaction) -> None:
    statement = sa.text("SELECT id, name FROM user_account WHERE id = 1").columns(c.id, c.name)
    row = await transaction.fetch_one(statement)
    assert (row._mapping[c.id], row._mapping[c.name]) == (1, "spongebob")
    typed = sa.text("SELECT '[1]' AS document").columns(sa.column("document", JSONB))
    assert (await transaction.fetch_one(typed)).document == "[1]"


@pytest.mark.parametrize(
    ("statement", "parameters", "name"),
    [
        (sa.text("SELECT CAST(:x AS text)"), {"y": "a"}, "x"),
        (sa.text("UPDATE user_account SET name = :x"), {"y": "a"}, "x"),
        (IDS.where(c.id.in_(sa.bindparam("ids", expanding=True))), {}, "ids"),
        (sa.insert(users), [{"id": 7, "name": "a"}, {"id": 8}], "name"),
        (sa.delete(users).where(c.id == sa.bindparam("x")), [{"x": 1}, {"y": 1}], "x"),
    ],
)
async def test_missing_parameter_is_an_error(
    transaction: Transaction, statement: sa.Executable, parameters: Any, name: str
) -> None:
    with pytest.raises(StatementError, match=f"{REQUIRED} '{name}'"):
        await transaction.execute(statement, parameters)
    assert (await transaction.scalars(IDS)).all() == [1, 2, 3]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([], "is empty"),
        ((), "is empty"),
        ([1], "must consist only of dictionaries"),
        ([("a",)], "must consist only of dictionaries"),
        ("a", "mapping or list expected"),
        (({"id": n} for n in (8, 9)), "mapping or list expected"),
    ],
)
async def test_parameters_must_be_mappings(
    transaction: Transaction, parameters: Any, message: str
) -> None:
    for statement in (sa.insert(users), sa.text("DELETE FROM user_account")):
        for method in (transaction.execute, transaction.scalars, transaction.scalar):
            with pytest.raises(ArgumentError, match=message):
                await method(statement, parameters)
    assert (await transaction.scalars(IDS)).all() == [1, 2, 3]


async def test_unknown_column_is_an_error(transaction: Transaction) -> None:
    for statement in (sa.insert(users), sa.update(users)):
        with pytest.raises(CompileError, match="nmae"):
            await transaction.execute(statement.values(name="a", nmae="b"))


async def test_value_that_cannot_be_converted_is_an_error(transaction: Transaction) -> None:
    statement = IDS.where(initial == sa.bindparam("x", type_=initial.type))
    with pytest.raises(StatementError, match="LookupError"):
        await transaction.execute(statement, {"x": 5})
    assert (await transaction.scalars(IDS)).all() == [1, 2, 3]
