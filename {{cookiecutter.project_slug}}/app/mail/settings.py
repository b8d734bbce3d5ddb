"""Settings of mail."""

from email.headerregistry import Address
from typing import Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from app.mail.mail_url import MailDestination, parse_mail_url
from app.mail.message import parse_sender
from app.settings_base import SERVICE_NAME, Environment, SettingsGroup


def _default_url(values: dict[str, Any]) -> SecretStr:
    return SecretStr("log:" if values.get("environment") == "test" else "file:.data/mail")


class MailSettings(SettingsGroup):
    """How messages are sent, from which address, and where their links lead."""

    environment: Environment = "development"
    mail_url: SecretStr = Field(default_factory=_default_url)
    mail_from: str = Field(default=f"{SERVICE_NAME}@localhost", max_length=254)
    app_url: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://[^\s/?#]+[^\s?#]*$")

    @field_validator("mail_url")
    @classmethod
    def _check_url(cls, value: SecretStr) -> SecretStr:
        parse_mail_url(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _check_sender(cls, value: str) -> str:
        parse_sender(value)
        return value

    @model_validator(mode="after")
    def _check_production(self) -> Self:
        # Messages of a service in production must not end in a folder unnoticed.
        missing = type(self).model_fields.keys() - self.model_fields_set
        if self.environment == "production" and missing:
            raise ValueError("\n".join(f"{name.upper()} is missing" for name in sorted(missing)))
        return self

    @property
    def destination(self) -> MailDestination:
        """Where messages are sent to: the value of `MAIL_URL`."""
        return parse_mail_url(self.mail_url.get_secret_value())

    @property
    def sender(self) -> Address:
        """The sender of all messages: the value of `MAIL_FROM`."""
        return parse_sender(self.mail_from)
