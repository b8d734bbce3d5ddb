"""The tables of SQLAlchemy's tutorial, users and their e-mail addresses, with some rows.

https://docs.sqlalchemy.org/en/21/tutorial/
"""

from collections.abc import Sequence

import sqlalchemy as sa

from app.db import Database, Row
from app.db.repositories.base import Reader

metadata = sa.MetaData()
users = sa.Table(
    "user_account",
    metadata,
    # The rows below have lower IDs.
    sa.Column("id", sa.Integer, sa.Identity(start=101), primary_key=True),
    sa.Column("name", sa.String(30), nullable=False),
    sa.Column("fullname", sa.String),
)
addresses = sa.Table(
    "address",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(start=101), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("user_account.id"), nullable=False),
    sa.Column("email_address", sa.String, nullable=False),
)

USERS = [
    {"id": 1, "name": "spongebob", "fullname": "Spongebob Squarepants"},
    {"id": 2, "name": "sandy", "fullname": "Sandy Cheeks"},
    {"id": 3, "name": "patrick", "fullname": "Patrick Star"},
]
ADDRESSES = [
    {"id": 1, "user_id": 1, "email_address": "spongebob@sqlalchemy.org"},
    {"id": 2, "user_id": 2, "email_address": "sandy@sqlalchemy.org"},
    {"id": 3, "user_id": 2, "email_address": "sandy@squirrelpower.org"},
]


async def fetch(database: Database, statement: sa.Executable) -> Sequence[Row]:
    """Return the rows of a statement, which are the same if it is streamed."""
    rows = await Reader(database).fetch_all(statement)
    assert [row async for row in database.stream(statement)] == rows
    return rows
