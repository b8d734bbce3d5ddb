"""Mail: `Mail`, a message, `Mailer`, which sends it, and `MailJob`, the base class of mail jobs.

Enqueue a message with `app.jobs.send_mail`, or with a job that composes it.
"""

from app.mail.job import MailJob
from app.mail.mailer import Mailer
from app.mail.message import Mail

__all__ = ["Mail", "MailJob", "Mailer"]
