"""account tokens and unconfirmed users"""

import sqlalchemy as sa
from alembic import op

revision: str = "0014_account_tokens"
down_revision: str | None = "0013_sessions"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "account_tokens",
        sa.Column("id", sa.Uuid(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("token_hash", sa.String(64), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_account_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_account_tokens_token_hash"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_account_tokens_user_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "purpose IN ('registration', 'email', 'password')",
            name=op.f("ck_account_tokens_purpose"),
        ),
    )
    op.create_index("ix_account_tokens_user_id", "account_tokens", ["user_id"])
    op.create_index("ix_account_tokens_expires_at", "account_tokens", ["expires_at"])
    op.create_table(
        "unconfirmed_users",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_unconfirmed_users"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_unconfirmed_users_user_id", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    op.drop_table("unconfirmed_users")
    op.drop_table("account_tokens")
