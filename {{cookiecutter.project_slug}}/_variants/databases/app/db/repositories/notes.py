"""Notes of one user: there is no way here to the notes of another."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, select

from app.db.base import Row
from app.db.database import Database, Transaction
from app.db.keyset import Pages
from app.db.models.notes import notes
from app.db.repositories.base import Reader, Writer

COLUMNS = (notes.c.id, notes.c.title, notes.c.description, notes.c.created_at)
OWN = select(*COLUMNS).where(notes.c.owner_id == bindparam("owner_id"))

BY_ID = OWN.where(notes.c.id == bindparam("id"))
PAGES = Pages(OWN, notes.c.id, notes.c.search_vector)


class NoteReader(Reader):
    """A user's notes as a response shows them."""

    def __init__(self, database: Database, owner_id: UUID) -> None:
        super().__init__(database)
        self._owner_id = owner_id

    async def get(self, note_id: int) -> Row:
        """One note; raises `NotFoundError` without."""
        return await self.fetch_one(BY_ID, owner_id=self._owner_id, id=note_id)

    async def page(self, *, limit: int, after: int | None, q: str | None) -> Sequence[Row]:
        """At most `limit` notes, newest first, older than `after`, that match `q`."""
        return await PAGES.fetch(self, limit=limit, after=after, q=q, owner_id=self._owner_id)


class NoteWriter(Writer):
    """Changes to a user's notes."""

    table = notes

    def __init__(self, transaction: Transaction, owner_id: UUID) -> None:
        super().__init__(transaction)
        self._owner_id = owner_id

    async def create(self, **values: Any) -> Row:
        """A new note of this user."""
        return await super().create(owner_id=self._owner_id, **values)

    def _is(self, key: UUID | int) -> ColumnElement[bool]:
        return super()._is(key) & (notes.c.owner_id == self._owner_id)
