"""Read the rows of a resource: one row by its key, and the pages of a list."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from app.db import Database
from app.db.base import Row
from app.db.keyset import KeysetList, PageRequest
from app.db.repositories.base import Reader


class ResourceReader(Reader):
    """Base class of the repositories that read the rows of a resource.

    `scope` are the parameters of the query of `rows`. In a repository of the notes of one user:

        rows = KeysetList(select(Note.id, Note.title).where(Note.owner_id == bindparam("owner_id")))

        def __init__(self, database: Database, owner_id: UUID) -> None:
            super().__init__(database, owner_id=owner_id)
    """

    #: The rows that `get` and `list` return.
    rows: ClassVar[KeysetList]

    def __init__(self, database: Database, **scope: Any) -> None:
        super().__init__(database)
        self._scope = scope

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

        `values` are the parameters of its query.

        Raises `UnavailableError` if a search takes longer than `DB_SEARCH_TIMEOUT`, or if too many
        searches are running.
        """
        statement, parameters = rows.select(page, values)
        fetch = self.search if statement.is_search else self.fetch_all
        return await fetch(statement.query, **parameters)
