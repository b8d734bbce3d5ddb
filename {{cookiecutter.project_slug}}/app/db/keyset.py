"""Lists with keyset pagination: a declaration of filters, sort orders and a full-text search.

Keyset pagination continues a list after the position of its last row, instead of counting rows to
skip. So all pages cost the same, and rows that are inserted or deleted between two requests neither
repeat nor hide others.

    rows = KeysetList(
        select(Invoice.id, Invoice.status, Invoice.created_at),
        sorts=("-created_at", "created_at"),
        filters={
            "status": Invoice.status,
            "created_after": Invoice.created_at > bindparam("created_after"),
        },
    )

`app.db.table_reader` fetches the rows of a page. `app.api.pagination` provides the query
parameters of a list and the cursors of its pages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, SQLColumnExpression, bindparam

from app.db.keyset_filters import AppliedFilters, Filters, is_served_by_index, parameters_of
from app.db.keyset_order import AnySelect, Order, Page, Position
from app.db.keyset_statements import plain_page, search_page

# PostgreSQL rejects a query with more than 32 consecutive negations, as in `- - -` or `-(-(`.
# With more than `_MAX_DASHES`, every dash is replaced with a space, so excluded words become
# required. Such input is not a real search.
_MAX_DASHES = 30
# The other parameters of a request and of its statement.
_PARAMETERS = {"after", "after_key", "after_value", "key", "limit", "q", "sort"}


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The part of a list that a request selects."""

    #: Number of rows of the page.
    limit: int
    #: One of the sorts of the list; None to sort by the key only, newest first.
    sort: str | None = None
    #: Position of the last row of the previous page; None for the first page.
    after: Position | None = None
    #: Values of filters, by the name of the filter.
    filters: Mapping[str, Any] = field(default_factory=dict)
    #: Full-text search; None or empty if there is none.
    q: str | None = None


class Shape(NamedTuple):
    """What the SQL of a page depends on."""

    sort: str | None = None
    page: Page = "first"
    filters: AppliedFilters = ()
    has_search: bool = False


class Statement(NamedTuple):
    """The statement of all pages of one shape."""

    query: AnySelect
    #: Whether the statement must run as a search: with a plan for its values, and a time limit. Its
    #: cost depends on the number of rows that match.
    is_search: bool


class KeysetList:
    """A list of rows: its columns, filters, sort orders and search.

    `base_query` selects the columns. A condition on the owner of the rows also belongs there.

    `key` is the name of a selected column that is unique, not null and increases with every row.
    It orders rows whose sort values are equal.

    `sorts` are names of selected columns, descending with the prefix `-`. The first is the
    default. PostgreSQL's order of NULL applies: it is greater than all values. Without `sorts`, the
    list is sorted by the key, newest first. Cursors contain the sort value, so it should be short.

    `filters` are columns or conditions by name. A column is a filter for equality. A condition has
    a bind parameter with the name of the filter. A condition without parameters, such as
    `notes.c.description.is_not(None)`, is a filter whose value is a bool: true selects the rows
    that satisfy it, false the others. For IN, compare with an array, so that the SQL does not
    depend on the number of elements: `status == any_(bindparam("status", type_=ARRAY(Text)))`. For
    one element of an array column: `tags.contains(array([cast(bindparam("tag"), Text)]))`.

    Indexes that serve all pages in constant time:

    - for each sort: the columns of the condition of `base_query`, the sort column and the key. An
      index is read in both directions, so `title` and `-title` need only one.
    - for an equality filter, or one without parameters: the filtered column before these.
    - for another filter on a column that is not the sort column: an index that begins with this
      column. PostgreSQL reads either this index or that of the sort, whichever it expects to be
      faster, so such a page may take longer. It has the limits of a search.
    - for a search: a GIN index on the search vector. `search_page` describes the cost.
    """

    def __init__(
        self,
        base_query: AnySelect,
        *,
        key: str = "id",
        sorts: tuple[str, ...] = (),
        filters: Mapping[str, SQLColumnExpression[Any]] | None = None,
        search_vector: SQLColumnExpression[str] | None = None,
    ) -> None:
        self._base_query = base_query
        parameters = parameters_of(base_query)
        if reserved := parameters & _PARAMETERS:
            raise TypeError(f"Parameters that a list sets itself: {', '.join(sorted(reserved))}")
        self._filters = Filters(filters or {}, taken=_PARAMETERS | parameters)
        self._search_vector = search_vector
        self.sorts = sorts
        columns = base_query.selected_columns
        #: Selects one row by its key, which is the parameter `key`.
        self.by_key = base_query.where(columns[key] == bindparam("key"))
        self._orders: dict[str | None, Order] = {
            None: Order({key: columns[key]}, is_descending=True)
        }
        for sort in sorts:
            name = sort.removeprefix("-")
            self._orders[sort] = Order(
                {name: columns[name], key: columns[key]}, is_descending=sort != name
            )

    @property
    def filters(self) -> Mapping[str, ColumnElement[bool]]:
        """The conditions of the filters by name."""
        return self._filters.conditions

    @property
    def is_searchable(self) -> bool:
        """True if the list has a full-text search."""
        return self._search_vector is not None

    def order(self, sort: str | None) -> Order:
        """Return the columns and the direction of a sort."""
        return self._orders[sort]

    def select(
        self, page: PageRequest, values: Mapping[str, Any]
    ) -> tuple[Statement, dict[str, Any]]:
        """Return the statement of a page and its parameters.

        It returns one more row than the page has if there is a next page. `values` are the
        parameters of the base query.
        """
        filters, filter_values = self._filters.apply(page.filters)
        parameters = {**values, **filter_values, "limit": page.limit + 1}
        kind: Page = "first"
        if page.after is not None:
            parameters["after_key"] = page.after.key
            kind = "after_null" if page.after.value is None and page.sort else "after_value"
            if page.sort and page.after.value is not None:
                parameters["after_value"] = page.after.value
        if page.q:
            is_search = page.q.count("-") <= _MAX_DASHES
            parameters["q"] = page.q if is_search else page.q.replace("-", " ")
        return self.statement(Shape(page.sort, kind, filters, bool(page.q))), parameters

    # Building a statement costs more CPU time than running it. The number of statements is limited,
    # because clients choose the combination of filters.
    @lru_cache(maxsize=1024)  # noqa: B019 - lists are module-level constants
    def statement(self, shape: Shape) -> Statement:
        """Return the statement of the pages of this shape, which is built only once."""
        order = self._orders[shape.sort]
        conditions = self._filters.select(shape.filters)
        if shape.has_search and self._search_vector is not None:
            query = search_page(
                self._base_query, order, shape.page, conditions, self._search_vector
            )
            return Statement(query, is_search=True)
        is_served = all(is_served_by_index(condition, order) for condition in conditions)
        query = plain_page(self._base_query, order, shape.page, conditions)
        return Statement(query, is_search=not is_served)
