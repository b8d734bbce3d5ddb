"""Base class of jobs that send a message."""

from abc import abstractmethod
from typing import ClassVar
from uuid import UUID, uuid4

from pydantic import Field

from app.job_queue import Job, JobContext
from app.mail.mailer import Mailer
from app.mail.message import Mail


class MailJob(Job):
    """A job that sends one message.

    If the mail server is unavailable, it is repeated: in the first hour, after twice as long each
    time, and then every hour, for two days in total.
    """

    max_attempts: ClassVar[int] = 60
    retry_delay: ClassVar[float] = 5

    #: The same in all attempts, so that a message that arrives twice can be recognized.
    message_id: UUID = Field(default_factory=uuid4)

    @abstractmethod
    async def compose(self, context: JobContext) -> Mail | None:
        """Return the message, or None if it is no longer needed."""

    async def run(self, context: JobContext) -> None:
        """Send the message."""
        mail = await self.compose(context)
        if mail is not None:
            mailer: Mailer = context.state.mailer
            await mailer.send(mail, self.message_id)
