"""Read the rows of a resource: the base class of `Reader`."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Executable

from app.db.base import Row
from app.db.keyset import KeysetList, PageRequest
from app.db.statements import FetchMethods


class TableReader(FetchMethods):
    """Reads the rows of a resource, which the subclass declares.

    `scope` are parameters of the query of `rows`, such as the owner of the rows. Other rows are not
    found.
    """

    #: The rows that `get` and `list` return.
    rows: ClassVar[KeysetList]

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self._scope = scope

    @abstractmethod
    async def search(self, statement: Executable, /, **values: Any) -> Sequence[Row]:
        """Return all rows of a search, whose cost depends on the number of matches.

        Raises `UnavailableError` if the search takes longer than `DB_SEARCH_TIMEOUT`, or if too
        many searches are running.
        """

    async def get(self, key: UUID | int) -> Row:
        """Return the row with this key. Raises `NotFoundError` if it does not exist."""
        return await self.fetch_one(self.rows.by_key, **self._scope, key=key)

    async def list(self, page: PageRequest) -> Sequence[Row]:
        """Return the rows of a page, and one more if there is a next page."""
        return await self.fetch_page(self.rows, page, **self._scope)

    async def fetch_page(
        self, rows: KeysetList, page: PageRequest, /, **values: Any
    ) -> Sequence[Row]:
        """Return the rows of a page of any list, and one more if there is a next page.

        `values` are the parameters of its query. Raises `UnavailableError` like `search`.
        """
        statement, parameters = rows.select(page, values)
        fetch = self.search if statement.is_search else self.fetch_all
        return await fetch(statement.query, **parameters)
