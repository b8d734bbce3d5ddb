"""The UPDATE and DELETE statements of SQLAlchemy's tutorial.

https://docs.sqlalchemy.org/en/21/tutorial/data_update.html
"""

import pytest
import sqlalchemy as sa

from app.db import Transaction
from tests.sql.accounts import addresses, users

pytestmark = pytest.mark.usefixtures("accounts")

NAME, FULLNAME, EMAIL = users.c.name, users.c.fullname, addresses.c.email_address
NAMES = sa.select(NAME).order_by(users.c.id)
FULLNAMES = sa.select(FULLNAME).order_by(users.c.id)


async def test_update(transaction: Transaction) -> None:
    statement = sa.update(users).where(NAME == "patrick").values(fullname="Patrick the Star")
    assert (await transaction.execute(statement)).rowcount == 1
    assert (
        await transaction.scalar(sa.select(FULLNAME).where(users.c.id == 3)) == "Patrick the Star"
    )


async def test_update_with_expressions(transaction: Transaction) -> None:
    statement = sa.update(users).values(fullname="Username: " + NAME)
    assert (await transaction.execute(statement)).rowcount == 3
    ordered = sa.update(users).ordered_values(
        (FULLNAME, sa.func.upper(NAME)), (NAME, sa.func.left(NAME, 1))
    )
    await transaction.execute(ordered.where(users.c.id == 3))
    fullnames = (await transaction.scalars(FULLNAMES)).all()
    assert fullnames == ["Username: spongebob", "Username: sandy", "PATRICK"]
    assert (await transaction.scalars(NAMES)).all() == ["spongebob", "sandy", "p"]


async def test_update_with_parameters(transaction: Transaction) -> None:
    rename = (
        sa.update(users).where(sa.bindparam("oldname") == NAME).values(name=sa.bindparam("newname"))
    )
    assert (await transaction.execute(rename, {"oldname": "sandy", "newname": "s"})).rowcount == 1
    await transaction.execute(
        rename, [{"oldname": "s", "newname": "ed"}, {"oldname": "patrick", "newname": "mary"}]
    )
    assert (await transaction.scalars(NAMES)).all() == ["spongebob", "ed", "mary"]
    # Without `values()`, the names of the parameters are those of the columns.
    by_id = sa.update(users).where(users.c.id == sa.bindparam("key"))
    await transaction.execute(by_id, [{"key": 1, "name": "a"}, {"key": 2, "name": "b"}])
    assert (await transaction.scalars(NAMES)).all() == ["a", "b", "mary"]


async def test_correlated_update(transaction: Transaction) -> None:
    first = (
        sa.select(EMAIL)
        .where(addresses.c.user_id == users.c.id)
        .order_by(addresses.c.id)
        .limit(1)
        .scalar_subquery()
    )
    await transaction.execute(sa.update(users).values(fullname=first))
    assert (await transaction.scalars(FULLNAMES)).all() == [
        "spongebob@sqlalchemy.org",
        "sandy@sqlalchemy.org",
        None,
    ]


async def test_update_from(transaction: Transaction) -> None:
    statement = (
        sa.update(users)
        .where(users.c.id == addresses.c.user_id, EMAIL == "spongebob@sqlalchemy.org")
        .values(fullname=EMAIL)
    )
    returned = await transaction.execute(statement.returning(users.c.id, FULLNAME))
    assert returned.all() == [(1, "spongebob@sqlalchemy.org")]
    pairs = sa.values(sa.column("id", sa.Integer), sa.column("name", sa.Text), name="pairs").data(
        [(1, "a"), (3, "c")]
    )
    from_values = sa.update(users).where(users.c.id == pairs.c.id).values(name=pairs.c.name)
    assert (await transaction.execute(from_values)).rowcount == 2
    assert (await transaction.scalars(NAMES)).all() == ["a", "sandy", "c"]


async def test_update_returning(transaction: Transaction) -> None:
    statement = (
        sa.update(users).where(users.c.id > 1).values(fullname="X").returning(NAME, FULLNAME)
    )
    assert sorted(await transaction.fetch_all(statement)) == [("patrick", "X"), ("sandy", "X")]
    nothing = statement.where(users.c.id > 3)
    assert await transaction.fetch_one_or_none(nothing) is None
    assert (await transaction.execute(nothing)).all() == []


async def test_delete(transaction: Transaction) -> None:
    assert (await transaction.execute(sa.delete(users).where(NAME == "patrick"))).rowcount == 1
    assert (await transaction.scalars(NAMES)).all() == ["spongebob", "sandy"]
    by_id = sa.delete(addresses).where(addresses.c.id == sa.bindparam("key"))
    await transaction.execute(by_id, [{"key": 1}, {"key": 3}, {"key": 4}])
    assert (await transaction.scalars(sa.select(addresses.c.id))).all() == [2]


async def test_delete_using(transaction: Transaction) -> None:
    statement = sa.delete(addresses).where(addresses.c.user_id == users.c.id, NAME == "sandy")
    returned = (await transaction.scalars(statement.returning(EMAIL))).all()
    assert sorted(returned) == ["sandy@sqlalchemy.org", "sandy@squirrelpower.org"]


async def test_delete_returning(transaction: Transaction) -> None:
    statement = sa.delete(users).where(users.c.id == 3).returning(users)
    assert await transaction.fetch_one(statement) == (3, "patrick", "Patrick Star")
    assert (await transaction.execute(sa.delete(users).where(users.c.id == 3))).rowcount == 0


async def test_rows_are_locked(transaction: Transaction) -> None:
    locked = sa.select(users).where(users.c.id == 1).with_for_update(skip_locked=True, of=users)
    assert (await transaction.fetch_one(locked)).name == "spongebob"
    shared = sa.select(users.c.id).order_by(users.c.id).with_for_update(read=True, nowait=True)
    assert (await transaction.scalars(shared)).all() == [1, 2, 3]
