"""Coupons and their redemptions."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, insert, select, update

from app.db.models.coupons import Coupon, Redemption
from app.db.repositories.base import Reader, Writer
from app.errors import NotFoundError

BY_ID = select(Coupon.id, Coupon.code, Coupon.init_count, Coupon.remaining_count).where(
    Coupon.id == bindparam("id")
)

coupons, redemptions = Coupon.__table__, Redemption.__table__

TAKE_ONE = (
    update(coupons)
    .where(coupons.c.id == bindparam("coupon_id"), coupons.c.remaining_count > 0)
    .values(remaining_count=coupons.c.remaining_count - 1)
    .returning(coupons.c.id)
)
REDEEM = (
    insert(redemptions)
    .from_select(
        [redemptions.c.coupon_id], select(coupons.c.id).where(coupons.c.id == bindparam("id"))
    )
    .returning(*redemptions.c)
)


class CouponReader(Reader):
    """Coupons as a response shows them."""

    async def get(self, coupon_id: UUID) -> Row[Any]:
        """One coupon; raises `NotFoundError` without."""
        return await self.fetch_one(BY_ID, id=coupon_id)


class CouponWriter(Writer[Coupon]):
    """Changes to coupons."""

    model = Coupon

    async def take_one(self, coupon_id: UUID) -> bool:
        """Whether one was left, and is now taken.

        One statement decides and counts down, and locks the row until the transaction ends.
        """
        taken = await self._session.scalar(TAKE_ONE, {"coupon_id": coupon_id})
        return taken is not None


class RedemptionWriter(Writer[Redemption]):
    """Changes to redemptions."""

    model = Redemption

    async def create_for(self, coupon_id: UUID) -> Row[Any]:
        """A new redemption; raises `NotFoundError` when there is no such coupon."""
        result = await self._session.execute(REDEEM, {"id": coupon_id})
        if (row := result.one_or_none()) is None:
            raise NotFoundError("There is no such resource.")
        return row
