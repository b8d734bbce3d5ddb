"""Sort orders of lists, and the conditions of a page: see `app.db.keyset`."""

from typing import Any, Literal, NamedTuple, TypeAlias

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    ColumnElement,
    FunctionElement,
    FunctionFilter,
    Integer,
    Over,
    ScalarSelect,
    Select,
    WithinGroup,
    and_,
    bindparam,
    cast,
    tuple_,
)
from sqlalchemy.sql import operators

from app.db.exact_comparison import without_limits

AnySelect: TypeAlias = Select[*tuple[Any, ...]]
#: The first page, or the page after a row; the sort value of that row may be NULL.
Page = Literal["first", "after_value", "after_null"]

_AGGREGATES = {
    *("array_agg", "avg", "bool_and", "bool_or", "count", "every", "jsonb_agg", "jsonb_object_agg"),
    *("max", "min", "string_agg", "sum"),
}

LIMIT_PARAM = bindparam("limit", type_=Integer)


class Position(NamedTuple):
    """Position of a row in a list."""

    key: Any
    #: Value of the sort column. Unused in a list that is sorted by the key only.
    value: Any = None


class Order(NamedTuple):
    """Order of the rows of a list: the sort column, if there is one, and the key."""

    #: The columns by their names in the result.
    columns: dict[str, ColumnElement[Any]]
    is_descending: bool

    @property
    def key(self) -> ColumnElement[Any]:
        """The column of the key."""
        return [*self.columns.values()][-1]

    @property
    def column(self) -> ColumnElement[Any]:
        """The sort column, or the key if there is none."""
        return next(iter(self.columns.values()))

    @property
    def is_nullable(self) -> bool:
        """True if the sort column may be NULL. Any expression may be."""
        return getattr(self.column, "nullable", True)

    def labels(self) -> list[ColumnElement[Any]]:
        """Return the columns, labelled with their names."""
        return [column.label(name) for name, column in self.columns.items()]

    def of(self, rows: Any) -> "Order":
        """Return the same order of the rows of a subquery, which has columns of these names."""
        return self._replace(columns={name: rows.c[name] for name in self.columns})

    def apply(self, query: AnySelect, limit: Any = LIMIT_PARAM) -> AnySelect:
        """Return the first rows of a query in this order.

        The order of NULL is that of an index, so one index serves both directions.
        """
        if self.is_descending:
            by = [column.desc().nulls_first() for column in self.columns.values()]
        else:
            by = [column.asc().nulls_last() for column in self.columns.values()]
        return query.order_by(*by).limit(limit)

    def conditions(self, page: Page) -> list[ColumnElement[bool]]:
        """Return the conditions of the rows of this page and all later ones; empty for all rows.

        A row satisfies at most one of the conditions. Each of them is a range of the index, which
        their disjunction is not: `sort > :value OR sort IS NULL` reads all rows.
        """
        if page == "first":
            return []
        after_key = _parameter("after_key", self.key)
        follows = operators.lt if self.is_descending else operators.gt
        key_follows: ColumnElement[bool] = follows(self.key, after_key)
        if len(self.columns) == 1:
            return [key_follows]
        column = self.column
        if page == "after_null":
            nulls = and_(column.is_(None), key_follows)
            return [nulls, column.is_not(None)] if self.is_descending else [nulls]
        after = tuple_(_parameter("after_value", column), after_key)
        later: ColumnElement[bool] = follows(tuple_(column, self.key), after)
        has_nulls_last = self.is_nullable and not self.is_descending
        return [later, column.is_(None)] if has_nulls_last else [later]


def _parameter(name: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a bind parameter for a value of this column, or for any value that a cursor has."""
    if isinstance(column.type, Integer):
        # The integer of a cursor may exceed the range of the column.
        return cast(bindparam(name, type_=BigInteger), BigInteger)
    return bindparam(name, type_=without_limits(column.type))


def is_aggregate(element: ClauseElement) -> bool:
    """Return whether an expression has an aggregate or a window function.

    The condition of a position cannot compare it, because WHERE does not accept either.
    """
    if isinstance(element, Over | FunctionFilter | WithinGroup):
        return True
    if isinstance(element, FunctionElement) and element.name in _AGGREGATES:
        return True
    # A subquery has its own rows.
    is_subquery = isinstance(element, ScalarSelect)
    return not is_subquery and any(map(is_aggregate, element.get_children()))
