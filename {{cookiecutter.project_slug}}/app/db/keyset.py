"""Precompiled keyset-pagination queries with optional full-text search.

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

_LIMIT = bindparam("limit", type_=Integer)
# Number of newest rows to search before the index is used.
_NEWEST = 500
# PostgreSQL's query parser fails on more than 32 consecutive negations, as in `- - -` or `-(-(`.
_MAX_DASHES = 30


class ListQueries:
    """The queries of one list: newest first, optionally after a key and matching a search.

    `rows` selects the columns and filters the rows of the list. `key` is unique and increases with
    every new row. Two indexes serve the queries: one on the columns that `rows` filters by and the
    key, and a GIN index on `search_vector`.
    """

    def __init__(
        self,
        rows: Select[*tuple[Any, ...]],
        key: SQLColumnExpression[Any],
        search_vector: SQLColumnExpression[str],
    ) -> None:
        newest_first = rows.order_by(key.desc()).limit(_LIMIT)
        after = key < bindparam("after")
        matching = key.in_(_matching_keys(rows, key, search_vector))
        matching_after = key.in_(_matching_keys(rows, key, search_vector, after))
        self._first_page = newest_first
        self._next_page = newest_first.where(after)
        self._first_search_page = newest_first.where(matching)
        self._next_search_page = newest_first.where(matching_after)

    def query(self, *, after: bool, search: bool) -> Select[*tuple[Any, ...]]:
        """Return the query of a first or next page, with or without a search.

        Its parameters are `limit`, those of `rows`, and `after` and `q` if they apply.
        """
        if search:
            return self._next_search_page if after else self._first_search_page
        return self._next_page if after else self._first_page

    async def fetch(
        self, reader: Reader, *, limit: int, after: Any, q: str | None, **values: Any
    ) -> Sequence[Row]:
        """Return at most `limit` rows, newest first, with keys before `after`, that match `q`.

        `after` is None for the first page, and `q` None or empty for all rows. `values` are the
        parameters of `rows`. Raises `UnavailableError` as `Reader.search` does.
        """
        query = self.query(after=after is not None, search=bool(q))
        values["limit"] = limit
        if after is not None:
            values["after"] = after
        if not q:
            return await reader.fetch_all(query, **values)
        # With so many dashes, hardly any excludes a word on purpose.
        values["q"] = q if q.count("-") <= _MAX_DASHES else q.replace("-", " ")
        return await reader.search(query, **values)


def _matching_keys(
    rows: Select[*tuple[Any, ...]],
    key: SQLColumnExpression[Any],
    search_vector: SQLColumnExpression[str],
    *conditions: ColumnElement[bool],
) -> Select[*tuple[Any, ...]]:
    """Select the keys of the newest rows that match `q` and meet the conditions.

    The newest 500 rows are read in key order and each is compared with the search. If a full page
    of them matches, which is so for common words, the search ends there. Otherwise the GIN index
    finds the matches among all older rows, which are few for rare words. PostgreSQL skips this
    second part if the first returns enough rows. Left to choose one plan by its estimate of how
    rare a word is, PostgreSQL would read the whole table for a word that no row or only old rows
    contain.
    """
    query = func.websearch_to_tsquery("english", bindparam("q", type_=Text))
    matches = search_vector.bool_op("@@")(query)
    # No index serves a search without a required word, such as `-word`, so it finds nothing.
    rows = rows.where(func.querytree(query) != "T")
    newest = _materialized(
        rows.with_only_columns(key.label("key"), matches.label("matches"))
        .where(*conditions)
        .order_by(key.desc())
        .limit(_NEWEST)
    )
    newest_matches = select(newest.c.key).where(newest.c.matches)
    match_count = select(func.count(newest.c.key)).where(newest.c.matches).scalar_subquery()
    indexed = _materialized(
        rows.with_only_columns(key.label("key")).where(matches, match_count < _LIMIT)
    )
    # Rows older than `newest` also meet `conditions`, which only exclude newer rows.
    oldest = select(newest.c.key).order_by(newest.c.key).limit(1).scalar_subquery()
    older_matches = select(indexed.c.key).where(indexed.c.key < oldest)
    keys = union_all(newest_matches, older_matches).subquery()
    return select(keys.c.key).order_by(keys.c.key.desc()).limit(_LIMIT)


def _materialized(rows: Select[*tuple[Any, ...]]) -> CTE:
    """Return a CTE that PostgreSQL runs as it is, instead of merging it into the whole query."""
    return rows.cte().prefix_with("MATERIALIZED")
