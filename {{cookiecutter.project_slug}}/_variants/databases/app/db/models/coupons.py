"""Tables of coupons and their redemptions."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table

from app.db.base import created_at_column, metadata, updated_at_column, uuid_primary_key

coupons = Table(
    "coupons",
    metadata,
    uuid_primary_key(),
    Column("code", String(64), nullable=False, unique=True),
    Column("init_count", Integer, nullable=False),
    Column("remaining_count", Integer, nullable=False),
    updated_at_column(),
    CheckConstraint("remaining_count BETWEEN 0 AND init_count", name="remaining_count"),
)

redemptions = Table(
    "redemptions",
    metadata,
    uuid_primary_key(),
    Column("coupon_id", ForeignKey("coupons.id"), nullable=False),
    created_at_column(),
    # Serves the list of one coupon's redemptions, newest first.
    Index("ix_redemptions_coupon_id_id", "coupon_id", "id"),
)
