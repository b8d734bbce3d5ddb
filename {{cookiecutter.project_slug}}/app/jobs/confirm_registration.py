"""Sends the link that completes a registration."""

from app.auth.link_mail_job import LinkMailJob
from app.auth.link_mails import registration_mail
from app.job_queue import JobContext
from app.mail import Mail


class ConfirmRegistration(LinkMailJob):
    """Creates the unconfirmed user, and sends the link."""

    async def compose(self, context: JobContext) -> Mail | None:
        """Return the mail, or None if the registration needs no link."""
        return await registration_mail(context, self.token_id)
