"""Parses `MAIL_URL`, which says how messages are sent."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

_FORMS = "smtp://user:password@host:587, smtps://user:password@host, file:folder or log:"
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    """A mail server, from `smtp://` or `smtps://`."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    #: Whether TLS begins with the connection: smtps.
    use_tls: bool = False

    @property
    def start_tls(self) -> bool | None:
        """Whether to encrypt an smtp connection. None encrypts it if the server offers that.

        Required for a password, and not used on this machine, where certificates are rarely valid.
        """
        if self.use_tls or self.host in _LOCAL_HOSTS:
            return False
        return True if self.password is not None else None


@dataclass(frozen=True)
class MailFolder:
    """A folder in which each message becomes a file, from `file:`."""

    path: Path


@dataclass(frozen=True)
class MailLog:
    """The log, from `log:`."""


MailDestination = SmtpServer | MailFolder | MailLog


def parse_mail_url(url: str) -> MailDestination:
    """Parse the URL. Raises `ValueError` if it is invalid, without any part of it."""
    if url == "log:":
        return MailLog()
    scheme, _, rest = url.partition(":")
    if scheme == "file" and rest and not rest.startswith("//"):
        return MailFolder(Path(rest))
    if scheme in {"smtp", "smtps"}:
        return _parse_server(url)
    raise ValueError(f"must have one of the forms {_FORMS}")


def _parse_server(url: str) -> SmtpServer:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # The text of the exception could contain a part of the password.
        parts, port = urlsplit("smtp:"), None
    if not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(
            f"must have one of the forms {_FORMS}; special characters in the user and the password"
            " are percent-encoded"
        )
    if (parts.username is None) != (parts.password is None):
        raise ValueError("must contain a user and a password, or neither")
    use_tls = parts.scheme == "smtps"
    has_password = parts.password is not None
    return SmtpServer(
        host=parts.hostname,
        # 587 is for clients that log in, and 25 for relays.
        port=port or (465 if use_tls else 587 if has_password else 25),
        username=unquote(parts.username) if parts.username is not None else None,
        password=unquote(parts.password) if parts.password is not None else None,
        use_tls=use_tls,
    )
