"""Mails to users."""

from app.mail import Mail
from app.settings_base import SERVICE_NAME


def welcome(email: str, app_url: str) -> Mail:
    """Return the mail to a new user."""
    return Mail(
        to=email,
        subject=f"Welcome to {SERVICE_NAME}",
        text=f"""\
An account with this e-mail address was created in {SERVICE_NAME}:
{app_url}
""",
    )
