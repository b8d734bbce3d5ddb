"""The SELECT statements of SQLAlchemy's tutorial: columns and conditions.

https://docs.sqlalchemy.org/en/21/tutorial/data_select.html
"""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from app.db import Database
from tests.sql.accounts import addresses, fetch, users

pytestmark = pytest.mark.usefixtures("accounts")

NAME, EMAIL = users.c.name, addresses.c.email_address
SPONGEBOB, SANDY, PATRICK = ("spongebob",), ("sandy",), ("patrick",)
BY_ID = sa.select(NAME).order_by(users.c.id)

COLUMNS: dict[str, tuple[sa.Executable, list[Any]]] = {
    "table": (
        sa.select(users).where(NAME == "spongebob"),
        [(1, "spongebob", "Spongebob Squarepants")],
    ),
    "several columns": (
        sa.select(*users.c["name", "fullname"]).where(NAME == "sandy"),
        [("sandy", "Sandy Cheeks")],
    ),
    "label": (
        sa.select(("Username: " + NAME).label("username")).order_by(NAME),
        [("Username: patrick",), ("Username: sandy",), ("Username: spongebob",)],
    ),
    "text": (
        sa.select(sa.text("'some phrase'"), NAME).order_by(NAME).limit(1),
        [("some phrase", "patrick")],
    ),
    "literal column": (
        sa.select(sa.literal_column("'some phrase'").label("p"), NAME).order_by(NAME).limit(1),
        [("some phrase", "patrick")],
    ),
    "cast": (
        sa.select(sa.cast(users.c.id, sa.String)).order_by(users.c.id),
        [("1",), ("2",), ("3",)],
    ),
    "type_coerce": (
        sa.select(sa.type_coerce({"some_key": {"foo": "bar"}}, sa.JSON)["some_key"]),
        [({"foo": "bar"},)],
    ),
    "case": (
        sa.select(sa.case((NAME == "sandy", 1), (users.c.id > 2, sa.literal(2)), else_=0)).order_by(
            users.c.id
        ),
        [(0,), (1,), (2,)],
    ),
    "case with a value": (
        sa.select(sa.case({"sandy": "S", "patrick": "P"}, value=NAME)).order_by(users.c.id),
        [(None,), ("S",), ("P",)],
    ),
    "literals": (
        sa.select(sa.literal(5), sa.literal("a"), sa.literal(None), sa.null(), sa.true()),
        [(5, "a", None, None, True)],
    ),
    "distinct": (sa.select(sa.func.left(NAME, 1)).distinct(), [("p",), ("s",)]),
    "distinct on": (
        sa.select(EMAIL)
        .ext(distinct_on(addresses.c.user_id))
        .order_by(addresses.c.user_id, EMAIL.desc()),
        [("spongebob@sqlalchemy.org",), ("sandy@squirrelpower.org",)],
    ),
}
CONDITIONS: dict[str, tuple[sa.ColumnElement[bool] | sa.TextClause, list[Any]]] = {
    "equal": (NAME == "sandy", [SANDY]),
    "greater": (users.c.id > 2, [PATRICK]),
    "and": (sa.and_(NAME == "sandy", users.c.fullname == "Sandy Cheeks"), [SANDY]),
    "or": (sa.or_(NAME == "sandy", NAME == "patrick"), [SANDY, PATRICK]),
    "not": (sa.not_(NAME == "sandy"), [SPONGEBOB, PATRICK]),
    "is null": (users.c.fullname.is_(None), []),
    "is not null": (users.c.fullname.is_not(None), [SPONGEBOB, SANDY, PATRICK]),
    "distinct from": (users.c.fullname.is_distinct_from("Patrick Star"), [SPONGEBOB, SANDY]),
    "in": (NAME.in_(["sandy", "squidward"]), [SANDY]),
    "in nothing": (NAME.in_([]), []),
    "not in": (NAME.not_in(["sandy", "patrick"]), [SPONGEBOB]),
    "in a query": (users.c.id.in_(sa.select(addresses.c.user_id)), [SPONGEBOB, SANDY]),
    "tuple in": (sa.tuple_(users.c.id, NAME).in_([(1, "sandy"), (2, "sandy")]), [SANDY]),
    "tuple greater": (sa.tuple_(users.c.id, NAME) > (2, "a"), [SANDY, PATRICK]),
    "between": (users.c.id.between(2, 3), [SANDY, PATRICK]),
    "like": (NAME.like("s%"), [SPONGEBOB, SANDY]),
    "ilike": (NAME.ilike("%PAT%"), [PATRICK]),
    "startswith": (NAME.startswith("san", autoescape=True), [SANDY]),
    "contains": (NAME.contains("a%b", autoescape=True), []),
    "regular expression": (NAME.regexp_match("^s.*y$"), [SANDY]),
    "any of an array": (
        users.c.id == sa.any_(sa.literal([1, 3], sa.ARRAY(sa.Integer))),
        [SPONGEBOB, PATRICK],
    ),
    "all of an array": (users.c.id > sa.all_(sa.literal([1, 2], sa.ARRAY(sa.Integer))), [PATRICK]),
    "arithmetic": ((users.c.id * 2 - 1) % 3 == 0, [SANDY]),
    "collation": (NAME.collate("C") < "q", [PATRICK]),
    "textual": (sa.text("name = :who").bindparams(who="sandy"), [SANDY]),
    "always": (sa.true(), [SPONGEBOB, SANDY, PATRICK]),
}


@pytest.mark.parametrize("name", COLUMNS)
async def test_columns(database: Database, name: str) -> None:
    statement, expected = COLUMNS[name]
    assert sorted(await fetch(database, statement), key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("name", CONDITIONS)
async def test_conditions(database: Database, name: str) -> None:
    condition, expected = CONDITIONS[name]
    assert await fetch(database, BY_ID.where(condition)) == expected
