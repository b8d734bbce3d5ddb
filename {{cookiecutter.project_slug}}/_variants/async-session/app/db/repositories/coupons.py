"""Repositories of coupons and their redemptions."""

from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from app.db.base import Row
from app.db.models.coupons import Coupon, Redemption
from app.db.repositories.base import Reader, Writer
from app.errors import NotFoundError

SELECT_BY_ID = select(Coupon.id, Coupon.code, Coupon.init_count, Coupon.remaining_count).where(
    Coupon.id == bindparam("id")
)

coupons, redemptions = Coupon.__table__, Redemption.__table__

DECREMENT_REMAINING = (
    update(coupons)
    .where(coupons.c.id == bindparam("coupon_id"), coupons.c.remaining_count > 0)
    .values(remaining_count=coupons.c.remaining_count - 1)
    .returning(coupons.c.id)
)
# An INSERT ... SELECT, which inserts nothing if the coupon does not exist.
INSERT_REDEMPTION = (
    insert(redemptions)
    .from_select(
        [redemptions.c.coupon_id],
        select(coupons.c.id).where(coupons.c.id == bindparam("coupon_id")),
    )
    .returning(*redemptions.c)
)


class CouponReader(Reader):
    """Reads coupons."""

    async def get(self, coupon_id: UUID) -> Row:
        """Return a coupon. Raises `NotFoundError` if it does not exist."""
        return await self.fetch_one(SELECT_BY_ID, id=coupon_id)


class CouponWriter(Writer[Coupon]):
    """Creates coupons and decrements their remaining redemptions."""

    model = Coupon

    async def decrement_remaining(self, coupon_id: UUID) -> bool:
        """Count one redemption. Return False if none is left, or the coupon does not exist.

        A single statement checks and decrements, so concurrent requests cannot redeem a coupon too
        often. It locks the row until the transaction ends.
        """
        decremented = await self._transaction.scalar(DECREMENT_REMAINING, {"coupon_id": coupon_id})
        return decremented is not None


class RedemptionWriter(Writer[Redemption]):
    """Creates redemptions."""

    model = Redemption

    async def create_for_coupon(self, coupon_id: UUID) -> Row:
        """Insert a redemption. Raises `NotFoundError` if the coupon does not exist."""
        result = await self._transaction.execute(INSERT_REDEMPTION, {"coupon_id": coupon_id})
        if (row := result.one_or_none()) is None:
            raise NotFoundError
        return row
