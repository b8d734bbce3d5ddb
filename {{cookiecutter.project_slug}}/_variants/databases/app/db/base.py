"""Common columns of the tables, and the type of a row.

https://docs.sqlalchemy.org/en/21/core/metadata.html
"""

from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy
from sqlalchemy import Column, DateTime, MetaData, Uuid, func

from app.db.naming import NAMING_CONVENTION

#: A result row. Its columns are attributes.
Row: TypeAlias = sqlalchemy.Row[*tuple[Any, ...]]

metadata = MetaData(naming_convention=NAMING_CONVENTION)

# Column defaults are server defaults, so that they also apply to rows inserted by other clients.


def uuid_primary_key() -> Column[UUID]:
    """Return a primary key that the server generates: a UUIDv7, which increases with time."""
    return Column("id", Uuid, primary_key=True, server_default=func.uuidv7())


def created_at_column() -> Column[datetime]:
    """Return a column with the time of the insertion of the row."""
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def updated_at_column() -> Column[datetime]:
    """Return a column with the time of the last change of the row, or of its insertion.

    SQLAlchemy sets the column in every UPDATE, except in textual SQL, which must set it itself. It
    differs after each of several updates in one transaction, where `now()` would not.
    """
    return Column(
        "updated_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        onupdate=func.clock_timestamp(),
    )
