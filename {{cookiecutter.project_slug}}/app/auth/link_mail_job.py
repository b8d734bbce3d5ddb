"""Base class of the jobs that send a mail with a link."""

from uuid import UUID, uuid4

from app.job_queue import JobContext
from app.mail import Mailer, MailJob


class LinkMailJob(MailJob):
    """A job that creates a token and sends the link. Its payload has no secret."""

    token_id: UUID

    async def run(self, context: JobContext) -> None:
        """Send the message."""
        mail = await self.compose(context)
        if mail is not None:
            mailer: Mailer = context.state.mailer
            # Not `message_id`: a repeated message has another token, and the link of the earlier
            # message is void. Mail servers must not take the new one for a duplicate.
            await mailer.send(mail, uuid4())
