"""Coupons and their redemptions."""

from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from app.db.base import Row
from app.db.models.coupons import coupons, redemptions
from app.db.repositories.base import Reader, Writer
from app.errors import NotFoundError

BY_ID = select(*coupons.c).where(coupons.c.id == bindparam("id"))

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

    async def get(self, coupon_id: UUID) -> Row:
        """One coupon; raises `NotFoundError` without."""
        return await self.fetch_one(BY_ID, id=coupon_id)


class CouponWriter(Writer):
    """Changes to coupons."""

    table = coupons

    async def take_one(self, coupon_id: UUID) -> bool:
        """Whether one was left, and is now taken.

        One statement decides and counts down, and locks the row until the transaction ends.
        """
        return await self._transaction.fetch_one(TAKE_ONE, coupon_id=coupon_id) is not None


class RedemptionWriter(Writer):
    """Changes to redemptions."""

    table = redemptions

    async def create_for(self, coupon_id: UUID) -> Row:
        """A new redemption; raises `NotFoundError` when there is no such coupon."""
        row = await self._transaction.fetch_one(REDEEM, id=coupon_id)
        if row is None:
            raise NotFoundError("There is no such resource.")
        return row
