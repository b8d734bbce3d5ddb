"""The list of articles: pages, sorts, filters and searches."""

from urllib.parse import quote

import pytest
from httpx2 import AsyncClient
from sqlalchemy import Select

from tests.examples.test_articles import ARTICLES, create, list_slugs


async def test_links_lead_from_newest_to_oldest(client: AsyncClient) -> None:
    for number in range(5):
        await create(client, slug=f"number-{number}")
    pages = []
    target: str | None = f"{ARTICLES}?limit=2"
    while target:
        response = await client.get(target)
        pages.append([article["slug"] for article in response.json()])
        target = response.links.get("next", {}).get("url")
    assert pages == [["number-4", "number-3"], ["number-2", "number-1"], ["number-0"]]


async def test_articles_are_sorted(client: AsyncClient) -> None:
    for title in ("b", "a", "b", "c"):
        await create(client, title=title, slug=f"{title}-{len(await list_slugs(client))}")
    assert await list_slugs(client, "sort=-created_at") == ["c-3", "b-2", "a-1", "b-0"]
    assert await list_slugs(client, "sort=created_at") == ["b-0", "a-1", "b-2", "c-3"]
    assert await list_slugs(client, "sort=title") == ["a-1", "b-0", "b-2", "c-3"]
    first = await client.get(f"{ARTICLES}?sort=-title&limit=3")
    assert [article["slug"] for article in first.json()] == ["c-3", "b-2", "b-0"]
    second = await client.get(first.links["next"]["url"])
    assert [article["slug"] for article in second.json()] == ["a-1"]


async def test_articles_are_filtered_by_time_of_creation(
    committing_client: AsyncClient,
) -> None:
    # Each one is created in a separate transaction, so the timestamps differ.
    articles = [await create(committing_client, slug=f"number-{number}") for number in range(4)]
    times = [quote(article["created_at"]) for article in articles]
    between = f"created_after={times[0]}&created_before={times[3]}"
    for query, slugs in {
        between: ["number-2", "number-1"],
        f"{between}&sort=created_at": ["number-1", "number-2"],
        f"{between}&sort=title&q=words": ["number-1", "number-2"],
        f"created_after={times[2]}": ["number-3"],
        f"created_before={times[1]}&sort=-title": ["number-0"],
        "created_after=9999-12-31T23:59:59.999999-23:59": [],
        "created_before=0001-01-01T00:00:00%2B23:59": [],
        "created_after=0001-01-01T00:00:00%2B23:59&limit=1": ["number-3"],
        "created_before=9999-12-31T23:59:59.999999-23:59&limit=1": ["number-3"],
    }.items():
        assert await list_slugs(committing_client, query) == slugs, query


@pytest.mark.parametrize("timestamp", ["", "1700000000", "2026-01-01", "2026-01-01T00:00:00", "x"])
async def test_timestamp_without_time_zone_is_rejected(client: AsyncClient, timestamp: str) -> None:
    for name in ("created_after", "created_before"):
        response = await client.get(f"{ARTICLES}?{name}={timestamp}")
        assert response.status_code == 422
        assert response.json()["errors"][0]["loc"] == ["query", name]


async def test_insert_between_requests_does_not_shift_pages(client: AsyncClient) -> None:
    for number in range(4):
        await create(client, slug=f"number-{number}")
    first = await client.get(f"{ARTICLES}?limit=2")
    await create(client, slug="inserted")
    second = await client.get(first.links["next"]["url"])
    assert [article["slug"] for article in second.json()] == ["number-1", "number-0"]


async def test_search_finds_words_in_title_and_text(client: AsyncClient) -> None:
    await create(client, slug="one", title="About whales")
    await create(client, slug="two", text="A whale sings.")
    await create(client, slug="three", text="Nothing else.")
    assert await list_slugs(client, "q=whale") == ["two", "one"]
    assert await list_slugs(client, "q=whale%20-sings") == ["one"]
    assert await list_slugs(client, "q=whale&limit=1") == ["two"]
    assert await list_slugs(client, "q=") == ["three", "two", "one"]


@pytest.mark.parametrize(
    "q", ["'", "%25", "!!!", "a%20%26%20%7C", "(", "%F0%9F%98%80", "%ED%A0%80"]
)
async def test_search_accepts_special_characters(client: AsyncClient, q: str) -> None:
    assert await list_slugs(client, f"q={q}") == []


@pytest.mark.parametrize("q", ["%00", "x" * 201])
async def test_invalid_search_is_rejected(client: AsyncClient, q: str) -> None:
    assert (await client.get(f"{ARTICLES}?q={q}")).status_code == 422


async def test_link_keeps_the_search(client: AsyncClient) -> None:
    for number in range(3):
        await create(client, slug=f"number-{number}", text="whale")
        await create(client, slug=f"other-{number}")
    first = await client.get(f"{ARTICLES}?q=whale&limit=2")
    second = await client.get(first.links["next"]["url"])
    assert [article["slug"] for article in second.json()] == ["number-0"]


@pytest.mark.parametrize(
    "query",
    ["", "q=whale", "after=1" + "_" * 21 + "w", "sort=title&created_after=2000-01-01T00:00Z"],
)
async def test_statements_are_built_once(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    article = await create(client, text="whale")
    assert await list_slugs(client, query) == ["a-slug"]
    # Building a SELECT for each request would take longer than running it. Every way to build one
    # uses one of these methods, so it would fail here.
    monkeypatch.setattr(Select, "__init__", None)
    monkeypatch.setattr(Select, "_generate", None)
    assert await list_slugs(client, query) == ["a-slug"]
    assert (await client.get(f"{ARTICLES}/{article['id']}")).status_code == 200
