"""Full-text search: every query is accepted, and every match is found."""

import random
from urllib.parse import quote

import pytest
from httpx2 import AsyncClient

from app.db import Database
from app.db.repositories.articles import ArticleWriter
from app.settings import Settings
from tests.databases import connected, url_from

ARTICLES = "/api/v1/articles"

# All articles contain "fish", every seventh "crab", every 300th "whale", and the oldest "dodo".
INSERT_ARTICLES = """
INSERT INTO articles (title, slug, text)
SELECT 'Number ' || n, 'number-' || n, concat_ws(' ', 'fish',
    CASE WHEN n % 7 = 0 THEN 'crab' END,
    CASE WHEN n % 300 = 0 THEN 'whale' END,
    CASE WHEN n <= 150 THEN 'dodo' END)
FROM generate_series(1, 1500) AS n
"""
# Syntax of `websearch_to_tsquery`, and other text that contains no word of the articles.
OPERATORS = ("-", "- ", "--", "-(", '"', '-"', "or ", " OR ", "(", ")", "&", "|", "!", "<->", ":*")
OTHERS = ("'", "\\", "%", "\t", "\xa0", "\u3000", "ß", "\U0001f600", "a", "the ", "x-y", "1")


async def search(client: AsyncClient, q: str) -> list[str]:
    """Return the slugs of all matches, from all pages."""
    slugs: list[str] = []
    target: str | None = f"{ARTICLES}?limit=100&q={quote(q)}"
    while target:
        response = await client.get(target)
        assert response.status_code == 200, (q, response.text)
        slugs += [article["slug"] for article in response.json()]
        target = response.links.get("next", {}).get("url")
    return slugs


@pytest.mark.parametrize("q", ["-" * 33, "- " * 100, "-(" * 100, "-" * 199 + "a", '-"' * 100])
async def test_search_of_operators_finds_nothing(client: AsyncClient, q: str) -> None:
    assert await search(client, q) == []


async def test_random_searches_are_accepted(client: AsyncClient) -> None:
    random.seed(1)
    for _ in range(100):
        pieces = random.sample(OPERATORS + OTHERS, random.randint(1, 4))  # noqa: S311 - not a secret
        q = "".join(random.choices(pieces, k=200))[:200]  # noqa: S311
        assert await search(client, q) == [], q


async def test_search_with_many_dashes_finds_words(client: AsyncClient) -> None:
    new = {"title": "A title", "slug": "a-slug", "text": "About whales."}
    await client.post(ARTICLES, json=new)
    assert await search(client, "-" * 40 + " whale") == ["a-slug"]


@pytest.mark.parametrize("q", ["-unicorn", '-"a unicorn" -dodo', "fish or -unicorn", "the"])
async def test_search_without_required_word_finds_nothing(client: AsyncClient, q: str) -> None:
    await client.post(ARTICLES, json={"title": "A title", "slug": "a-slug", "text": "A fish."})
    assert await search(client, "fish") == ["a-slug"]
    assert await search(client, q) == []


async def test_every_match_is_found_once_in_order(
    committing_client: AsyncClient, settings: Settings
) -> None:
    async with connected(url_from(settings)) as connection:
        await connection.execute(INSERT_ARTICLES)
    numbers = range(1500, 0, -1)
    for q, expected in {
        "fish": numbers,
        "crab": [number for number in numbers if number % 7 == 0],
        "whale": [number for number in numbers if number % 300 == 0],
        "dodo": range(150, 0, -1),
        "crab -dodo": [number for number in numbers if number % 7 == 0 and number > 150],
        "dodo or whale": [number for number in numbers if number % 300 == 0 or number <= 150],
        "unicorn": [],
    }.items():
        slugs = [f"number-{number}" for number in expected]
        assert await search(committing_client, q) == slugs, q


async def test_search_finds_updated_text(client: AsyncClient) -> None:
    new = {"title": "A title", "slug": "a-slug", "text": "A fish."}
    target = (await client.post(ARTICLES, json=new)).headers["Location"]
    await client.patch(target, json={"text": "A whale."})
    assert await search(client, "whale") == ["a-slug"]
    assert await search(client, "fish") == []


async def test_writers_do_not_return_search_vector(clean_database: Database) -> None:
    async with clean_database.transaction() as transaction:
        writer = ArticleWriter(transaction)
        article = await writer.create(title="A title", slug="a-slug", text="A fish.")
        assert not hasattr(article, "search_vector")
        assert not hasattr(await writer.get(article.id), "search_vector")
        assert not hasattr(await writer.update(article.id, text="A whale."), "search_vector")
