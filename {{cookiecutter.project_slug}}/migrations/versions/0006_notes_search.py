"""notes: a column for full-text search"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision: str = "0006_notes_search"
down_revision: str | None = "0005_articles_search"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.drop_index("ix_notes_search", "notes")
    words = sa.Computed(
        "to_tsvector('english', title || ' ' || COALESCE(description, ''))", persisted=True
    )
    op.add_column("notes", sa.Column("search_vector", TSVECTOR(), words))
    op.create_index("ix_notes_search_vector", "notes", ["search_vector"], postgresql_using="gin")


def downgrade() -> None:
    op.drop_index("ix_notes_search_vector", "notes")
    op.drop_column("notes", "search_vector")
    op.create_index(
        "ix_notes_search",
        "notes",
        [sa.text("to_tsvector('english', (title || ' ') || COALESCE(description, ''))")],
        postgresql_using="gin",
    )
