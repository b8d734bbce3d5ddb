"""indexes of lists"""

from alembic import op

revision: str = "0007_list_indexes"
# jinja: if cookiecutter.auth
down_revision: str | None = "0006_notes_search"
# jinja: else
down_revision = "0005_articles_search"
# jinja: endif
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    # For large tables, create the indexes beforehand with CREATE INDEX CONCURRENTLY.
    for name, table, columns in (
        ("ix_articles_created_at_id", "articles", ["created_at", "id"]),
        ("ix_articles_title_id", "articles", ["title", "id"]),
        ("ix_redemptions_coupon_id_id", "redemptions", ["coupon_id", "id"]),
    ):
        op.create_index(name, table, columns, if_not_exists=True)
    op.drop_index("ix_redemptions_coupon_id", "redemptions")


def downgrade() -> None:
    op.create_index("ix_redemptions_coupon_id", "redemptions", ["coupon_id"])
    op.drop_index("ix_redemptions_coupon_id_id", "redemptions")
    op.drop_index("ix_articles_title_id", "articles")
    op.drop_index("ix_articles_created_at_id", "articles")
