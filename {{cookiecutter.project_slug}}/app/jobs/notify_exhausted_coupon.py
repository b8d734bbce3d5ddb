"""Notifies the operators of a coupon that has no redemptions left."""

from uuid import UUID

from app.db.repositories.coupons import CouponReader
from app.errors import NotFoundError
from app.job_queue import JobContext
from app.mail import Mail, MailJob
from app.mail.settings import MailSettings


def exhausted_coupon(to: str, code: str, redemptions: int) -> Mail:
    """Return the mail about a coupon."""
    return Mail(
        to=to,
        # Without the code, which may contain any characters.
        subject="A coupon has no redemptions left",
        text=f"Redemptions: {redemptions}\nCode: {code}\n",
    )


class NotifyExhaustedCoupon(MailJob):
    """Sends a mail about the coupon to the address in `MAIL_FROM`."""

    coupon_id: UUID

    async def compose(self, context: JobContext) -> Mail | None:
        """Return the mail, or None if the coupon no longer exists."""
        try:
            coupon = await CouponReader(context.database).get(self.coupon_id)
        except NotFoundError:
            return None
        to = context.settings.group(MailSettings).sender.addr_spec
        return exhausted_coupon(to, coupon.code, coupon.init_count)
