"""A message, and its conversion to MIME."""

import re
import unicodedata
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# Without 8-bit lines, which not every server accepts.
_POLICY = SMTP.clone(cte_type="7bit")
# One address without a name. ASCII only, because not every server accepts other characters.
_ADDRESS_PATTERN = r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*$"
_NAMED_ADDRESS = re.compile(r'(?P<name>"[^"<>]*"|[^"<>]*) ?<(?P<address>[^<>]*)>')
_MAX_ADDRESS_LENGTH = 254
_MAX_HEADER_LENGTH = 200
# https://www.rfc-editor.org/rfc/rfc5322#section-2.1.1
_MAX_LINE_LENGTH = 998
# Control characters, and the line and paragraph separators of Unicode.
_UNSAFE_CATEGORIES = {"Cc", "Zl", "Zp"}


def _reject_line_breaks(value: str) -> str:
    if any(unicodedata.category(char) in _UNSAFE_CATEGORIES for char in value):
        raise ValueError("must not contain line breaks or control characters")
    return value


MailAddress = Annotated[str, Field(max_length=_MAX_ADDRESS_LENGTH, pattern=_ADDRESS_PATTERN)]
HeaderText = Annotated[
    str, Field(min_length=1, max_length=_MAX_HEADER_LENGTH), AfterValidator(_reject_line_breaks)
]
#: SMTP does not allow NUL.
BodyText = Annotated[str, Field(max_length=100_000, pattern=r"^[^\x00]*$")]


class Mail(BaseModel):
    """A message to one recipient.

    Raises `ValidationError` for an invalid address, or line breaks in a header.
    """

    model_config = ConfigDict(frozen=True)

    to: MailAddress
    subject: HeaderText
    text: BodyText
    #: An alternative to the text. Escape the values in it with `html.escape`.
    html: BodyText | None = None

    def to_mime(self, sender: Address, message_id: UUID) -> EmailMessage:
        """Return the message as MIME. Mail servers recognize a repeated message by its ID."""
        message = EmailMessage(_POLICY)
        message["Message-ID"] = f"<{message_id}@{sender.domain}>"
        message["Date"] = datetime.now(UTC)
        message["From"] = sender
        message["To"] = _address(self.to)
        message["Subject"] = self.subject
        # Against replies such as out-of-office notices.
        message["Auto-Submitted"] = "auto-generated"
        # By default, lines over 78 characters are encoded, so a link in a file could not be copied.
        is_plain = self.text.isascii() and max(map(len, self.text.split("\n"))) <= _MAX_LINE_LENGTH
        message.set_content(self.text, cte="7bit" if is_plain else None)
        if self.html is not None:
            message.add_alternative(self.html, subtype="html")
        return message


def parse_sender(value: str) -> Address:
    """Parse `me@example.com` or `My Service <me@example.com>`. Raises `ValueError` otherwise."""
    # Python's parser raises various exceptions for invalid addresses.
    found = _NAMED_ADDRESS.fullmatch(_reject_line_breaks(value))
    name, address = (found["name"].strip(' "'), found["address"]) if found else ("", value)
    if not re.fullmatch(_ADDRESS_PATTERN, address):
        raise ValueError("must be me@example.com or My Service <me@example.com>, for example")
    return _address(address, name)


def _address(value: str, name: str = "") -> Address:
    # `Address(addr_spec=value)` rejects addresses that browsers accept, such as `a..b@example.com`.
    username, _, domain = value.rpartition("@")
    return Address(name, username, domain)
