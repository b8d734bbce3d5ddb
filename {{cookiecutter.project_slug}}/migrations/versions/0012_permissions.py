"""permissions: scopes of users, API keys, audit events"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0012_permissions"
# jinja: if cookiecutter.jobs
down_revision: str | None = "0011_jobs"
# jinja: elif cookiecutter.example
down_revision = "0010_notes_updated_at"
# jinja: else
down_revision = "0009_users_updated_at"
# jinja: endif
branch_labels: None = None
depends_on: None = None


def _scopes() -> sa.Column[list[str]]:
    kind = postgresql.ARRAY(sa.Text())
    return sa.Column("scopes", kind, server_default=sa.text("'{}'"), nullable=False)


def upgrade() -> None:
    op.add_column("users", _scopes())
    # Reads all rows, which cannot be changed during that time.
    op.create_index("ix_users_scopes", "users", ["scopes"], postgresql_using="gin")
    op.create_index("ix_users_created_at_id", "users", ["created_at", "id"])
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        _scopes(),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_api_keys_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_api_keys_user_id_id", "api_keys", ["user_id", "id"])
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        # Without foreign keys, so that the events of a deleted user remain.
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(50), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("details", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
    )
    op.create_index("ix_audit_events_actor_id_id", "audit_events", ["actor_id", "id"])
    op.create_index("ix_audit_events_target_id_id", "audit_events", ["target_id", "id"])


def downgrade() -> None:
    op.drop_table("audit_events")
    op.drop_table("api_keys")
    op.drop_index("ix_users_created_at_id", "users")
    op.drop_index("ix_users_scopes", "users")
    op.drop_column("users", "scopes")
