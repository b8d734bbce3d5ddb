"""Column types that SQLAlchemy does not have."""

from enum import StrEnum

from sqlalchemy import Enum


def text_enum(enum: type[StrEnum], *, create_constraint: bool = True) -> Enum:
    """Return the type of a text column for the values of an enum.

    A CHECK constraint, whose name contains that of the enum, rejects other values. A PostgreSQL
    enum could not lose a value. An array of the type cannot create the constraint:

        roles: Mapped[list[Role]] = mapped_column(ARRAY(text_enum(Role, create_constraint=False)))
    """
    return Enum(
        enum,
        native_enum=False,
        create_constraint=create_constraint,
        # The longest value could otherwise not be followed by a longer one.
        length=50,
        # Instead of the names of the members.
        values_callable=lambda members: [member.value for member in members],
    )
