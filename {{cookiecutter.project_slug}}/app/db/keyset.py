"""Prebuilt queries for keyset pagination with optional full-text search.

Keyset pagination continues a list after the key of the last row of the previous page, instead of
counting rows to skip. `ListQueries` holds the four queries of one list.

The queries are built once, at module level: building one for each request would cost more CPU time
than running it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    SQLColumnExpression,
    Text,
    bindparam,
    func,
    select,
    union_all,
)

from app.db.base import Row
from app.db.repositories.base import Reader
from app.db.search import TEXT_SEARCH_CONFIGURATION

_LIMIT = bindparam("limit", type_=Integer)
# Number of newest rows to search before the index is used.
_NEWEST_ROWS = 500
# A simple upper bound: PostgreSQL's query parser fails on more than 32 consecutive negations, as in
# `- - -` or `-(-(`. So many dashes are not meant as negations, so they are treated as spaces.
_MAX_DASHES = 30


class ListQueries:
    """The queries of one list: first or next page, newest rows first, with or without a search.

    `base_query` selects the columns and filters the rows of the list. `key` is unique and increases
    with every new row. Two indexes serve the queries: one on the columns that `base_query` filters
    by and the key, and a GIN index on `search_vector`.
    """

    def __init__(
        self,
        base_query: Select[*tuple[Any, ...]],
        key: SQLColumnExpression[Any],
        search_vector: SQLColumnExpression[str],
    ) -> None:
        newest_first = base_query.order_by(key.desc()).limit(_LIMIT)
        # Rows of a next page are older than the last row of the previous page.
        is_older = key < bindparam("after")
        self._first_page = newest_first
        self._next_page = newest_first.where(is_older)
        self._first_search_page = newest_first.where(
            key.in_(_matching_keys(base_query, key, search_vector))
        )
        self._next_search_page = newest_first.where(
            key.in_(_matching_keys(base_query, key, search_vector, is_older=is_older))
        )

    def query(self, *, has_after: bool, has_search: bool) -> Select[*tuple[Any, ...]]:
        """Return the query of a next or first page, with or without a search.

        Its parameters are `limit` and those of `base_query`, `after` for a next page, and `q` for a
        search.
        """
        if has_search:
            return self._next_search_page if has_after else self._first_search_page
        return self._next_page if has_after else self._first_page

    async def fetch(
        self, reader: Reader, *, limit: int, after: Any, q: str | None, **values: Any
    ) -> Sequence[Row]:
        """Return at most `limit` rows with keys smaller than `after` that match `q`, newest first.

        `after` is None for the first page. `q` is None or empty for a list without a search.
        `values` are the parameters of `base_query`.

        Raises `UnavailableError` if a search takes longer than `DB_SEARCH_TIMEOUT`, or if too many
        searches are running.
        """
        query = self.query(has_after=after is not None, has_search=bool(q))
        values["limit"] = limit
        if after is not None:
            values["after"] = after
        if not q:
            return await reader.fetch_all(query, **values)
        values["q"] = q if q.count("-") <= _MAX_DASHES else q.replace("-", " ")
        return await reader.search(query, **values)


def _matching_keys(
    base_query: Select[*tuple[Any, ...]],
    key: SQLColumnExpression[Any],
    search_vector: SQLColumnExpression[str],
    *,
    is_older: ColumnElement[bool] | None = None,
) -> Select[*tuple[Any, ...]]:
    """Select the keys of the newest `limit` rows that match `q`, of those that meet `is_older`.

    1. Read the newest 500 rows in the order of the key, and compare each with `q`.
    2. If they contain a full page of matches, as for a common word, stop.
    3. Otherwise find the matches among the older rows with the GIN index. For a rare word, these
       are few.

    With a plain WHERE, PostgreSQL would choose one of the two indexes by an estimate of how rare
    the word is. It would read the whole table for a word that no row or only old rows contain.

    Step 3 is slow for a word that is rare in the newest rows but frequent in older ones, because it
    collects all matches. This is accepted: `DB_SEARCH_TIMEOUT` limits the time.
    """
    tsquery = func.websearch_to_tsquery(TEXT_SEARCH_CONFIGURATION, bindparam("q", type_=Text))
    matches = search_vector.bool_op("@@")(tsquery)
    # `querytree` returns the part of a search that an index can serve: T if there is none, as for
    # the search `-word`, which requires no word. Such a search finds nothing.
    searchable = base_query.where(func.querytree(tsquery) != "T")

    # Step 1. All older rows than these meet `is_older` too, so step 3 need not repeat it.
    listed = searchable if is_older is None else searchable.where(is_older)
    newest = _materialized(
        listed.with_only_columns(key.label("key"), matches.label("matches"))
        .order_by(key.desc())
        .limit(_NEWEST_ROWS)
    )
    newest_matches = select(newest.c.key).where(newest.c.matches)

    # Step 2. PostgreSQL evaluates this condition once, as the `One-Time Filter` in the plan of step
    # 3, and skips that step if it is false.
    match_count = select(func.count(newest.c.key)).where(newest.c.matches).scalar_subquery()
    is_page_incomplete = match_count < _LIMIT

    # Step 3. The index finds matches of any age; those of step 1 are filtered out.
    indexed = _materialized(
        searchable.with_only_columns(key.label("key")).where(matches, is_page_incomplete)
    )
    oldest_of_newest = select(newest.c.key).order_by(newest.c.key).limit(1).scalar_subquery()
    older_matches = select(indexed.c.key).where(indexed.c.key < oldest_of_newest)

    # Limited here, so that no further rows are read by their keys. The query around this one sorts
    # again, because the order is lost in IN.
    keys = union_all(newest_matches, older_matches).subquery()
    return select(keys.c.key).order_by(keys.c.key.desc()).limit(_LIMIT)


def _materialized(query: Select[*tuple[Any, ...]]) -> CTE:
    """Return a CTE that PostgreSQL evaluates separately, instead of inlining it."""
    return query.cte().prefix_with("MATERIALIZED")
