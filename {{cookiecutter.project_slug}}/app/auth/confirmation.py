"""Confirmation of users whose password a link or an administrator has replaced."""

from uuid import UUID

from app.db import Transaction
from app.db.repositories.account_tokens import UnconfirmedUserWriter
from app.db.repositories.api_keys import ApiKeyWriter


async def confirm_with_new_password(user_id: UUID, transaction: Transaction) -> None:
    """Confirm the e-mail of a user with a new password.

    If it was not confirmed, the API keys are deleted: they may belong to another person, who
    registered the address first.
    """
    if await UnconfirmedUserWriter(transaction).confirm(user_id):
        await ApiKeyWriter(transaction, user_id).delete_all()
