"""What all tables have in common.

https://docs.sqlalchemy.org/en/21/core/metadata.html
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, DateTime, MetaData, Uuid, func

metadata = MetaData(
    # A constraint without a name cannot be dropped by a migration.
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# Defaults come from the server: `databases` skips those that Python would make, and stores NULL.


def uuid_key() -> Column[UUID]:
    """A primary key that the server makes; it sorts by the time of its making."""
    return Column("id", Uuid, primary_key=True, server_default=func.uuidv7())


def created_at() -> Column[datetime]:
    """The moment at which the row was made."""
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())
