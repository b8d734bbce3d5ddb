"""coupons and redemptions"""

import sqlalchemy as sa
from alembic import op

revision: str = "0002_coupons"
down_revision: str | None = "0001_articles"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "coupons",
        sa.Column("id", sa.Uuid(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("init_count", sa.Integer(), nullable=False),
        sa.Column("remaining_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_coupons"),
        sa.UniqueConstraint("code", name="uq_coupons_code"),
        sa.CheckConstraint(
            "remaining_count BETWEEN 0 AND init_count", name=op.f("ck_coupons_remaining_count")
        ),
    )
    op.create_table(
        "redemptions",
        sa.Column("id", sa.Uuid(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("coupon_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_redemptions"),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"], name="fk_redemptions_coupon_id"),
    )
    op.create_index("ix_redemptions_coupon_id", "redemptions", ["coupon_id"])


def downgrade() -> None:
    op.drop_table("redemptions")
    op.drop_table("coupons")
