"""Repositories of the sessions of one user, which are rows of `refresh_tokens`.

Every statement is restricted to the user, so the sessions of other users are not found.
"""

from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select

from app.db.database import Database
from app.db.keyset import KeysetList
from app.db.models.users import RefreshToken
from app.db.repositories.base import Reader, Writer
from app.db.transaction import Transaction


class SessionReader(Reader):
    """Reads the sessions of one user. `current_id` is the session to mark as the current one."""

    rows = KeysetList(
        select(
            RefreshToken.id,
            RefreshToken.created_at,
            RefreshToken.last_used_at,
            RefreshToken.client,
            # Also with NULL, for a request without a session, the result is not NULL.
            RefreshToken.id.is_not_distinct_from(bindparam("current_id", type_=Uuid)).label(
                "is_current"
            ),
        ).where(RefreshToken.user_id == bindparam("user_id"), RefreshToken.expires_at > func.now()),
        sorts=("-created_at", "created_at"),
    )

    def __init__(self, database: Database, user_id: UUID, current_id: UUID | None) -> None:
        super().__init__(database, user_id=user_id, current_id=current_id)


class SessionWriter(Writer):
    """Deletes the sessions of one user."""

    model = RefreshToken

    def __init__(self, transaction: Transaction, user_id: UUID) -> None:
        super().__init__(transaction, user_id=user_id)
