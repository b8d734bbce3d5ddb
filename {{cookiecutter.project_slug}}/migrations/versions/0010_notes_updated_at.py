"""notes: time of the last change"""

import sqlalchemy as sa
from alembic import op

revision: str = "0010_notes_updated_at"
down_revision: str | None = "0009_users_updated_at"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    # Existing rows get the time of the migration.
    op.add_column(
        "notes",
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
    )


def downgrade() -> None:
    op.drop_column("notes", "updated_at")
