"""Mail, see `app.mail`."""

from fastapi import FastAPI

from app.components import Component
from app.mail.mailer import Mailer
from app.mail.settings import MailSettings
from app.settings import Settings


def install(app: FastAPI, settings: Settings) -> None:
    """Create the mailer, which jobs use."""
    app.state.mailer = Mailer(settings.group(MailSettings))


component = Component(settings_group=MailSettings, install=install)
