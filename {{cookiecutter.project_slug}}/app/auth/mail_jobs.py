"""Enqueues the mails of account operations, in their transactions."""

from uuid import UUID

from app.db import Transaction
from app.job_queue import JobQueue
from app.jobs.welcome_user import WelcomeUser


async def enqueue_welcome(user_id: UUID, transaction: Transaction) -> None:
    """Enqueue a welcome mail to a new user."""
    await JobQueue(transaction).enqueue(WelcomeUser(user_id=user_id))
