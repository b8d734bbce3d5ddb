"""What all models have in common.

https://docs.sqlalchemy.org/en/21/orm/declarative_tables.html
"""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import DateTime, MetaData, Table, Text, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Defaults of every column come from the server, so they also hold for rows made elsewhere."""

    # A constraint without a name cannot be dropped by a migration.
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: DateTime(timezone=True),
        str: Text,
    }
    __table__: ClassVar[Table]
    # Values that the server made come back with the INSERT; reading them later would need
    # an await where Python allows none. Search vectors stay on the server.
    __mapper_args__ = {  # noqa: RUF012 - likewise
        "eager_defaults": True,
        "exclude_properties": {"search_vector"},
    }


class UuidPrimaryKeyMixin:
    """A primary key that the server makes; it sorts by the time of its making."""

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7(), sort_order=-1)


class CreatedAtMixin:
    """The moment at which the row was made."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=1)


metadata = Base.metadata
