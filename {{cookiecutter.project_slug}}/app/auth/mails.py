"""Mails to users."""

from app.mail import Mail
from app.settings_base import SERVICE_NAME

# Which of the registrations is the reader's own is unknown.
_REPEATED = """
This address was registered several times. The link sets the password of this registration. If you
registered only once, another person did, too: do not follow the link, but reset your password.
"""


def confirm_registration(to: str, app_url: str, token: str, *, is_repeated: bool) -> Mail:
    """Return the mail that completes a registration.

    `is_repeated` adds a warning: another registration of the address can still be confirmed.
    """
    warning = _REPEATED if is_repeated else ""
    return Mail(
        to=to,
        subject=f"Confirm your account at {SERVICE_NAME}",
        text=f"""\
Follow this link within 24 hours to confirm your new account at {SERVICE_NAME}:
{_link(app_url, "confirm", token)}

If you have not registered, ignore this mail. The account cannot be used without the link.
{warning}""",
    )


def account_exists(to: str, app_url: str) -> Mail:
    """Return the mail to a user whose address was registered again."""
    return Mail(
        to=to,
        subject=f"You already have an account at {SERVICE_NAME}",
        text=f"""\
This e-mail address was used to register at {SERVICE_NAME}:
{app_url}

You already have an account, which is unchanged. If it was you, log in, or reset your password.
Otherwise, ignore this mail.
""",
    )


def reset_password(to: str, app_url: str, token: str) -> Mail:
    """Return the mail with which a user sets a new password."""
    return Mail(
        to=to,
        subject=f"Reset your password at {SERVICE_NAME}",
        text=f"""\
Follow this link within one hour to set a new password at {SERVICE_NAME}:
{_link(app_url, "reset-password", token)}

If you have not asked for it, ignore this mail. Your password is unchanged.
""",
    )


def confirm_email(to: str, app_url: str, token: str) -> Mail:
    """Return the mail to the new address of a user."""
    return Mail(
        to=to,
        subject=f"Confirm your new e-mail address at {SERVICE_NAME}",
        text=f"""\
Follow this link within 24 hours to use this address for your account at {SERVICE_NAME}:
{_link(app_url, "confirm", token)}

If you have not changed your address, ignore this mail.
""",
    )


def email_in_use(to: str, app_url: str) -> Mail:
    """Return the mail to a user whose address was entered for another account."""
    return Mail(
        to=to,
        subject=f"You already have an account at {SERVICE_NAME}",
        text=f"""\
This e-mail address was entered for another account at {SERVICE_NAME}:
{app_url}

This has no effect, because you have an account with this address, which is unchanged.
""",
    )


def email_change_requested(to: str, new_email: str) -> Mail:
    """Return the mail to the present address of a user who has asked for another one."""
    return Mail(
        to=to,
        subject=f"Your e-mail address at {SERVICE_NAME}",
        text=f"""\
The e-mail address of your account at {SERVICE_NAME} is about to change to {new_email}.
The new address takes effect when it is confirmed.

If it was not you, change your password: someone else may know it. This also stops the change.
""",
    )


def email_changed(to: str, new_email: str) -> Mail:
    """Return the mail to the previous address of a user."""
    return Mail(
        to=to,
        subject=f"Your e-mail address at {SERVICE_NAME} has changed",
        text=f"""\
Your account at {SERVICE_NAME} now has the e-mail address {new_email}.
It can no longer be used with this address.
""",
    )


def _link(app_url: str, path: str, token: str) -> str:
    return f"{app_url.rstrip('/')}/{path}?token={token}"
