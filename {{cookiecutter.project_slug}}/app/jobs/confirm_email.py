"""Sends the link that completes the change of an e-mail."""

from app.auth.link_mail_job import LinkMailJob
from app.auth.link_mails import email_change_mail
from app.job_queue import JobContext
from app.mail import Mail


class ConfirmEmail(LinkMailJob):
    """Sends the link to the new address of a user."""

    async def compose(self, context: JobContext) -> Mail | None:
        """Return the mail, or None if the address is in use or the change is void."""
        return await email_change_mail(context, self.token_id)
