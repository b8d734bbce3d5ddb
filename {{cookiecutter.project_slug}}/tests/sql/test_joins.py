"""The SELECT statements of SQLAlchemy's tutorial: joins, order, groups and limits.

https://docs.sqlalchemy.org/en/21/tutorial/data_select.html
"""

from typing import Any

import pytest
import sqlalchemy as sa

from app.db import Database
from tests.sql.accounts import addresses, fetch, users

pytestmark = pytest.mark.usefixtures("accounts")

FIRST, SECOND = users.alias("first"), users.alias("second")
NAME, EMAIL = users.c.name, addresses.c.email_address
SPONGEBOB, SANDY, PATRICK = ("spongebob",), ("sandy",), ("patrick",)
BY_ID = sa.select(NAME).order_by(users.c.id)

JOINS: dict[str, tuple[sa.Select[Any], list[Any]]] = {
    "two tables": (
        sa.select(NAME, EMAIL).where(users.c.id == addresses.c.user_id, users.c.id < 2),
        [("spongebob", "spongebob@sqlalchemy.org")],
    ),
    "join_from": (
        sa.select(NAME, EMAIL).join_from(users, addresses).order_by(addresses.c.id).limit(2),
        [("spongebob", "spongebob@sqlalchemy.org"), ("sandy", "sandy@sqlalchemy.org")],
    ),
    "join": (
        sa.select(NAME).select_from(users).join(addresses).distinct().order_by(NAME),
        [SANDY, SPONGEBOB],
    ),
    "on": (
        sa.select(EMAIL)
        .select_from(users)
        .join(addresses, users.c.id == addresses.c.user_id)
        .where(NAME == "sandy")
        .order_by(EMAIL),
        [("sandy@sqlalchemy.org",), ("sandy@squirrelpower.org",)],
    ),
    "outer": (
        sa.select(NAME, EMAIL).join_from(users, addresses, isouter=True).where(EMAIL.is_(None)),
        [("patrick", None)],
    ),
    "full": (sa.select(sa.func.count()).select_from(users.join(addresses, full=True)), [(4,)]),
    "count": (sa.select(sa.func.count("*")).select_from(users), [(3,)]),
    "aliases": (
        sa.select(FIRST.c.name, SECOND.c.name)
        .join_from(FIRST, SECOND, FIRST.c.id > SECOND.c.id)
        .order_by(FIRST.c.id, SECOND.c.id),
        [("sandy", "spongebob"), ("patrick", "spongebob"), ("patrick", "sandy")],
    ),
}
GROUPS: dict[str, tuple[sa.Select[Any], list[Any]]] = {
    "order": (sa.select(NAME).order_by(users.c.fullname.desc()), [SPONGEBOB, SANDY, PATRICK]),
    "order of NULL": (
        sa.select(EMAIL)
        .join_from(users, addresses, isouter=True)
        .order_by(EMAIL.desc().nulls_first())
        .limit(2),
        [(None,), ("spongebob@sqlalchemy.org",)],
    ),
    "having": (
        sa.select(NAME, sa.func.count(addresses.c.id).label("count"))
        .join(addresses)
        .group_by(NAME)
        .having(sa.func.count(addresses.c.id) > 1),
        [("sandy", 2)],
    ),
    "order by a label": (
        sa.select(addresses.c.user_id, sa.func.count(addresses.c.id).label("num_addresses"))
        .group_by("user_id")
        .order_by("user_id", sa.desc("num_addresses")),
        [(1, 1), (2, 2)],
    ),
    "rollup": (
        sa.select(addresses.c.user_id, sa.func.count())
        .group_by(sa.func.rollup(addresses.c.user_id))
        .order_by(addresses.c.user_id.nulls_last()),
        [(1, 1), (2, 2), (None, 3)],
    ),
    "limit and offset": (BY_ID.limit(1).offset(1), [SANDY]),
    "fetch": (BY_ID.fetch(2), [SPONGEBOB, SANDY]),
    "slice": (BY_ID.slice(1, 3), [SANDY, PATRICK]),
    "sample": (
        sa.select(sa.tablesample(users, sa.func.bernoulli(100)).c.id).order_by("id"),
        [(1,), (2,), (3,)],
    ),
}


@pytest.mark.parametrize("name", JOINS)
async def test_joins(database: Database, name: str) -> None:
    statement, expected = JOINS[name]
    assert await fetch(database, statement) == expected


@pytest.mark.parametrize("name", GROUPS)
async def test_groups_and_order(database: Database, name: str) -> None:
    statement, expected = GROUPS[name]
    assert await fetch(database, statement) == expected
