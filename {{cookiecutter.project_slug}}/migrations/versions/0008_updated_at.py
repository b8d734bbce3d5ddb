"""articles and coupons: time of the last change"""

import sqlalchemy as sa
from alembic import op

revision: str = "0008_updated_at"
down_revision: str | None = "0007_list_indexes"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    # Existing rows get the time of the migration.
    for table in ("articles", "coupons"):
        op.add_column(
            table,
            sa.Column(
                "updated_at",
                sa.DateTime(timezone=True),
                server_default=sa.func.now(),
                nullable=False,
            ),
        )


def downgrade() -> None:
    op.drop_column("coupons", "updated_at")
    op.drop_column("articles", "updated_at")
