"""The statements of a list: newest first, after a row, and with a search.

All of them are made once, at module level: a statement that is made for each request costs more
than its query.
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

from app.db.repositories.base import Reader

_LIMIT = bindparam("limit", type_=Integer)
# How many of the newest rows are searched before the index is used.
_NEWEST = 500
# PostgreSQL's parser fails on more than 32 consecutive negations, as in `- - -` or `-(-(`.
_MAX_DASHES = 30


class Pages:
    """The pages of what `rows` selects, by a key that grows with every new row.

    An index on the key, behind the columns that `rows` compares, serves "newest first"; one on
    `search_vector` serves the search.
    """

    def __init__(
        self,
        rows: Select[*tuple[Any, ...]],
        key: SQLColumnExpression[Any],
        search_vector: SQLColumnExpression[str],
    ) -> None:
        newest_first = rows.order_by(key.desc()).limit(_LIMIT)
        after = key < bindparam("after")
        #: By the names of the values that they take besides those of `rows` and `limit`.
        self.statements = {
            frozenset[str](): newest_first,
            frozenset({"after"}): newest_first.where(after),
            frozenset({"q"}): newest_first.where(key.in_(_found(rows, key, search_vector))),
            frozenset({"after", "q"}): newest_first.where(
                key.in_(_found(rows, key, search_vector, after))
            ),
        }

    async def fetch(
        self, reader: Reader, *, limit: int, after: Any, q: str | None, **values: Any
    ) -> Sequence[Any]:
        """Return at most `limit` rows, newest first, older than `after`, that match `q`.

        `values` are those that `rows` takes. Raises `UnavailableError` as `Reader.search` does.
        """
        if after is not None:
            values["after"] = after
        if q is not None:
            values["q"] = q if q.count("-") <= _MAX_DASHES else q.replace("-", " ")
        statement = self.statements[frozenset(values) & {"after", "q"}]
        fetch = reader.fetch_all if q is None else reader.search
        return await fetch(statement, limit=limit, **values)


def _found(
    rows: Select[*tuple[Any, ...]],
    key: SQLColumnExpression[Any],
    search_vector: SQLColumnExpression[str],
    *after: ColumnElement[bool],
) -> Select[*tuple[Any, ...]]:
    """Select the keys of the newest `rows` that match `q`.

    A common word is found among the newest rows, and a rare one by the index on the vector. Left
    to choose between the two, the server guesses how rare a word is: it reads the whole table for
    one that no row has, or only old rows.
    """
    query = func.websearch_to_tsquery("english", bindparam("q", type_=Text))
    matches = search_vector.bool_op("@@")(query)
    # No index serves a query without a word that must occur, such as `-word`: it finds nothing.
    rows = rows.where(func.querytree(query) != "T")
    newest = _materialized(
        rows.with_only_columns(key.label("key"), matches.label("matches"))
        .where(*after)
        .order_by(key.desc())
        .limit(_NEWEST)
    )
    found = select(newest.c.key).where(newest.c.matches)
    is_short = select(func.count(newest.c.key)).where(newest.c.matches).scalar_subquery() < _LIMIT
    indexed = _materialized(rows.with_only_columns(key.label("key")).where(matches, is_short))
    oldest = select(newest.c.key).order_by(newest.c.key).limit(1).scalar_subquery()
    keys = union_all(found, select(indexed.c.key).where(indexed.c.key < oldest)).subquery()
    return select(keys.c.key).order_by(keys.c.key.desc()).limit(_LIMIT)


def _materialized(rows: Select[*tuple[Any, ...]]) -> CTE:
    return rows.cte().prefix_with("MATERIALIZED")
