"""Redemption of coupons: one transaction over two tables."""

from uuid import UUID

from app.db import Row
from app.db.repositories.coupons import CouponWriter, RedemptionWriter
from app.errors import ConflictError


class CouponExhaustedError(ConflictError):
    """The coupon has no redemptions left."""

    code = "coupon-exhausted"


async def redeem(coupon_id: UUID, coupons: CouponWriter, redemptions: RedemptionWriter) -> Row:
    """Redeem the coupon once and return the redemption. Both writers must share a transaction.

    Raises `NotFoundError` if the coupon does not exist, and `CouponExhaustedError` if it has no
    redemptions left. The transaction must then be rolled back, since the redemption is inserted.
    """
    # Decrementing locks the coupon's row, for which concurrent redemptions wait until the commit.
    # So it is the last statement: the lock is held for the shortest time.
    redemption = await redemptions.create_for_coupon(coupon_id)
    if not await coupons.decrement_remaining(coupon_id):
        raise CouponExhaustedError("This coupon has been fully redeemed.")
    return redemption
