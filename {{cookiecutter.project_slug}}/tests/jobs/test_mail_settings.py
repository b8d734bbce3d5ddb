"""`MailSettings`: forms of MAIL_URL and MAIL_FROM, and errors without passwords."""

from pathlib import Path

import pytest

from app.mail.mail_url import MailDestination, MailFolder, MailLog, SmtpServer, parse_mail_url
from app.mail.settings import MailSettings
from app.settings import SERVICE_NAME, SettingsError
from app.settings_base import load_group

PASSWORD, ENCODED = "hush", "p/ä"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "MAIL_URL": "smtps://me:hush@mail.example",
    "MAIL_FROM": "me@example.com",
    "APP_URL": "https://example.com",
}


def load(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> MailSettings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_group(MailSettings)


@pytest.mark.parametrize(
    ("url", "destination"),
    [
        ("log:", MailLog()),
        ("file:.data/mail", MailFolder(Path(".data/mail"))),
        ("file:/var/mail", MailFolder(Path("/var/mail"))),
        ("smtp://mail", SmtpServer(host="mail", port=25)),
        ("smtp://[::1]:1025/", SmtpServer(host="::1", port=1025)),
        (
            "smtp://me%40example.com:p%2F%C3%A4@mail.example",
            SmtpServer(host="mail.example", port=587, username="me@example.com", password=ENCODED),
        ),
        ("smtps://mail", SmtpServer(host="mail", port=465, use_tls=True)),
        (
            "smtps://me:hush@mail:8465",
            SmtpServer(host="mail", port=8465, username="me", password=PASSWORD, use_tls=True),
        ),
    ],
)
def test_mail_url_names_the_destination(url: str, destination: MailDestination) -> None:
    assert parse_mail_url(url) == destination
    assert "hush" not in repr(destination)


@pytest.mark.parametrize(
    ("url", "start_tls"),
    [
        ("smtp://mail", None),
        ("smtp://me:hush@mail", True),
        ("smtp://me:hush@localhost", False),
        ("smtps://me:hush@mail", False),
    ],
)
def test_starttls_is_required_for_a_password(url: str, *, start_tls: bool | None) -> None:
    server = parse_mail_url(url)
    assert isinstance(server, SmtpServer)
    assert server.start_tls is start_tls


@pytest.mark.parametrize(
    "url",
    [
        *("hush", "log", "log:hush", "file:", "file://hush/mail", "http://hush", "SMTP"),
        *("smtp:", "smtp://", "smtp:hush", "smtp://hush@mail", "smtp://:hush@", "smtp://mail:hush"),
        *("smtp://me:hu/sh@mail", "smtp://me:hu#sh@mail", "smtp://me:hu?sh@mail"),
        *("smtp://mail/hush", "smtp://mail?hush=1", "smtp://me:hush@mail:99999", "smtp://[hush"),
    ],
)
def test_invalid_mail_url_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with pytest.raises(SettingsError, match=r"^MAIL_URL: must ") as raised:
        load(monkeypatch, {"MAIL_URL": url})
    assert "hush" not in str(raised.value).replace("hu/sh", "hush")


@pytest.mark.parametrize(
    ("value", "name", "address"),
    [
        ("me@example.com", "", "me@example.com"),
        ("My Service <me@example.com>", "My Service", "me@example.com"),
        ('"Größe, Ltd" <me@example.com>', "Größe, Ltd", "me@example.com"),
        ("<me@example.com>", "", "me@example.com"),
    ],
)
def test_sender_may_have_a_name(
    monkeypatch: pytest.MonkeyPatch, value: str, name: str, address: str
) -> None:
    sender = load(monkeypatch, {"MAIL_FROM": value}).sender
    assert (sender.display_name, sender.addr_spec) == (name, address)


@pytest.mark.parametrize(
    "value",
    [
        *("me", "me@", "a@b, c@d", "a@b\nBcc: c@d", "A\nBcc: c@d <a@b>", "My <a@b> Name", "<>"),
        *('"', '"A" B <a@b>', "A <a@b", "a@b>", "<a@b>, <c@d>", "ä@b", "a@[", "a" * 251 + "@b.c"),
    ],
)
def test_invalid_sender_is_rejected(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    with pytest.raises(SettingsError, match=r"^MAIL_FROM: "):
        load(monkeypatch, {"MAIL_FROM": value})


@pytest.mark.parametrize("value", ["example.com", "ftp://a", "https://", "https://a b", "//a"])
def test_invalid_app_url_is_rejected(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    with pytest.raises(SettingsError, match=r"^APP_URL: "):
        load(monkeypatch, {"APP_URL": value})


def test_production_requires_all_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, PRODUCTION).sender.addr_spec == "me@example.com"
    for name in ("APP_URL", "MAIL_FROM", "MAIL_URL"):
        monkeypatch.delenv(name)
        with pytest.raises(SettingsError, match=f"^{name} is missing$"):
            load_group(MailSettings)
        monkeypatch.setenv(name, PRODUCTION[name])


@pytest.mark.parametrize(
    ("environment", "destination"),
    [("development", MailFolder(Path(".data/mail"))), ("test", MailLog())],
)
def test_other_environments_require_none(
    monkeypatch: pytest.MonkeyPatch, environment: str, destination: MailDestination
) -> None:
    settings = load(monkeypatch, {"ENVIRONMENT": environment})
    assert settings.destination == destination
    assert settings.sender.addr_spec == f"{SERVICE_NAME}@localhost"
    assert settings.app_url == "http://127.0.0.1:8000"


def test_password_is_hidden_in_representations(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, PRODUCTION)
    assert "hush" not in repr(settings) + str(settings) + repr(settings.destination)
