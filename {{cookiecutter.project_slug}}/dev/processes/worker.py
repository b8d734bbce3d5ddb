"""A worker that runs background jobs."""

import os

from app.mail.mail_url import MailFolder
from app.mail.settings import MailSettings
from app.settings import load_settings
from app.worker import main


def announce(url: str) -> list[str]:
    """Let links in mails lead to the service at `url`, and return where the mails are."""
    mail = load_settings().group(MailSettings)
    if "app_url" not in mail.model_fields_set:
        os.environ["APP_URL"] = url
    folder = mail.destination
    return [f"Mails: {folder.path.resolve()}"] if isinstance(folder, MailFolder) else []


def run() -> None:
    """Run jobs until SIGTERM. The probes listen on any free port."""
    main([])
