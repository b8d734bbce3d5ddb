"""Prebuilt queries for keyset pagination with optional full-text search.

Keyset pagination continues a list with the rows that are older than the cursor, the key of the last
row of the previous page, instead of counting rows to skip. `ListQueries` holds the four queries of
one list.

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
# PostgreSQL rejects a query with more than 32 consecutive negations, as in `- - -` or `-(-(`.
# With more than `_MAX_DASHES`, every dash is replaced with a space, so excluded words become
# required. Such input is not a real search.
_MAX_DASHES = 30


class ListQueries:
    """The queries of one list: first or next page, newest rows first, with or without a search.

    `base_query` selects the columns and filters the rows of the list. `key` is unique and increases
    with every new row. Two indexes serve the queries: one on the columns that `base_query` filters
    by and the key, and a GIN index on `search_vector`. For example, in a repository:

        LIST_QUERIES = ListQueries(SELECT_OWN, notes.c.id, notes.c.search_vector)
        rows = await LIST_QUERIES.fetch(reader, limit=20, after=None, q="sun", owner_id=user_id)

    A search is slow for a word that is rare in the newest `_SCAN_LIMIT` rows but frequent in older
    ones, because it collects all matches. `DB_SEARCH_TIMEOUT` limits the time.
    """

    def __init__(
        self,
        base_query: AnySelect,
        key: SQLColumnExpression[Any],
        search_vector: SQLColumnExpression[str],
    ) -> None:
        newest_first = base_query.order_by(key.desc()).limit(_LIMIT_PARAM)
        # Newest first, so the rows after the cursor have smaller keys.
        older_than_cursor = key < bindparam("after")
        self._first_page = newest_first
        # In SQLAlchemy, `where` after `limit` still filters before the limit.
        self._next_page = newest_first.where(older_than_cursor)
        first_keys = _select_matching_keys(base_query, key, search_vector)
        self._first_search_page = newest_first.where(key.in_(first_keys))
        next_keys = _select_matching_keys(base_query, key, search_vector, older_than_cursor)
        self._next_search_page = newest_first.where(key.in_(next_keys))

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
        """Return at most `limit` rows that are older than the cursor and match `q`, newest first.

        `after` is the cursor, or None for the first page. `q` is None or empty if there is no
        search. `values` are the parameters of `base_query`.

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


def _select_matching_keys(
    base_query: AnySelect,
    key: SQLColumnExpression[Any],
    search_vector: SQLColumnExpression[str],
    older_than_cursor: ColumnElement[bool] | None = None,
) -> AnySelect:
    """Select the keys of one page.

    The page has the newest `limit` rows that match `q` and, on a next page, are older than the
    cursor.

    With a plain WHERE, PostgreSQL picks one of the two indexes from an estimate of how common the
    word is. If the estimate is wrong, it reads the whole table for a word that occurs in no row, or
    only in old ones. This query uses both indexes:

    1. Scan the newest `_SCAN_LIMIT` rows in the order of the key, and compare each with `q`. If
       they contain a full page of matches, as for a common word, step 2 is skipped.
    2. Find all matches with the GIN index. A rare word has few.
    3. Merge the scanned matches with those that are older than the scanned rows.

    The SQL, with `filter` for the conditions of `base_query` and the check that `q` is searchable:

        WITH scanned AS MATERIALIZED (                                     -- step 1
            SELECT key, search_vector @@ q AS matches FROM table
            WHERE filter AND key < :after ORDER BY key DESC LIMIT _SCAN_LIMIT
        ), indexed AS MATERIALIZED (                                       -- step 2
            SELECT key FROM table WHERE filter AND search_vector @@ q
            AND (SELECT count(*) FROM scanned WHERE matches) < :limit
        )
        SELECT key FROM (                                                  -- step 3
            SELECT key FROM scanned WHERE matches
            UNION ALL
            SELECT key FROM indexed
            WHERE key < (SELECT key FROM scanned ORDER BY key LIMIT 1)
        ) ORDER BY key DESC LIMIT :limit
    """
    tsquery = func.websearch_to_tsquery(TEXT_SEARCH_CONFIGURATION, bindparam("q", type_=Text))
    match_condition = search_vector.bool_op("@@")(tsquery)
    # `querytree` returns 'T' if no index can serve the search, as for `-word`, which only excludes
    # a word. Such a search returns no rows instead of scanning the table. A search that has only
    # stop words, such as `the`, matches no rows either.
    searchable_rows = base_query.where(func.querytree(tsquery) != "T")
    listed_rows = searchable_rows
    if older_than_cursor is not None:
        listed_rows = listed_rows.where(older_than_cursor)
    scanned = _scan_newest(listed_rows, key, match_condition)
    # No cursor condition here: `_merge` keeps only matches older than the scanned rows, and those
    # are already older than the cursor.
    indexed = _find_in_index(searchable_rows, key, match_condition, scanned)
    return _merge(scanned, indexed)


def _scan_newest(
    rows: AnySelect, key: SQLColumnExpression[Any], match_condition: ColumnElement[bool]
) -> CTE:
    """Step 1: select the keys of the newest rows, and whether each row matches."""
    return _materialized(
        rows.with_only_columns(key.label("key"), match_condition.label("matches"))
        .order_by(key.desc())
        .limit(_SCAN_LIMIT)
    )


def _find_in_index(
    rows: AnySelect,
    key: SQLColumnExpression[Any],
    match_condition: ColumnElement[bool],
    scanned: CTE,
) -> CTE:
    """Step 2: select the keys of all matching rows, unless the scanned rows fill the page.

    PostgreSQL evaluates `page_incomplete_condition` once, as the plan's `One-Time Filter`.
    """
    match_count = select(func.count(scanned.c.key)).where(scanned.c.matches).scalar_subquery()
    page_incomplete_condition = match_count < _LIMIT_PARAM
    return _materialized(
        rows.with_only_columns(key.label("key")).where(match_condition, page_incomplete_condition)
    )


def _merge(scanned: CTE, indexed: CTE) -> AnySelect:
    """Step 3: select the keys of the newest matches: scanned ones, then older ones of the index."""
    scanned_matches = select(scanned.c.key).where(scanned.c.matches)
    # Not `min(key)`, which PostgreSQL 18 does not have for UUIDs. NULL if no row was scanned: then
    # no match is kept, and there are no older rows either.
    oldest_scanned_key = select(scanned.c.key).order_by(scanned.c.key).limit(1).scalar_subquery()
    older_matches = select(indexed.c.key).where(indexed.c.key < oldest_scanned_key)
    # Limited here, so that no further rows are read by their keys. The query that contains this one
    # sorts again, because IN does not preserve the order.
    keys = union_all(scanned_matches, older_matches).subquery()
    return select(keys.c.key).order_by(keys.c.key.desc()).limit(_LIMIT_PARAM)


def _materialized(query: AnySelect) -> CTE:
    """Return a CTE that PostgreSQL evaluates separately, instead of inlining it."""
    return query.cte().prefix_with("MATERIALIZED")
