"""The statements of a list: newest first, after a row, and with a search.

All of them are made once, at module level: a statement that is made for each request costs more
than its query.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, Text, bindparam, func


class Pages:
    """The pages of what `rows` selects, by a key that grows with every new row.

    An index on the key, behind the columns that `rows` compares, serves "newest first"; one on
    `search_text` serves the search.
    """

    def __init__(
        self,
        rows: Select[*tuple[Any, ...]],
        key: SQLColumnExpression[Any],
        search_text: ColumnElement[str],
    ) -> None:
        newest_first = rows.order_by(key.desc()).limit(bindparam("limit"))
        after = key < bindparam("after")
        query = func.websearch_to_tsquery("english", bindparam("q", type_=Text))
        matching = search_text.bool_op("@@")(query)
        #: By the names of the values that they take besides those of `rows` and `limit`.
        self.statements = {
            frozenset[str](): newest_first,
            frozenset({"after"}): newest_first.where(after),
            frozenset({"q"}): newest_first.where(matching),
            frozenset({"after", "q"}): newest_first.where(after, matching),
        }

    def choose(self, **values: Any) -> tuple[Select[*tuple[Any, ...]], dict[str, Any]]:
        """The statement for those values that are not None, and these."""
        given = {name: value for name, value in values.items() if value is not None}
        return self.statements[frozenset(given)], given
