"""Access to articles."""

from tests.auth.access_rules import anyone, scope

ROWS = {"article_id": "articles"}
ACCESS = {
    "list_articles": anyone(200),
    "create_article": scope("articles:write", 201),
    "get_article": anyone(200),
    "update_article": scope("articles:write", 200),
    "delete_article": scope("articles:write", 204),
}
