"""`updated_at`: every change of a row sets it."""

from datetime import datetime

from httpx2 import AsyncClient

from app.settings import Settings
from tests.databases import connected, url_from

ARTICLE = {"title": "A title", "slug": "a-slug", "text": "Some words."}
COUPON = {"code": "SPRING", "init_count": 2}


async def updated_at(settings: Settings, table: str) -> datetime:
    """Return the time of the last change of the only row of a table."""
    async with connected(url_from(settings)) as connection:
        timestamp: datetime = await connection.fetchval(f"SELECT updated_at FROM {table}")  # noqa: S608
        return timestamp


async def test_update_of_article_sets_updated_at(
    committing_client: AsyncClient, settings: Settings
) -> None:
    target = (await committing_client.post("/api/v1/articles", json=ARTICLE)).headers["Location"]
    created = await updated_at(settings, "articles")
    await committing_client.patch(target, json={"title": "Another"})
    updated = await updated_at(settings, "articles")
    await committing_client.patch(target, json={"title": "Another"})
    assert created < updated < await updated_at(settings, "articles")


async def test_redemption_sets_updated_at_of_coupon(
    committing_client: AsyncClient, settings: Settings
) -> None:
    target = (await committing_client.post("/api/v1/coupons", json=COUPON)).headers["Location"]
    created = await updated_at(settings, "coupons")
    await committing_client.post(f"{target}/redemptions")
    assert created < await updated_at(settings, "coupons")
