"""articles: a column for full-text search"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision: str = "0005_articles_search"
down_revision: str | None = "{{ '0004_notes' if cookiecutter.auth else '0002_coupons' }}"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.drop_index("ix_articles_search", "articles")
    words = sa.Computed("to_tsvector('english', title || ' ' || text)", persisted=True)
    op.add_column("articles", sa.Column("search_vector", TSVECTOR(), words))
    op.create_index(
        "ix_articles_search_vector", "articles", ["search_vector"], postgresql_using="gin"
    )


def downgrade() -> None:
    op.drop_index("ix_articles_search_vector", "articles")
    op.drop_column("articles", "search_vector")
    op.create_index(
        "ix_articles_search",
        "articles",
        [sa.text("to_tsvector('english', (title || ' ') || text)")],
        postgresql_using="gin",
    )
