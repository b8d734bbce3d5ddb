"""The subqueries, set operations and EXISTS of SQLAlchemy's tutorial.

https://docs.sqlalchemy.org/en/21/tutorial/data_select.html#subqueries-and-ctes
"""

from typing import Any

import pytest
import sqlalchemy as sa

from app.db import Database
from tests.sql.accounts import addresses, fetch, users

pytestmark = pytest.mark.usefixtures("accounts")

NAME, EMAIL = users.c.name, addresses.c.email_address
COUNTS = sa.select(sa.func.count(addresses.c.id).label("count"), addresses.c.user_id).group_by(
    addresses.c.user_id
)
SUBQUERY, CTE = COUNTS.subquery(), COUNTS.cte("counts")
COUNT_OF_USER = (
    sa.select(sa.func.count(addresses.c.id))
    .where(users.c.id == addresses.c.user_id)
    .scalar_subquery()
    .correlate(users)
)
LATERAL = (
    sa.select(
        sa.func.count(addresses.c.id).label("address_count"),
        EMAIL,
        addresses.c.user_id,
    )
    .where(users.c.id == addresses.c.user_id)
    .lateral()
)
LATEST = (
    sa.select(EMAIL)
    .where(users.c.id == addresses.c.user_id)
    .order_by(EMAIL.desc())
    .limit(1)
    .lateral("latest")
)
SANDY = sa.select(users).where(NAME == "sandy")
SPONGEBOB = sa.select(users).where(NAME == "spongebob")
UNION = sa.union_all(SANDY, SPONGEBOB).subquery()
HAS_ADDRESS = sa.exists().where(users.c.id == addresses.c.user_id)
ROW_SANDY = (2, "sandy", "Sandy Cheeks")
ROW_SPONGEBOB = (1, "spongebob", "Spongebob Squarepants")
PAIRS = sa.values(sa.column("id", sa.Integer), sa.column("rank", sa.Numeric), name="pairs").data(
    [(1, 10), (2, 20)]
)

QUERIES: dict[str, tuple[sa.Executable, list[Any]]] = {
    "subquery": (
        sa.select(NAME, SUBQUERY.c.count)
        .join_from(users, SUBQUERY, users.c.id == SUBQUERY.c.user_id)
        .order_by(NAME),
        [("sandy", 2), ("spongebob", 1)],
    ),
    "CTE": (
        sa.select(NAME, CTE.c.count)
        .join_from(users, CTE, users.c.id == CTE.c.user_id)
        .order_by(NAME),
        [("sandy", 2), ("spongebob", 1)],
    ),
    "scalar subquery": (
        sa.select(NAME, COUNT_OF_USER.label("count")).order_by(users.c.id),
        [("spongebob", 1), ("sandy", 2), ("patrick", 0)],
    ),
    "condition on a scalar subquery": (
        sa.select(NAME).where(COUNT_OF_USER > 1),
        [("sandy",)],
    ),
    "lateral": (
        sa.select(NAME, LATEST.c.email_address)
        .join_from(users, LATEST, sa.true())
        .order_by(users.c.id),
        [("spongebob", "spongebob@sqlalchemy.org"), ("sandy", "sandy@squirrelpower.org")],
    ),
    "union": (
        sa.union(SANDY, SPONGEBOB, SANDY).order_by("id"),
        [ROW_SPONGEBOB, ROW_SANDY],
    ),
    "union all": (sa.union_all(SANDY, SPONGEBOB).order_by("name"), [ROW_SANDY, ROW_SPONGEBOB]),
    "intersect": (sa.intersect(sa.select(users), SANDY), [ROW_SANDY]),
    "except": (
        sa.except_(sa.select(users).where(users.c.id < 3), SANDY),
        [ROW_SPONGEBOB],
    ),
    "nested union": (
        sa.union(
            sa.select(sa.literal(1)),
            sa.union_all(sa.select(sa.literal(1)), sa.select(sa.literal(2))),
        ).order_by(sa.text("1")),
        [(1,), (2,)],
    ),
    "union in a subquery": (
        sa.select(UNION.c.name, EMAIL).join_from(addresses, UNION).where(UNION.c.id == 1),
        [("spongebob", "spongebob@sqlalchemy.org")],
    ),
    "union with limits": (
        sa.union_all(
            sa.select(NAME).order_by(NAME).limit(1), sa.select(NAME).order_by(NAME.desc()).limit(1)
        ),
        [("patrick",), ("spongebob",)],
    ),
    "exists": (sa.select(NAME).where(HAS_ADDRESS).order_by(NAME), [("sandy",), ("spongebob",)]),
    "not exists": (sa.select(NAME).where(~HAS_ADDRESS), [("patrick",)]),
    "exists as a column": (
        sa.select(sa.select(users).where(NAME == "squidward").exists()),
        [(False,)],
    ),
    "values": (sa.select(PAIRS).order_by(PAIRS.c.id), [(1, 10), (2, 20)]),
    "join of values": (
        sa.select(NAME, PAIRS.c.rank).join(PAIRS, PAIRS.c.id == users.c.id).order_by(users.c.id),
        [("spongebob", 10), ("sandy", 20)],
    ),
    "values in a CTE": (
        sa.select((values := PAIRS.cte("ranks")).c.rank).where(values.c.id == 2),
        [(20,)],
    ),
}


@pytest.mark.parametrize("name", QUERIES)
async def test_query(database: Database, name: str) -> None:
    statement, expected = QUERIES[name]
    assert await fetch(database, statement) == expected
