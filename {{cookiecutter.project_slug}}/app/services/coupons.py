"""Redemption of coupons: one transaction over two tables."""

from uuid import UUID

from app.db import Row, Transaction
from app.db.repositories.coupons import CouponWriter, RedemptionWriter
# jinja: if cookiecutter.jobs
from app.job_queue import JobQueue
from app.jobs.notify_exhausted_coupon import NotifyExhaustedCoupon
# jinja: endif
from app.services.errors import CouponExhaustedError


async def redeem(coupon_id: UUID, transaction: Transaction) -> Row:
    """Redeem the coupon once and return the redemption.

    Raises `NotFoundError` if the coupon does not exist, and `CouponExhaustedError` if it has no
    redemptions left. The transaction must then be rolled back, since the redemption is inserted.
    """
    # Decrementing locks the coupon's row, for which concurrent redemptions wait until the commit.
    # So it is the last statement: the lock is held for the shortest time.
    redemption = await RedemptionWriter(transaction).create_for_coupon(coupon_id)
    remaining = await CouponWriter(transaction).decrement_remaining(coupon_id)
    if remaining is None:
        raise CouponExhaustedError("This coupon has been fully redeemed.")
    # jinja: if cookiecutter.jobs
    if remaining == 0:
        # Redemptions that wait for the lock can only fail.
        await JobQueue(transaction).enqueue(NotifyExhaustedCoupon(coupon_id=coupon_id))
    # jinja: endif
    return redemption
