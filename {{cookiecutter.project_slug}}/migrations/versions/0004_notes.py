"""notes"""

import sqlalchemy as sa
from alembic import op

revision: str = "0004_notes"
down_revision: str | None = "0003_users"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(50), nullable=False),
        sa.Column("description", sa.String(200), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name="fk_notes_owner_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_notes_owner_id_id", "notes", ["owner_id", "id"])
    op.create_index(
        "ix_notes_search",
        "notes",
        [sa.text("to_tsvector('english', (title || ' ') || COALESCE(description, ''))")],
        postgresql_using="gin",
    )


def downgrade() -> None:
    op.drop_table("notes")
