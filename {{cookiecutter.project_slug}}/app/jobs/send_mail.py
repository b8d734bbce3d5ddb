"""Sends a message."""

from app.job_queue import JobContext
from app.mail import Mail, MailJob


class SendMail(MailJob):
    """Sends the message in its payload.

    The payload is stored in the database. So a message with a secret, such as a link to reset a
    password, has its own job, which composes the message when it runs.
    """

    mail: Mail

    async def compose(self, _: JobContext) -> Mail:
        """Return the message."""
        return self.mail
