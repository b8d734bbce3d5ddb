"""Runs the queued jobs, and keeps the mails that they send."""

import re
from uuid import UUID

import asyncpg
from starlette.datastructures import State

from app.auth.authentication import Authentication
from app.db import Database
from app.job_queue import Job, JobContext
from app.jobs import discover_jobs
from app.mail import Mail
from app.settings import Settings

JOBS = {job.job_name(): job for job in discover_jobs()}


class Outbox:
    """The mails of a test. It takes the place of the mailer and of the worker."""

    def __init__(
        self,
        queue: asyncpg.Connection,
        database: Database,
        settings: Settings,
        authentication: Authentication,
    ) -> None:
        self._queue = queue
        state = State({"mailer": self, "authentication": authentication})
        self._context = JobContext(database=database, settings=settings, state=state)
        self.sent: list[Mail] = []
        self.message_ids: list[UUID] = []
        #: Whether the mail server accepts messages.
        self.is_available = True

    async def send(self, mail: Mail, message_id: UUID) -> None:
        """Keep a message. Raises `ConnectionError` if the mail server is not available."""
        if not self.is_available:
            raise ConnectionError
        self.sent.append(mail)
        self.message_ids.append(message_id)

    async def take_jobs(self) -> list[Job]:
        """Remove the queued jobs from the queue and return them, the oldest first."""
        rows = await self._queue.fetch("SELECT id, entrypoint, payload FROM jobs.pgqueuer")
        await self._queue.execute("DELETE FROM jobs.pgqueuer")
        rows.sort(key=lambda row: row["id"])
        return [JOBS[row["entrypoint"]].model_validate_json(row["payload"]) for row in rows]

    async def run(self, job: Job) -> None:
        """Run an attempt of a job."""
        await job.run(self._context)

    async def mails(self) -> list[Mail]:
        """Run all jobs, and those that they enqueue; return the mails sent since the last call."""
        while jobs := await self.take_jobs():
            for job in jobs:
                await self.run(job)
        sent, self.sent = self.sent, []
        return sent

    async def mail(self) -> Mail:
        """Return the only mail sent since the last call."""
        (mail,) = await self.mails()
        return mail

    async def token(self) -> str:
        """Return the token in the only mail with a link sent since the last call."""
        (token,) = [token for mail in await self.mails() if (token := token_in(mail))]
        return token


def token_in(mail: Mail) -> str:
    """Return the token in the link of a mail, or an empty string if it has none."""
    found = re.search(r"^http://\S+\?token=(\S+)$", mail.text, re.MULTILINE)
    return found[1] if found else ""
