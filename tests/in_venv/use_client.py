"""Use articles with the client of `openapi-python-client`, and print what the service did."""

import json
import re
import sys
from urllib.parse import parse_qs, urlsplit

from my_service_client import AuthenticatedClient
from my_service_client.api.articles import create_article, delete_article, list_articles
from my_service_client.models import ArticleCreate, ArticleRead, Problem

url, api_key = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=api_key, raise_on_unexpected_status=True)


def create(slug: str) -> ArticleRead | Problem | None:
    """Create an article, or return the problem."""
    body = ArticleCreate(title=f"About {slug}", slug=slug, text="Some text.")
    return create_article.sync(client=client, body=body)


def list_pages() -> list[list[str]]:
    """Return the slugs of each page, following the `Link` header."""
    pages: list[list[str]] = []
    after: str | None = None
    while not pages or after:
        response = list_articles.sync_detailed(client=client, limit=2, after=after)
        assert isinstance(response.parsed, list)
        pages.append([article.slug for article in response.parsed])
        link = re.fullmatch('<(.+)>; rel="next"', response.headers.get("Link", ""))
        after = parse_qs(urlsplit(link[1]).query)["after"][0] if link else None
    return pages


created = [create(slug) for slug in ("one", "two", "three")]
assert isinstance(created[0], ArticleRead)
conflict = create("one")
assert isinstance(conflict, Problem)
pages = list_pages()
deleted = delete_article.sync_detailed(created[0].id, client=client)
report = {
    "created": [article.slug for article in created if isinstance(article, ArticleRead)],
    "conflict": [conflict.status, conflict.type_, conflict.field],
    "pages": pages,
    "deleted": deleted.status_code,
    "remaining": list_pages(),
}
print(json.dumps(report))
