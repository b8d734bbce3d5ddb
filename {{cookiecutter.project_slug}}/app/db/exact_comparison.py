"""Comparisons with any value of a client, without the limits of a column's type.

SQLAlchemy casts a bound parameter to the type of the column with which it is compared. A cast to
`NUMERIC(12, 2)` rounds the value, so that 1.004 would equal 1.00, and a cast to `INTEGER` rejects
larger numbers.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BinaryExpression,
    BindParameter,
    ClauseElement,
    ColumnElement,
    Enum,
    Float,
    Integer,
    bindparam,
)
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import CollectionAggregate, ExpressionClauseList
from sqlalchemy.types import TypeEngine

_COMPARISONS = {
    *(operators.eq, operators.ne, operators.lt, operators.le, operators.gt, operators.ge),
    *(operators.is_, operators.is_not, operators.is_distinct_from, operators.is_not_distinct_from),
    *(operators.in_op, operators.not_in_op, operators.between_op, operators.not_between_op),
}
_LIMITS = {"length", "precision", "scale"}


def without_limits(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type for values that are compared with those of a column of type `type_`.

    Indexes of the column serve comparisons with it. A `TypeDecorator` keeps its limits.
    """
    if isinstance(type_, Integer):
        return BigInteger()
    if isinstance(type_, Enum | Float):
        # Labels have no limits, and numbers of less precision would equal no value.
        return type_
    copied = type_.copy()
    for name in _LIMITS & vars(copied).keys():
        setattr(copied, name, None)
    return copied


def compare_exactly(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the same condition, whose comparisons accept all values of its parameters.

    Parameters of functions and other operators keep their types, because those may have no variant
    for another type, such as `date + bigint`.
    """
    # By identity, because `==` of two expressions is an expression.
    types = {
        id(parameter): type_
        for element in visitors.iterate(condition)
        if isinstance(element, BinaryExpression) and element.operator in _COMPARISONS
        for side in (element.left, element.right)
        for parameter, type_ in _operands(side)
    }

    def replace(element: Any, **_: Any) -> BindParameter[Any] | None:
        if id(element) not in types:
            return None
        return bindparam(element.key, type_=types[id(element)], expanding=element.expanding)

    replaced: ColumnElement[bool] = visitors.replacement_traverse(condition, {}, replace)
    return replaced


def _operands(element: ClauseElement) -> Iterator[tuple[BindParameter[Any], TypeEngine[Any]]]:
    """Yield the parameters of one side of a comparison, with their types without limits."""
    if isinstance(element, BindParameter):
        if element.required:
            # Arrays keep their type: `integer[] = bigint[]` does not exist.
            is_array = isinstance(element.type, ARRAY)
            yield element, element.type if is_array else without_limits(element.type)
    elif isinstance(element, ExpressionClauseList):
        # The two bounds of BETWEEN.
        for bound in element.clauses:
            yield from _operands(bound)
    elif isinstance(element, CollectionAggregate):
        # The array of ANY or ALL, whose elements are compared.
        for parameter in visitors.iterate(element):
            if isinstance(parameter, BindParameter) and isinstance(parameter.type, ARRAY):
                array = parameter.type.copy()
                array.item_type = without_limits(array.item_type)
                yield parameter, array
