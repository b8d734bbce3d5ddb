"""Repositories of the notes of one user.

Every statement is restricted to the owner, so the notes of other users are not found.
"""

from uuid import UUID

from sqlalchemy import bindparam, select

from app.db.database import Database
from app.db.keyset import KeysetList
from app.db.models.notes import notes
from app.db.repositories.base import Reader, Writer
from app.db.transaction import Transaction


class NoteReader(Reader):
    """Reads the notes of one user."""

    rows = KeysetList(
        select(notes.c.id, notes.c.title, notes.c.description, notes.c.created_at).where(
            notes.c.owner_id == bindparam("owner_id")
        ),
        search_vector=notes.c.search_vector,
    )

    def __init__(self, database: Database, owner_id: UUID) -> None:
        super().__init__(database, owner_id=owner_id)


class NoteWriter(Writer):
    """Creates, updates and deletes the notes of one user."""

    table = notes

    def __init__(self, transaction: Transaction, owner_id: UUID) -> None:
        super().__init__(transaction, owner_id=owner_id)
