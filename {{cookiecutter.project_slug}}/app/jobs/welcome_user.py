"""Welcomes a new user by mail."""

from uuid import UUID

from app.auth.mails import welcome
from app.db.repositories.users import UserReader
from app.job_queue import JobContext
from app.mail import Mail, MailJob
from app.mail.settings import MailSettings


class WelcomeUser(MailJob):
    """Sends the welcome mail to a new user."""

    user_id: UUID

    async def compose(self, context: JobContext) -> Mail | None:
        """Return the mail, or None if the user no longer exists."""
        user = await UserReader(context.database).find(self.user_id)
        if user is None:
            return None
        return welcome(user.email, context.settings.group(MailSettings).app_url)
