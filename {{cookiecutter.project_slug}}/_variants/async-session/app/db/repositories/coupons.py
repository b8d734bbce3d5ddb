"""Repositories of coupons and their redemptions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, insert, literal_column, select, true, update

from app.db.base import Row
from app.db.keyset import KeysetList, PageRequest
from app.db.models.coupons import Coupon, Redemption
from app.db.repositories.base import Reader, Writer

coupons, redemptions = Coupon.__table__, Redemption.__table__

SELECT_REDEMPTIONS = select(Redemption.id, Redemption.coupon_id, Redemption.created_at)
REDEMPTION_LIST = KeysetList(
    SELECT_REDEMPTIONS.where(Redemption.coupon_id == bindparam("coupon_id"))
)
# For each coupon, the subquery reads the first entries of the index on (coupon_id, id).
_NEWEST_OF_COUPON = (
    SELECT_REDEMPTIONS.where(Redemption.coupon_id == Coupon.id)
    .order_by(Redemption.id.desc())
    # Not a parameter, for which PostgreSQL would expect a tenth of the redemptions.
    .limit(literal_column("5"))
    .correlate(coupons)
    .lateral()
)
SELECT_NEWEST_REDEMPTIONS = (
    select(*_NEWEST_OF_COUPON.c)
    .select_from(coupons)
    .join(_NEWEST_OF_COUPON, true())
    .where(Coupon.id == any_(bindparam("coupon_ids", type_=ARRAY(Uuid))))
)

DECREMENT_REMAINING = (
    update(coupons)
    .where(coupons.c.id == bindparam("coupon_id"), coupons.c.remaining_count > 0)
    .values(remaining_count=coupons.c.remaining_count - 1)
    .returning(coupons.c.remaining_count)
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

    rows = KeysetList(select(Coupon.id, Coupon.code, Coupon.init_count, Coupon.remaining_count))

    async def list_redemptions(self, coupon_id: UUID, page: PageRequest) -> Sequence[Row]:
        """Return the redemptions of a page, and one more if there is a next page.

        Raises `NotFoundError` if the coupon does not exist.
        """
        rows = await self.fetch_page(REDEMPTION_LIST, page, coupon_id=coupon_id)
        if not rows:
            await self.get(coupon_id)
        return rows

    async def newest_redemptions(self, coupon_ids: Iterable[UUID]) -> Mapping[UUID, Sequence[Row]]:
        """Return the five newest redemptions of each coupon, by coupon ID."""
        rows = await self.fetch_all(SELECT_NEWEST_REDEMPTIONS, coupon_ids=[*coupon_ids])
        redemptions_by_coupon = defaultdict[UUID, list[Row]](list)
        for row in rows:
            redemptions_by_coupon[row.coupon_id].append(row)
        return redemptions_by_coupon


class CouponWriter(Writer):
    """Creates coupons and decrements their remaining redemptions."""

    model = Coupon

    async def decrement_remaining(self, coupon_id: UUID) -> int | None:
        """Count one redemption, and return how many remain.

        Returns None if none was left, or if the coupon does not exist.

        A single statement checks and decrements, so concurrent requests cannot redeem a coupon too
        often. It locks the row until the transaction ends.
        """
        remaining: int | None = await self._transaction.scalar(
            DECREMENT_REMAINING, {"coupon_id": coupon_id}
        )
        return remaining


class RedemptionWriter(Writer):
    """Creates redemptions."""

    model = Redemption

    async def create_for_coupon(self, coupon_id: UUID) -> Row:
        """Insert a redemption. Raises `NotFoundError` if the coupon does not exist."""
        return await self.fetch_one(INSERT_REDEMPTION, coupon_id=coupon_id)
