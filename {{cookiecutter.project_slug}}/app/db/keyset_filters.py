"""Filters of lists: see `app.db.keyset`."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from sqlalchemy import (
    BinaryExpression,
    BindParameter,
    ClauseElement,
    ColumnClause,
    ColumnElement,
    SQLColumnExpression,
    bindparam,
)
from sqlalchemy.sql import operators, visitors

from app.db.exact_comparison import compare_exactly
from app.db.keyset_order import Order

#: The filters of a request, in the order of the request. The value of a filter that has a parameter
#: is None, since it does not change the SQL.
AppliedFilters: TypeAlias = tuple[tuple[str, bool | None], ...]


class Filters:
    """The filters of a list: conditions by name.

    Raises `TypeError` if a condition has another parameter than its name, or if a name is `taken`.
    """

    def __init__(self, filters: Mapping[str, SQLColumnExpression[Any]], taken: set[str]) -> None:
        self.conditions = {
            name: compare_exactly(_condition(name, item)) for name, item in filters.items()
        }
        self._parameters = {
            name: parameters_of(condition) for name, condition in self.conditions.items()
        }
        for name, parameters in self._parameters.items():
            if name in taken or not parameters <= {name}:
                raise TypeError(f"{name} is not a name for the filter {self.conditions[name]}")

    def apply(self, given: Mapping[str, Any]) -> tuple[AppliedFilters, dict[str, Any]]:
        """Return the filters of a request, and the values of their parameters."""
        values = {name: value for name, value in given.items() if self._parameters[name]}
        applied = ((name, None if name in values else bool(given[name])) for name in given)
        return tuple(applied), values

    def select(self, applied: AppliedFilters) -> list[ColumnElement[bool]]:
        """Return the conditions of these filters."""
        return [
            ~self.conditions[name] if value is False else self.conditions[name]
            for name, value in applied
        ]


def _condition(name: str, item: Any) -> ColumnElement[bool]:
    # An attribute of a model has an expression; a column is its own.
    expression: ColumnElement[bool] = item.expression
    return expression == bindparam(name) if isinstance(expression, ColumnClause) else expression


def parameters_of(clause: ClauseElement) -> set[str]:
    """Return the names of the bind parameters of a condition or query that have no value."""
    elements = visitors.iterate(clause)
    return {item.key for item in elements if isinstance(item, BindParameter) and item.required}


def is_served_by_index(condition: ColumnElement[bool], order: Order) -> bool:
    """Return whether one index can serve both a condition and the order.

    This is the case for equality, for conditions without parameters, whose number of rows
    PostgreSQL can estimate, and for all conditions on the sort column.
    """
    if not parameters_of(condition):
        return True
    if isinstance(condition, BinaryExpression) and condition.operator is operators.eq:
        return isinstance(condition.right, BindParameter)
    columns = [item for item in visitors.iterate(condition) if isinstance(item, ColumnClause)]
    return all(order.column.shares_lineage(column) for column in columns)
