"""users: time of the last change"""

import sqlalchemy as sa
from alembic import op

revision: str = "0009_users_updated_at"
down_revision: str | None = "{{ '0008_updated_at' if cookiecutter.example else '0003_users' }}"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    # Existing rows get the time of the migration.
    op.add_column(
        "users",
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
    )


def downgrade() -> None:
    op.drop_column("users", "updated_at")
