"""articles"""

import sqlalchemy as sa
from alembic import op

revision: str = "0001_articles"
down_revision: str | None = None
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "articles",
        sa.Column("id", sa.Uuid(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("title", sa.String(65), nullable=False),
        sa.Column("slug", sa.String(65), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_articles"),
        sa.UniqueConstraint("slug", name="uq_articles_slug"),
    )
    op.create_index(
        "ix_articles_search",
        "articles",
        [sa.text("to_tsvector('english', (title || ' ') || text)")],
        postgresql_using="gin",
    )


def downgrade() -> None:
    op.drop_table("articles")
