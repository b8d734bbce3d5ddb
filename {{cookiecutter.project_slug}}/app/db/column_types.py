"""Column types that SQLAlchemy does not have."""

from enum import StrEnum

from sqlalchemy import Enum


def text_enum(enum: type[StrEnum]) -> Enum:
    """Return the type of a text column for the values of an enum.

    A CHECK constraint, whose name contains that of the enum, rejects other values. A PostgreSQL
    enum could not lose a value.
    """
    return Enum(
        enum,
        native_enum=False,
        create_constraint=True,
        # The longest value could otherwise not be followed by a longer one.
        length=50,
        # Instead of the names of the members.
        values_callable=lambda members: [member.value for member in members],
    )
