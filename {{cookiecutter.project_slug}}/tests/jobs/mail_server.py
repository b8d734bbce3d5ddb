"""A mail server for tests."""

import asyncio
import email
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import SecretStr

from app.mail import Mail, Mailer
from app.mail.settings import MailSettings

#: Its lines begin with dots, which SMTP escapes, and are longer than SMTP allows.
MAIL = Mail(to="ada@example.com", subject="Grüße", text=".\n..dots\n" + "ü" * 2000 + "\n")
ID = UUID("0198f0aa-3c5e-4b1e-9d6d-0123456789ab")


def mailer_for(url: str) -> Mailer:
    """Return a mailer with this MAIL_URL."""
    return Mailer(MailSettings(mail_url=SecretStr(url), mail_from="Tests <tests@example.com>"))


@dataclass
class MailServer:
    """Records what it receives. It can reject messages, and require a user and a password."""

    #: Offers STARTTLS.
    tls: ssl.SSLContext | None = None
    credentials: tuple[str, str] | None = None
    #: Responses to the next RCPT and the next DATA. The server accepts those after them.
    responses: dict[str, str] = field(default_factory=dict)

    port: int = 0
    logins: list[tuple[str, str]] = field(default_factory=list)
    #: Senders and recipients.
    envelopes: list[tuple[str | None, list[str]]] = field(default_factory=list)
    messages: list[EmailMessage] = field(default_factory=list)
    #: Whether STARTTLS was used, for each message.
    is_encrypted: list[bool] = field(default_factory=list)

    def url(self, scheme: str = "smtp") -> str:
        """Return the value of MAIL_URL."""
        user = ":".join(quote(value, safe="") for value in self.credentials or ())
        return f"{scheme}://{user}{'@' if user else ''}127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
        """Listen until the block ends, on the same port each time."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._connect, "127.0.0.1", self.port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()

    def _connect(self) -> SMTP:
        return SMTP(
            self,
            hostname="localhost",
            loop=asyncio.get_running_loop(),
            tls_context=self.tls,
            auth_require_tls=False,
            authenticator=self._authenticate,
        )

    def _authenticate(self, *args: Any) -> AuthResult:
        data = cast("LoginPassword", args[4])
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.logins[-1] == self.credentials, handled=False)

    async def handle_RCPT(  # noqa: N802 - a name of aiosmtpd
        self, _: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del session, options
        if "RCPT" in self.responses:
            return self.responses.pop("RCPT")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.is_encrypted.append(session.ssl is not None)
        content = cast("bytes", envelope.content)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        self.messages.append(email.message_from_bytes(content, policy=POLICY))
        return self.responses.pop("DATA", "250 OK")
