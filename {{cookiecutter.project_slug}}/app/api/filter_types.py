"""Types and descriptions of the query parameters of filters, from the conditions of a list."""

from datetime import date
from decimal import Decimal
from types import GenericAlias
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field, FiniteFloat
from sqlalchemy import (
    ARRAY,
    BinaryExpression,
    Boolean,
    ColumnClause,
    ColumnElement,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    Numeric,
    String,
    Uuid,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.dialects.postgresql.operators import CONTAINS
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import CollectionAggregate
from sqlalchemy.types import TypeEngine

from app.schemas.fields import PlainText, Timestamp

_MAX_TEXT_LENGTH = 500
_COMPARISONS = {
    operators.eq: "is this value",
    operators.gt: "is greater than this value",
    operators.ge: "is at least this value",
    operators.lt: "is less than this value",
    operators.le: "is at most this value",
}
_TIME_COMPARISONS = {
    operators.eq: "is this time",
    operators.gt: "is after this time",
    operators.ge: "is this time or later",
    operators.lt: "is before this time",
    operators.le: "is this time or earlier",
}


def filter_type(condition: ColumnElement[bool]) -> Any:
    """Return the type of the query parameter of a filter, with its description.

    Raises `TypeError` if the condition is not the comparison of a column with a value.
    """
    if isinstance(condition, BinaryExpression) and isinstance(condition.left, ColumnClause):
        column, operator, right = condition.left, condition.operator, condition.right
        if isinstance(column.type, ARRAY) and operator is CONTAINS:
            item_type = _value_type(column.type.item_type)
            if isinstance(right, array):
                return _describe(item_type, column, "contain this value")
            return _describe(GenericAlias(list, item_type), column, "contain all these values")
        value_type = _value_type(column.type)
        if operator is operators.eq and isinstance(right, CollectionAggregate):
            return _describe(GenericAlias(list, value_type), column, "is one of these values")
        is_time = isinstance(column.type, Date | DateTime)
        texts = _TIME_COMPARISONS if is_time else _COMPARISONS
        if operator in texts:
            return _describe(value_type, column, texts[operator])
    raise TypeError(f"Declare the type of the filter {condition}")


def _describe(type_: Any, column: ColumnClause[Any], text: str) -> Any:
    return Annotated[type_ | None, Query(description=f"Only items whose `{column.key}` {text}.")]


def _value_type(column_type: TypeEngine[Any]) -> Any:
    """Return the type of the values of clients: those that can be compared with a column."""
    match column_type:
        case Uuid():
            return UUID
        case Boolean():
            return bool
        case Enum():
            return column_type.enum_class or Literal[*column_type.enums]
        case String():
            length = column_type.length or _MAX_TEXT_LENGTH
            return Annotated[PlainText, Field(max_length=length)]
        case Integer():
            return Annotated[int, Field(ge=-(2**63), lt=2**63)]
        case Float():
            return FiniteFloat
        case Numeric():
            return Annotated[Decimal, Field(max_digits=1000)]
        case DateTime(timezone=True):
            return Timestamp
        case Date():
            return date
    raise TypeError(f"Declare the types of filters on columns of the type {column_type!r}")
