"""Sends messages as the settings say."""

from uuid import UUID

from app.mail.message import Mail
from app.mail.settings import MailSettings
from app.mail.transports import create_transport


class Mailer:
    """Sends messages. `app.state.mailer` is the one of the process."""

    def __init__(self, settings: MailSettings) -> None:
        self.sender = settings.sender
        self._transport = create_transport(
            settings.destination, is_logged=settings.environment == "development"
        )

    async def send(self, mail: Mail, message_id: UUID) -> None:
        """Send a message. If it may have been sent before, pass the same ID again.

        Call it only in a job, which is repeated if the mail server is unavailable.
        """
        await self._transport.send(mail.to_mime(self.sender, message_id))
