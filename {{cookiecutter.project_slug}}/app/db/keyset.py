"""Prebuilt queries for keyset pagination with optional full-text search.

Keyset pagination continues a list after the key of the last row of the previous page, instead of
counting rows to skip. `ListQueries` holds the four queries of one list.

The queries are built once, at module level, because building a query costs more CPU time than
running it.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

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

AnySelect: TypeAlias = Select[*tuple[Any, ...]]

_LIMIT_PARAM = bindparam("limit", type_=Integer)
# Number of rows that a search scans before it uses the index.
_SCAN_LIMIT = 500
# PostgreSQL's query parser fails on more than 32 consecutive negations, as in `- - -` or `-(-(`. In
# a search with more dashes than this, the dashes are not meant as negations, and are replaced with
# spaces. Counting every dash overestimates the negations, which is safe.
_MAX_DASHES = 30


class ListQueries:
    """The queries of one list: first or next page, newest rows first, with or without a search.

    `base_query` selects the columns and filters the rows of the list. `key` is unique and increases
    with every new row. Two indexes serve the queries: one on the columns that `base_query` filters
    by and the key, and a GIN index on `search_vector`. For example, in a repository:

        LIST_QUERIES = ListQueries(SELECT_OWN, notes.c.id, notes.c.search_vector)
        rows = await LIST_QUERIES.fetch(reader, limit=20, after=None, q="sun", owner_id=user_id)
    """

    def __init__(
        self,
        base_query: AnySelect,
        key: SQLColumnExpression[Any],
        search_vector: SQLColumnExpression[str],
    ) -> None:
        newest_first = base_query.order_by(key.desc()).limit(_LIMIT_PARAM)
        # The rows of a next page are older than the last row of the previous page.
        before_cursor = key < bindparam("after")
        self._first_page = newest_first
        self._next_page = newest_first.where(before_cursor)
        self._first_search_page = newest_first.where(
            key.in_(_matching_keys(base_query, key, search_vector))
        )
        self._next_search_page = newest_first.where(
            key.in_(_matching_keys(base_query, key, search_vector, before_cursor=before_cursor))
        )

    def query(self, *, has_after: bool, has_search: bool) -> AnySelect:
        """Return the query of a next or first page, with or without a search.

        Bind parameters: `limit` and those of `base_query`; `after` for a next page; `q` for a
        search. Public so that tests can examine the query plans.
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
    base_query: AnySelect,
    key: SQLColumnExpression[Any],
    search_vector: SQLColumnExpression[str],
    *,
    before_cursor: ColumnElement[bool] | None = None,
) -> AnySelect:
    """Select the keys of the newest `limit` rows that match `q`, of those before the cursor.

    1. Scan the newest `_SCAN_LIMIT` rows before the cursor in the order of the key, and compare
       each with `q`.
    2. If these rows contain a full page of matches, as for a common word, stop.
    3. Otherwise find the matches among the older rows with the GIN index. A rare word has few.

    The SQL, with `filter` for the conditions of `base_query` and the check that `q` is searchable:

        WITH scanned AS MATERIALIZED (                                 -- step 1
            SELECT key, search_vector @@ q AS matches FROM table
            WHERE filter AND key < :after ORDER BY key DESC LIMIT _SCAN_LIMIT
        ), indexed AS MATERIALIZED (                                   -- step 3
            SELECT key FROM table WHERE filter AND search_vector @@ q
            AND (SELECT count(*) FROM scanned WHERE matches) < :limit  -- step 2
        )
        SELECT key FROM (
            SELECT key FROM scanned WHERE matches
            UNION ALL
            SELECT key FROM indexed
            WHERE key < (SELECT key FROM scanned ORDER BY key LIMIT 1)
        ) ORDER BY key DESC LIMIT :limit

    With a plain WHERE, PostgreSQL picks one of the two indexes from an estimate of how common the
    word is. If the estimate is wrong, it reads the whole table for a word that occurs in no row, or
    only in old ones.

    Step 3 is slow for a word that is rare in the scanned rows but frequent in older ones, because
    it collects all matches. This is accepted, because `DB_SEARCH_TIMEOUT` limits the time.
    """
    tsquery = func.websearch_to_tsquery(TEXT_SEARCH_CONFIGURATION, bindparam("q", type_=Text))
    matches = search_vector.bool_op("@@")(tsquery)
    # `querytree` returns 'T' if no index can serve the search, as for `-word`, which only excludes
    # a word. Such a search returns no rows instead of scanning the table.
    searchable = base_query.where(func.querytree(tsquery) != "T")

    # Step 1.
    listed = searchable if before_cursor is None else searchable.where(before_cursor)
    scanned = _materialized(
        listed.with_only_columns(key.label("key"), matches.label("matches"))
        .order_by(key.desc())
        .limit(_SCAN_LIMIT)
    )
    scanned_matches = select(scanned.c.key).where(scanned.c.matches)

    # Step 2. PostgreSQL evaluates this condition once, as the `One-Time Filter` in the plan of step
    # 3, and skips that step if the condition is false.
    match_count = select(func.count(scanned.c.key)).where(scanned.c.matches).scalar_subquery()
    is_page_incomplete = match_count < _LIMIT_PARAM

    # Step 3. The index finds matches of any age, of which only those older than the scanned rows
    # are kept. Every row older than the scanned rows also satisfies `before_cursor`, so step 3 does
    # not repeat it. If no row was scanned, `oldest_scanned_key` is NULL and no match is kept, which
    # is right because there are no older rows either.
    indexed = _materialized(
        searchable.with_only_columns(key.label("key")).where(matches, is_page_incomplete)
    )
    oldest_scanned_key = select(scanned.c.key).order_by(scanned.c.key).limit(1).scalar_subquery()
    older_matches = select(indexed.c.key).where(indexed.c.key < oldest_scanned_key)

    # Limited here, so that no further rows are read by their keys. The query that contains this one
    # sorts again, because IN does not preserve the order.
    keys = union_all(scanned_matches, older_matches).subquery()
    return select(keys.c.key).order_by(keys.c.key.desc()).limit(_LIMIT_PARAM)


def _materialized(query: AnySelect) -> CTE:
    """Return a CTE that PostgreSQL evaluates separately, instead of inlining it."""
    return query.cte().prefix_with("MATERIALIZED")
