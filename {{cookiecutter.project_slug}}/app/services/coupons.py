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

    Raises `NotFoundError` if the coupon does not exist, `CouponExhaustedError` if no redemptions
    are left.
    """
    # All concurrent redemptions need the coupon's row, so it is locked last, for the shortest time.
    redemption = await redemptions.create_for_coupon(coupon_id)
    if not await coupons.decrement_remaining(coupon_id):
        raise CouponExhaustedError("This coupon has been fully redeemed.")
    return redemption
