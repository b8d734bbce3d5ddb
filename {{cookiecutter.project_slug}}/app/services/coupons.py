"""Redeeming a coupon: one transaction over two tables."""

from typing import Any
from uuid import UUID

from app.db.repositories.coupons import CouponWriter, RedemptionWriter
from app.errors import ConflictError


class CouponExhaustedError(ConflictError):
    """All uses of the coupon are gone."""

    code = "coupon-exhausted"


async def redeem(coupon_id: UUID, coupons: CouponWriter, redemptions: RedemptionWriter) -> Any:
    """Use the coupon once; both writers belong to one transaction.

    Raises `NotFoundError` when there is no such coupon, `CouponExhaustedError` when none is left.
    """
    # The coupon's row, which everyone wants, is locked last and for the shortest time.
    redemption = await redemptions.create_for(coupon_id)
    if not await coupons.take_one(coupon_id):
        raise CouponExhaustedError("This coupon has no uses left.")
    return redemption
