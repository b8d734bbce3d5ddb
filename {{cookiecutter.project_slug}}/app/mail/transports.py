"""Ways to send a message: to a mail server, to a folder, or to the log."""

import asyncio
import logging
import tempfile
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

import aiosmtplib

from app.job_queue import PermanentError
from app.mail.mail_url import MailDestination, MailFolder, SmtpServer

logger = logging.getLogger(__name__)

# Seconds for the connection, and for each response of the server.
_TIMEOUT = 15


class MailRejectedError(PermanentError):
    """The mail server will never accept the message, for example because of its recipient."""


class Transport(Protocol):
    """Sends messages."""

    async def send(self, message: EmailMessage) -> None:
        """Send a message. Raises an exception unless it was accepted."""


class SmtpTransport:
    """Sends messages to a mail server, on a connection each."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def send(self, message: EmailMessage) -> None:
        """Send a message. Raises `MailRejectedError` if repeating it would not help."""
        server = self._server
        try:
            await aiosmtplib.send(
                message,
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password,
                use_tls=server.use_tls,
                start_tls=server.start_tls,
                timeout=_TIMEOUT,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            # Each message has one recipient.
            _raise_if_permanent(error.recipients[0])
            raise
        except aiosmtplib.SMTPDataError as error:
            _raise_if_permanent(error)
            raise
        # Any other error may be one of the settings, such as a wrong password, and is repeated.


def _raise_if_permanent(error: aiosmtplib.SMTPResponseException) -> None:
    # https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1
    if error.code >= 500:
        raise MailRejectedError(f"The mail server responded {error.code}: {error.message}")


class FileTransport:
    """Writes each message to a file in a folder."""

    def __init__(self, folder: Path, *, is_logged: bool) -> None:
        self._folder = folder
        self._is_logged = is_logged

    async def send(self, message: EmailMessage) -> None:
        """Write the message to a file. A repeated message replaces its file."""
        path = await asyncio.to_thread(self._write, message)
        if self._is_logged:
            logger.info("Mail in %s\n%s", path, _readable(message))

    def _write(self, message: EmailMessage) -> Path:
        message_id = str(message["Message-ID"]).strip("<>").partition("@")[0]
        path = self._folder / f"{message_id}.eml"
        self._folder.mkdir(parents=True, exist_ok=True)
        # Renamed when it is complete, so that readers never find a part of a message.
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
            file.write(message.as_bytes())
        return Path(file.name).replace(path)


class LogTransport:
    """Writes messages to the log."""

    async def send(self, message: EmailMessage) -> None:
        """Log the message."""
        logger.info("Mail\n%s", _readable(message))


def _readable(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    return f"To: {message['To']}\nSubject: {message['Subject']}\n\n{text}"


def create_transport(destination: MailDestination, *, is_logged: bool) -> Transport:
    """Return the transport to a destination. `is_logged` also logs messages in a folder."""
    if isinstance(destination, SmtpServer):
        return SmtpTransport(destination)
    if isinstance(destination, MailFolder):
        return FileTransport(destination.path, is_logged=is_logged)
    return LogTransport()
