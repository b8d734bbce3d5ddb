"""SQL of the pages of a list: see `app.db.keyset`."""

from collections.abc import Sequence

from sqlalchemy import (
    CTE,
    ColumnElement,
    SQLColumnExpression,
    Text,
    bindparam,
    func,
    or_,
    select,
    union_all,
)

from app.db.keyset_order import LIMIT_PARAM, AnySelect, Order, Page
from app.db.search import TEXT_SEARCH_CONFIGURATION

# Number of rows that a search scans before it uses the index.
_SCAN_LIMIT = 500


def plain_page(
    rows: AnySelect,
    order: Order,
    page: Page,
    conditions: Sequence[ColumnElement[bool]],
    limit: ColumnElement[int] | int = LIMIT_PARAM,
) -> AnySelect:
    """Select the rows of a page in the order of the list."""
    # The position comes before the conditions, because PostgreSQL begins the scan of an index at
    # the first of several bounds.
    parts = [order.apply(rows.where(part, *conditions), limit) for part in order.conditions(page)]
    if not parts:
        return order.apply(rows.where(*conditions), limit)
    if len(parts) == 1:
        return parts[0]
    merged = union_all(*parts).subquery()
    return order.of(merged).apply(select(*merged.c), limit)


def search_page(
    rows: AnySelect,
    order: Order,
    page: Page,
    conditions: Sequence[ColumnElement[bool]],
    search_vector: SQLColumnExpression[str],
) -> AnySelect:
    """Select the rows of a page that match `q`.

    With a plain WHERE, PostgreSQL picks one of two indexes from an estimate of how common the word
    is: that of the order, or that of the search vector. If the estimate is wrong, it reads the
    whole table for a word that occurs in no row, or only at the end of the list. This query uses
    both indexes:

    1. Scan the first `_SCAN_LIMIT` rows of the page, and compare each with `q`. If they contain a
       full page of matches, as for a common word, step 2 is skipped.
    2. Find all matches with the GIN index. A rare word has few.
    3. Merge the scanned matches with the others.

    The SQL, with `filter` for the conditions of the list and the check that `q` is searchable, and
    `after` for the position of the page:

        WITH scanned AS MATERIALIZED (                                     -- step 1
            SELECT sort, key, search_vector @@ q AS is_match FROM table
            WHERE filter AND after ORDER BY sort, key LIMIT _SCAN_LIMIT
        ), indexed AS MATERIALIZED (                                       -- step 2
            SELECT sort, key FROM table WHERE filter AND after AND search_vector @@ q
            AND (SELECT count(*) FROM scanned WHERE is_match) < :limit
        )
        SELECT ... FROM table WHERE key IN (                               -- step 3
            SELECT key FROM (
                SELECT sort, key FROM scanned WHERE is_match
                UNION ALL
                SELECT sort, key FROM indexed WHERE key NOT IN (SELECT key FROM scanned)
            ) ORDER BY sort, key LIMIT :limit
        ) ORDER BY sort, key LIMIT :limit
    """
    columns = order.labels()
    tsquery = func.websearch_to_tsquery(TEXT_SEARCH_CONFIGURATION, bindparam("q", type_=Text))
    is_match = search_vector.bool_op("@@")(tsquery)
    # `querytree` returns 'T' if no index can serve the search, as for `-word`, which only excludes
    # a word. Such a search returns no rows instead of scanning the table. A search that has only
    # stop words, such as `the`, matches no rows either.
    conditions = [*conditions, func.querytree(tsquery) != "T"]
    to_scan = rows.with_only_columns(*columns, is_match.label("is_match"))
    scanned = _materialized(plain_page(to_scan, order, page, conditions, _SCAN_LIMIT))
    if after := order.conditions(page):
        conditions.append(or_(*after))
    to_find = rows.with_only_columns(*columns).where(*conditions, is_match)
    indexed = _find_in_index(to_find, order, scanned)
    return order.apply(rows.where(order.key.in_(_merge(order, scanned, indexed))))


def _find_in_index(matches: AnySelect, order: Order, scanned: CTE) -> CTE:
    """Step 2: select all matches after the position, unless the scanned rows fill the page.

    PostgreSQL evaluates `is_incomplete` once, as the plan's `One-Time Filter`.
    """
    scanned_keys = order.of(scanned).key
    match_count = select(func.count(scanned_keys)).where(scanned.c.is_match).scalar_subquery()
    is_incomplete = match_count < LIMIT_PARAM
    return _materialized(matches.where(is_incomplete))


def _merge(order: Order, scanned: CTE, indexed: CTE) -> AnySelect:
    """Step 3: select the keys of the page."""
    of_scanned, of_indexed = order.of(scanned), order.of(indexed)
    scanned_matches = select(*of_scanned.columns.values()).where(scanned.c.is_match)
    is_new = of_indexed.key.not_in(select(of_scanned.key))
    others = select(*of_indexed.columns.values()).where(is_new)
    # Limited here, so that no further rows are read by their keys. The query that contains this one
    # sorts again, because IN does not preserve the order.
    merged = order.of(union_all(scanned_matches, others).subquery())
    return merged.apply(select(merged.key))


def _materialized(query: AnySelect) -> CTE:
    """Return a CTE that PostgreSQL evaluates separately, instead of inlining it."""
    return query.cte().prefix_with("MATERIALIZED")
