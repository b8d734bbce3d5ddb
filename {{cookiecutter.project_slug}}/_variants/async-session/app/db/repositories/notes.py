"""Notes of one user: there is no way here to the notes of another."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.database import Database
from app.db.keyset import Pages
from app.db.models.notes import Note
from app.db.repositories.base import Reader, Writer
from app.errors import NotFoundError

COLUMNS = (Note.id, Note.title, Note.description, Note.created_at)
OWN = select(*COLUMNS).where(Note.owner_id == bindparam("owner_id"))

BY_ID = OWN.where(Note.id == bindparam("id"))
PAGES = Pages(OWN, Note.id, Note.__table__.c.search_vector)


class NoteReader(Reader):
    """A user's notes as a response shows them."""

    def __init__(self, database: Database, owner_id: UUID) -> None:
        super().__init__(database)
        self._owner_id = owner_id

    async def get(self, note_id: int) -> Row[Any]:
        """One note; raises `NotFoundError` without."""
        return await self.fetch_one(BY_ID, owner_id=self._owner_id, id=note_id)

    async def page(self, *, limit: int, after: int | None, q: str | None) -> Sequence[Row[Any]]:
        """At most `limit` notes, newest first, older than `after`, that match `q`."""
        return await PAGES.fetch(self, limit=limit, after=after, q=q, owner_id=self._owner_id)


class NoteWriter(Writer[Note]):
    """Changes to a user's notes."""

    model = Note

    def __init__(self, session: AsyncSession, owner_id: UUID) -> None:
        super().__init__(session)
        self._owner_id = owner_id

    async def get(self, key: UUID | int) -> Note:
        """The note with this key, of this user; raises `NotFoundError` without."""
        statement = select(Note).where(Note.id == key, Note.owner_id == self._owner_id)
        note = await self._session.scalar(statement.with_for_update())
        if note is None:
            raise NotFoundError("There is no such resource.")
        return note

    async def create(self, **values: Any) -> Row[Any]:
        """A new note of this user."""
        return await super().create(owner_id=self._owner_id, **values)
