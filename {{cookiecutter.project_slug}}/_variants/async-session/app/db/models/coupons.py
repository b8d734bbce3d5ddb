"""Models of coupons and their redemptions."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAtMixin, UpdatedAtMixin, UuidPrimaryKeyMixin


class Coupon(UuidPrimaryKeyMixin, UpdatedAtMixin, Base):
    """A code that can be redeemed `init_count` times."""

    __tablename__ = "coupons"
    __table_args__ = (
        CheckConstraint("remaining_count BETWEEN 0 AND init_count", name="remaining_count"),
    )

    code: Mapped[str] = mapped_column(String(64), unique=True)
    init_count: Mapped[int]
    remaining_count: Mapped[int]


class Redemption(UuidPrimaryKeyMixin, CreatedAtMixin, Base):
    """One redemption of a coupon."""

    __tablename__ = "redemptions"
    # Serves the list of one coupon's redemptions, newest first.
    __table_args__ = (Index("ix_redemptions_coupon_id_id", "coupon_id", "id"),)

    coupon_id: Mapped[UUID] = mapped_column(ForeignKey("coupons.id"))
