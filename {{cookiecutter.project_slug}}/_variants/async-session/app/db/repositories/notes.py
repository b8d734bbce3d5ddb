"""Repositories of the notes of one user.

Every statement is restricted to the owner, so the notes of other users are not found.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, select

from app.db.base import Row
from app.db.database import Database
from app.db.keyset import KeysetList, PageRequest
from app.db.models.notes import Note
from app.db.repositories.base import Reader, Writer
from app.db.transaction import Transaction

SELECT_OWN = select(Note.id, Note.title, Note.description, Note.created_at).where(
    Note.owner_id == bindparam("owner_id")
)
SELECT_BY_ID = SELECT_OWN.where(Note.id == bindparam("id"))
NOTE_LIST = KeysetList(SELECT_OWN, search_vector=Note.__table__.c.search_vector)


class NoteReader(Reader):
    """Reads the notes of one user."""

    def __init__(self, database: Database, owner_id: UUID) -> None:
        super().__init__(database)
        self._owner_id = owner_id

    async def get(self, note_id: int) -> Row:
        """Return a note. Raises `NotFoundError` if the user has no such note."""
        return await self.fetch_one(SELECT_BY_ID, owner_id=self._owner_id, id=note_id)

    async def list(self, page: PageRequest) -> Sequence[Row]:
        """Return the notes of a page, and one more if there is a next page."""
        return await NOTE_LIST.fetch(self, page, owner_id=self._owner_id)


class NoteWriter(Writer):
    """Creates, updates and deletes the notes of one user."""

    model = Note

    def __init__(self, transaction: Transaction, owner_id: UUID) -> None:
        super().__init__(transaction, owner_id=owner_id)
