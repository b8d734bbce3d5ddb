"""Deletes expired sessions, failed logins and counts of limited requests."""

from typing import ClassVar

from app.auth.accounts import AccountService
from app.job_queue import Job, JobContext


class PurgeAccounts(Job):
    """Deletes expired sessions, failed logins and counts of limited requests, once an hour."""

    schedule: ClassVar[str | None] = "23 * * * *"

    async def run(self, context: JobContext) -> None:
        """Delete them."""
        await AccountService(context.database, context.state.authentication).purge_expired()
