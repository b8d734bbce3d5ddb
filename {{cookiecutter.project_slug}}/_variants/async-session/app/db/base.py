"""Base class and mixins of the models, and the type of a row.

https://docs.sqlalchemy.org/en/21/orm/declarative_tables.html
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias
from uuid import UUID

import sqlalchemy
from sqlalchemy import DateTime, MetaData, Table, Text, event, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, RelationshipProperty, mapped_column

from app.db.column_types import text_enum
from app.db.naming import NAMING_CONVENTION

#: A result row. Its columns are attributes.
Row: TypeAlias = sqlalchemy.Row[*tuple[Any, ...]]


class Base(DeclarativeBase):
    """Base class of the models.

    Column defaults are server defaults, so that they also apply to rows inserted by other clients.
    """

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: DateTime(timezone=True),
        # None is NULL, not the JSON value `null`.
        dict[str, Any]: JSONB(none_as_null=True),
        dict[str, str]: JSONB(none_as_null=True),
        list[str]: ARRAY(Text),
        str: Text,
        StrEnum: text_enum(StrEnum),
    }
    __table__: ClassVar[Table]
    # INSERT returns the values that the server generates: loading them later would need an `await`
    # where Python does not allow one. Search vectors are never loaded.
    __mapper_args__ = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        "eager_defaults": True,
        "exclude_properties": {"search_vector"},
    }


@event.listens_for(Base, "after_mapper_constructed", propagate=True)
def _reject_lazy_relationships(mapper: Mapper[Any], _class: type[Base]) -> None:
    """Raise `TypeError` for a relationship that would query the database when it is read.

    Python does not allow an `await` there. Load relationships with options of the query, such as
    `selectinload`.
    """
    for attribute in mapper.iterate_properties:
        if not isinstance(attribute, RelationshipProperty):
            continue
        if attribute.lazy not in {"raise", "raise_on_sql", "write_only"}:
            raise TypeError(f'{attribute} must be lazy="raise"')
        if attribute.backref is not None:
            raise TypeError(f"{attribute} must use back_populates instead of backref")


class UuidPrimaryKeyMixin:
    """Primary key that the server generates: a UUIDv7, which increases with time."""

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7(), sort_order=-1)


class CreatedAtMixin:
    """Time of the insertion of the row."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=1)


class UpdatedAtMixin:
    """Time of the last change of the row, or of its insertion.

    SQLAlchemy sets the column in every UPDATE, except in textual SQL, which must set it itself. It
    differs after each of several updates in one transaction, where `now()` would not.
    """

    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.clock_timestamp(), sort_order=2
    )


metadata = Base.metadata
