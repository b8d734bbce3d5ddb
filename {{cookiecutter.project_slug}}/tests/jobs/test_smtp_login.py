"""Logins to a mail server, and encryption of the connection."""

import ssl
from pathlib import Path

import aiosmtplib
import pytest
import trustme

from app.job_queue import PermanentError
from app.mail import mail_url
from tests.jobs.mail_server import ID, MAIL, MailServer, mailer_for


async def test_password_is_percent_encoded() -> None:
    server = MailServer(credentials=("me@example.com", "p/ä:@%?#"))
    async with server.running():
        await mailer_for(server.url()).send(MAIL, ID)

    assert server.logins == [server.credentials]
    assert len(server.messages) == 1


async def test_wrong_password_is_not_permanent() -> None:
    server = MailServer(credentials=("me", "wrong"))
    async with server.running():
        url = server.url()
        server.credentials = ("me", "right")
        with pytest.raises(aiosmtplib.SMTPAuthenticationError) as raised:
            await mailer_for(url).send(MAIL, ID)

    assert not isinstance(raised.value, PermanentError)
    assert "wrong" not in repr(raised.value)
    assert not server.messages


@pytest.fixture
def server_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Return the TLS context of a server whose certificate is trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    # The trusted certificates of OpenSSL.
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    return tls


@pytest.fixture
def _is_remote(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat 127.0.0.1 as another machine."""
    monkeypatch.setattr(mail_url, "_LOCAL_HOSTS", set())


@pytest.mark.usefixtures("_is_remote")
async def test_password_is_not_sent_without_encryption() -> None:
    server = MailServer(credentials=("me", "secret"))
    async with server.running():
        with pytest.raises(aiosmtplib.SMTPException, match="STARTTLS"):
            await mailer_for(server.url()).send(MAIL, ID)

    assert not server.logins


@pytest.mark.usefixtures("_is_remote")
@pytest.mark.parametrize("credentials", [None, ("me", "secret")])
async def test_starttls_is_used_if_it_is_offered(
    server_tls: ssl.SSLContext, credentials: tuple[str, str] | None
) -> None:
    server = MailServer(tls=server_tls, credentials=credentials)
    async with server.running():
        await mailer_for(server.url()).send(MAIL, ID)

    assert len(server.messages) == 1
    assert server.is_encrypted == [True]


@pytest.mark.parametrize("is_trusted", [True, False])
async def test_smtps_encrypts_the_connection_and_checks_the_certificate(
    server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, *, is_trusted: bool
) -> None:
    if not is_trusted:
        monkeypatch.delenv("SSL_CERT_FILE")
    server = MailServer(credentials=("me", "secret"))
    async with server.running(server_tls):
        sending = mailer_for(server.url("smtps")).send(MAIL, ID)
        if is_trusted:
            await sending
        else:
            with pytest.raises(aiosmtplib.SMTPConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await sending

    assert len(server.messages) == is_trusted
