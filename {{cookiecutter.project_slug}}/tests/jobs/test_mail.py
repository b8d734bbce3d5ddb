"""Messages: valid headers, MIME, and those that are written to files or to the log."""

import logging
from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr, ValidationError

from app.jobs.send_mail import SendMail
from app.mail import Mail, Mailer
from app.mail.message import parse_sender
from app.mail.settings import MailSettings
from app.settings_base import Environment

SENDER = Address("Tests, Ltd", "tests", "example.com")
ID = UUID("0198f0aa-3c5e-4b1e-9d6d-0123456789ab")
LINE_BREAKS = ["\n", "\r", "\r\n", "\v", "\f", "\0", "\x1b", "\x85", "\u2028", "\u2029"]
MAIL = Mail(
    to="ada@example.com",
    subject="Grüße, " + "ü" * 190,
    text="Über uns:\n.\nFrom: x\n\nhttp://x.example/?token=" + "t" * 2000 + "\n",
    html="<p>Über &amp; uns</p>\n",
)


def parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=SMTP)


def messages_in(folder: Path) -> list[Path]:
    return [*folder.glob("*.eml")]


def body(message: EmailMessage, kind: str) -> str:
    part: Any = message.get_body((kind,))
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


@pytest.mark.parametrize("line_break", LINE_BREAKS)
def test_line_break_in_a_header_is_rejected(line_break: str) -> None:
    injected = f"{line_break}Bcc: eve@example.com"
    with pytest.raises(ValidationError, match="to\n"):
        Mail(to=f"ada@example.com{injected}", subject="Hello", text="")
    with pytest.raises(ValidationError, match="to\n"):
        Mail(to=f"ada@example.com{line_break}", subject="Hello", text="")
    with pytest.raises(ValidationError, match="must not contain line breaks"):
        Mail(to="ada@example.com", subject=f"Hello{injected}", text="")
    with pytest.raises(ValueError, match="must not contain line breaks"):
        parse_sender(f"ada@example.com{injected}")


@pytest.mark.parametrize(
    "address",
    [
        *("", "a", "a@", "@b", "a b@c", "a@b c", "a@b@c", "a@b,c@d", "a@b;c@d", "a@b, c@d"),
        *("<a@b>", "A <a@b>", "ä@b", "a@ä", "a@b..c", "a@.b", '"a"@b', "a@[1.2.3.4]", "(a)a@b"),
        "a" * 243 + "@example.com",
    ],
)
def test_invalid_recipient_is_rejected(address: str) -> None:
    with pytest.raises(ValidationError, match="to\n"):
        Mail(to=address, subject="Hello", text="")


@pytest.mark.parametrize(
    "address",
    ["a@b", "A.b+c@D-e.F", "!#$%&'*+/=?^_`{|}~.-@a.b", ".@x", "a..b@c", "a" * 242 + "@example.com"],
)
def test_recipient_is_the_only_one_in_its_header(address: str) -> None:
    mime = Mail(to=address, subject="Hello", text="").to_mime(SENDER, ID)
    header = mime.as_bytes().partition(b"\r\nTo:")[2].partition(b"\r\nSubject:")[0]
    assert header.strip().decode() == address
    assert [one.addr_spec for one in mime["To"].addresses] == [address]


@pytest.mark.parametrize("fields", [{"subject": ""}, {"subject": "x" * 201}, {"text": "a\0b"}])
def test_empty_long_and_unsendable_texts_are_rejected(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Mail.model_validate({"to": "ada@example.com", "subject": "Hello", "text": "", **fields})


def test_mime_message_has_only_short_ascii_lines_and_the_same_content() -> None:
    content = MAIL.to_mime(SENDER, ID).as_bytes()
    message = parsed(content)

    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 78
    assert message["Subject"] == MAIL.subject
    assert message["From"].addresses == (SENDER,)
    assert message["To"] == MAIL.to
    assert body(message, "plain") == MAIL.text
    assert body(message, "html") == MAIL.html
    assert message["Message-ID"] == f"<{ID}@example.com>"
    assert abs((datetime.now(UTC) - message["Date"].datetime).total_seconds()) < 60


def test_long_link_is_not_encoded() -> None:
    link = f"https://example.com/confirm?token={'a' * 200}"
    mail = Mail(to="ada@example.com", subject="Hello", text=f"Follow this link:\n{link}\n")
    assert f"\r\n{link}\r\n".encode() in mail.to_mime(SENDER, ID).as_bytes()


def test_job_has_the_message_as_payload() -> None:
    job = SendMail(mail=MAIL)
    assert SendMail.model_validate_json(job.model_dump_json()) == job
    assert SendMail(mail=MAIL).message_id != job.message_id


def test_job_ignores_fields_of_a_newer_release() -> None:
    payload = SendMail(mail=MAIL).model_dump(mode="json")
    newer = {**payload, "new": 1, "mail": {**payload["mail"], "new": 1}}
    assert SendMail.model_validate(newer).mail == MAIL


@pytest.mark.parametrize("environment", ["development", "production"])
async def test_message_is_a_file_and_in_development_also_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, environment: Environment
) -> None:
    folder = tmp_path / "data" / "mail"
    settings = MailSettings(
        environment=environment,
        mail_url=SecretStr(f"file:{folder}"),
        mail_from="tests@example.com",
        app_url="https://example.com",
    )
    with caplog.at_level(logging.INFO):
        await Mailer(settings).send(MAIL, ID)
    (file,) = messages_in(folder)

    assert body(parsed(file.read_bytes()), "plain") == MAIL.text
    is_logged = environment == "development"
    assert (MAIL.text in caplog.text and MAIL.subject in caplog.text) == is_logged
    assert bool(caplog.records) == is_logged
    # The first delivery may have failed after the file was written.
    await Mailer(settings).send(MAIL, ID)
    assert messages_in(folder) == [file]
    await Mailer(settings).send(MAIL, UUID(int=1))
    assert len(messages_in(folder)) == 2


async def test_file_is_complete_or_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_full(_: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", is_full)
    with pytest.raises(OSError, match="No space"):
        await Mailer(MailSettings(mail_url=SecretStr(f"file:{tmp_path}"))).send(MAIL, ID)
    assert not messages_in(tmp_path)


async def test_message_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await Mailer(MailSettings(mail_url=SecretStr("log:"))).send(MAIL, ID)
    (record,) = caplog.records
    for part in (MAIL.to, MAIL.subject, MAIL.text):
        assert part in record.getMessage()
