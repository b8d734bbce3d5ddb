"""Sends the link with which a user sets a new password."""

from app.auth.link_mail_job import LinkMailJob
from app.auth.link_mails import password_reset_mail
from app.job_queue import JobContext
from app.mail import Mail


class ResetPassword(LinkMailJob):
    """Sends the link, if there is an active user with the e-mail."""

    async def compose(self, context: JobContext) -> Mail | None:
        """Return the mail, or None if there is no such user."""
        return await password_reset_mail(context, self.token_id)
