"""sessions, rate limits, failed logins per IPv6 site, and parameters of password hashes"""

import sqlalchemy as sa
from alembic import op

revision: str = "0013_sessions"
down_revision: str | None = "0012_permissions"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    # Existing sessions get the time of the migration, because their last use is not known.
    op.add_column(
        "refresh_tokens",
        sa.Column(
            "last_used_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
    )
    op.add_column(
        "refresh_tokens",
        sa.Column("client", sa.String(200), server_default="", nullable=False),
    )
    # On a large table, create the index beforehand with CREATE INDEX CONCURRENTLY.
    op.create_index(
        "ix_users_hash_parameters",
        "users",
        [sa.text("split_part(password_hash, '$', 4)")],
        if_not_exists=True,
    )
    op.create_table(
        "rate_limits",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("network", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", "network", name="pk_rate_limits"),
    )
    op.create_index("ix_rate_limits_expires_at", "rate_limits", ["expires_at"])
    op.add_column("login_failures", sa.Column("site", sa.String(64), nullable=True))
    op.create_index("ix_login_failures_site", "login_failures", ["site", "created_at"])


def downgrade() -> None:
    op.drop_index("ix_login_failures_site", "login_failures")
    op.drop_column("login_failures", "site")
    op.drop_table("rate_limits")
    op.drop_index("ix_users_hash_parameters", "users")
    op.drop_column("refresh_tokens", "client")
    op.drop_column("refresh_tokens", "last_used_at")
