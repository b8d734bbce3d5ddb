"""Lists with keyset pagination: a declaration of filters, sort orders and a full-text search.

Keyset pagination continues a list after the position of its last row, instead of counting rows to
skip. So all pages cost the same, and rows that are inserted or deleted between two requests neither
repeat nor hide others.

    ARTICLE_LIST = KeysetList(
        select(Article.id, Article.title, Article.created_at),
        sorts=("-created_at", "created_at", "title"),
        filters={"created_after": Article.created_at > bindparam("created_after")},
    )

`app.api.pagination` provides the query parameters of such a list and the cursors of its pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, SQLColumnExpression

from app.db.base import Row
from app.db.keyset_order import (
    AnySelect,
    Order,
    Page,
    Position,
    is_served_by_index,
    parameters_of,
)
from app.db.keyset_statements import plain_page, search_page
from app.db.repositories.base import Reader

# PostgreSQL rejects a query with more than 32 consecutive negations, as in `- - -` or `-(-(`.
# With more than `_MAX_DASHES`, every dash is replaced with a space, so excluded words become
# required. Such input is not a real search.
_MAX_DASHES = 30
# The other parameters of a request and of its statement.
_PARAMETERS = {"after", "after_key", "after_value", "limit", "q", "sort"}


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
    #: The filters in the order of the declaration. The value of a filter that has a parameter is
    #: None, since it does not change the SQL.
    filters: tuple[tuple[str, bool | None], ...] = ()
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

    `filters` are conditions by name. A condition has a bind parameter with this name. A condition
    without parameters, such as `notes.c.description.is_not(None)`, is a filter whose value is a
    bool: true selects the rows that satisfy it, false the others. For IN, compare with an array, so
    that the SQL does not depend on the number of elements:
    `status == any_(bindparam("status", type_=ARRAY(Text)))`.

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
        filters: Mapping[str, ColumnElement[bool]] | None = None,
        search_vector: SQLColumnExpression[str] | None = None,
    ) -> None:
        self._base_query = base_query
        self._filters = dict(filters or {})
        reserved = _PARAMETERS | parameters_of(base_query)
        for name, condition in self._filters.items():
            if name in reserved or not parameters_of(condition) <= {name}:
                raise TypeError(f"{name} is not a name for the filter {condition}")
        # The filters whose value selects a condition or its negation.
        self._switches = {
            name for name, condition in self._filters.items() if not parameters_of(condition)
        }
        self._search_vector = search_vector
        self.sorts = sorts
        columns = base_query.selected_columns
        self._orders: dict[str | None, Order] = {
            None: Order({key: columns[key]}, is_descending=True)
        }
        for sort in sorts:
            name = sort.removeprefix("-")
            self._orders[sort] = Order(
                {name: columns[name], key: columns[key]}, is_descending=sort != name
            )

    @property
    def filters(self) -> tuple[str, ...]:
        """The names of the filters."""
        return tuple(self._filters)

    @property
    def is_searchable(self) -> bool:
        """True if the list has a full-text search."""
        return self._search_vector is not None

    def order(self, sort: str | None) -> Order:
        """Return the columns and the direction of a sort."""
        return self._orders[sort]

    async def fetch(self, reader: Reader, page: PageRequest, /, **values: Any) -> Sequence[Row]:
        """Return the rows of a page, and one more row if there is a next page.

        `values` are the parameters of the base query.

        Raises `UnavailableError` if a search takes longer than `DB_SEARCH_TIMEOUT`, or if too many
        searches are running.
        """
        values["limit"] = page.limit + 1
        kind: Page = "first"
        if page.after is not None:
            values["after_key"] = page.after.key
            kind = "after_null" if page.after.value is None and page.sort else "after_value"
            if page.sort and page.after.value is not None:
                values["after_value"] = page.after.value
        filters: list[tuple[str, bool | None]] = []
        for name, value in page.filters.items():
            if name in self._switches:
                filters.append((name, bool(value)))
            else:
                values[name] = value
                filters.append((name, None))
        if page.q:
            values["q"] = page.q if page.q.count("-") <= _MAX_DASHES else page.q.replace("-", " ")
        statement = self.statement(Shape(page.sort, kind, tuple(filters), bool(page.q)))
        fetch = reader.search if statement.is_search else reader.fetch_all
        return await fetch(statement.query, **values)

    # Building a statement costs more CPU time than running it. The number of statements is limited,
    # because clients choose the combination of filters.
    @lru_cache(maxsize=1024)  # noqa: B019 - lists are module-level constants
    def statement(self, shape: Shape) -> Statement:
        """Return the statement of the pages of this shape, which is built only once."""
        order = self._orders[shape.sort]
        conditions = [
            ~self._filters[name] if value is False else self._filters[name]
            for name, value in shape.filters
        ]
        if shape.has_search and self._search_vector is not None:
            query = search_page(
                self._base_query, order, shape.page, conditions, self._search_vector
            )
            return Statement(query, is_search=True)
        is_served = all(is_served_by_index(condition, order) for condition in conditions)
        query = plain_page(self._base_query, order, shape.page, conditions)
        return Statement(query, is_search=not is_served)
