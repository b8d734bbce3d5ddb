"""Routes of coupons and their redemptions."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from httpx2 import AsyncClient

from app.db.repositories.base import Reader
from app.settings import Settings
from tests.databases import connected, url_from
from tests.waiting import wait_until

COUPONS = "/api/v1/coupons"
UNKNOWN_ID = "00000000-0000-0000-0000-000000000000"
# The OID of the table is the same in all databases that are copies of the same template.
IS_WAITING_FOR_REDEMPTIONS = """
SELECT count(*) > 0 FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE datname = current_database() AND relation = 'redemptions'::regclass AND NOT granted
"""


async def create(client: AsyncClient, init_count: int, code: str = "SPRING") -> dict[str, Any]:
    response = await client.post(COUPONS, json={"code": code, "init_count": init_count})
    assert response.status_code == 201, response.text
    coupon: dict[str, Any] = response.json()
    return coupon


async def test_new_coupon_has_all_redemptions(client: AsyncClient) -> None:
    response = await client.post(COUPONS, json={"code": "SPRING", "init_count": 100})
    coupon = response.json()
    assert response.status_code == 201
    assert coupon.keys() == {"id", "code", "init_count", "remaining_count"}
    assert (coupon["init_count"], coupon["remaining_count"]) == (100, 100)
    assert (await client.get(response.headers["Location"])).json() == coupon


async def test_duplicate_code_is_409(client: AsyncClient) -> None:
    await create(client, 1)
    response = await client.post(COUPONS, json={"code": "SPRING", "init_count": 1})
    assert (response.status_code, response.json()["field"]) == (409, "code")


async def test_coupon_is_exhausted_after_init_count_redemptions(client: AsyncClient) -> None:
    coupon = await create(client, 2)
    target = f"{COUPONS}/{coupon['id']}"
    for _ in range(2):
        response = await client.post(f"{target}/redemptions")
        assert response.status_code == 201
        assert response.json().keys() == {"id", "coupon_id", "created_at"}
        assert response.json()["coupon_id"] == coupon["id"]
    response = await client.post(f"{target}/redemptions")
    assert (response.status_code, response.json()["type"]) == (409, "/problems/coupon-exhausted")
    assert (await client.get(target)).json() == {**coupon, "remaining_count": 0}


async def test_redemptions_are_listed_newest_first(client: AsyncClient) -> None:
    coupon = await create(client, 5)
    target = f"{COUPONS}/{coupon['id']}/redemptions"
    assert (await client.get(target)).json() == []
    created = [(await client.post(target)).json() for _ in range(3)]
    first = await client.get(f"{target}?limit=2")
    assert first.json() == [created[2], created[1]]
    second = await client.get(first.links["next"]["url"])
    assert second.json() == [created[0]]
    assert "Link" not in second.headers


async def test_coupons_are_listed_with_their_newest_redemptions(client: AsyncClient) -> None:
    coupons = [await create(client, 9, code=f"CODE-{number}") for number in range(3)]
    created: dict[str, list[Any]] = {}
    for coupon, count in zip(coupons, (0, 7, 2), strict=True):
        target = f"{COUPONS}/{coupon['id']}/redemptions"
        new = [(await client.post(target)).json() for _ in range(count)]
        created[coupon["id"]] = new[::-1][:5]
        coupon["remaining_count"] = 9 - count
    expected = [
        {**coupon, "newest_redemptions": created[coupon["id"]]} for coupon in reversed(coupons)
    ]
    assert (await client.get(COUPONS)).json() == expected
    first = await client.get(f"{COUPONS}?limit=2")
    assert first.json() == expected[:2]
    assert (await client.get(first.links["next"]["url"])).json() == expected[2:]


@pytest.mark.parametrize("count", [0, 1, 20])
async def test_number_of_statements_does_not_depend_on_number_of_coupons(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    for number in range(count):
        await create(client, 1, code=f"CODE-{number}")
    statements = []
    fetch_all = Reader.fetch_all

    async def record(reader: Reader, statement: Any, /, **values: Any) -> Any:
        statements.append(statement)
        return await fetch_all(reader, statement, **values)

    monkeypatch.setattr(Reader, "fetch_all", record)
    assert len((await client.get(COUPONS)).json()) == count
    assert len(statements) == 2


async def test_concurrent_redemptions_never_oversell(committing_client: AsyncClient) -> None:
    coupon = await create(committing_client, 7)
    target = f"{COUPONS}/{coupon['id']}"
    requests = (committing_client.post(f"{target}/redemptions") for _ in range(20))
    statuses = Counter(response.status_code for response in await asyncio.gather(*requests))
    assert statuses == {201: 7, 409: 13}
    assert (await committing_client.get(target)).json()["remaining_count"] == 0


async def test_coupon_row_is_locked_last(
    committing_client: AsyncClient, settings: Settings
) -> None:
    # Other redemptions of the coupon wait for this lock, so it must be held as briefly as possible.
    coupon = await create(committing_client, 1)
    async with connected(url_from(settings)) as connection:
        async with connection.transaction():
            await connection.execute("LOCK TABLE redemptions IN EXCLUSIVE MODE")
            target = f"{COUPONS}/{coupon['id']}/redemptions"
            request = asyncio.create_task(committing_client.post(target))
            await wait_until(lambda: connection.fetchval(IS_WAITING_FOR_REDEMPTIONS))
            # Fails if the waiting request has locked the coupon.
            await connection.execute("SELECT FROM coupons FOR UPDATE NOWAIT")
        assert (await request).status_code == 201


async def test_unknown_coupon_is_404(client: AsyncClient) -> None:
    read = await client.get(f"{COUPONS}/{UNKNOWN_ID}")
    redeemed = await client.post(f"{COUPONS}/{UNKNOWN_ID}/redemptions")
    listed = await client.get(f"{COUPONS}/{UNKNOWN_ID}/redemptions")
    assert read.status_code == redeemed.status_code == listed.status_code == 404
    assert read.json()["detail"] == redeemed.json()["detail"] == listed.json()["detail"]


async def test_integral_float_is_accepted_as_count(client: AsyncClient) -> None:
    response = await client.post(COUPONS, json={"code": "A", "init_count": 5.0})
    assert (response.status_code, response.json()["init_count"]) == (201, 5)


@pytest.mark.parametrize("count", [0, -1, 2**31, 10**400, 1.5, "5", True, None])
async def test_invalid_count_is_rejected(client: AsyncClient, count: object) -> None:
    response = await client.post(COUPONS, json={"code": "A", "init_count": count})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", "init_count"]


@pytest.mark.parametrize("code", ["", "x" * 65, "\0"])
async def test_invalid_code_is_rejected(client: AsyncClient, code: str) -> None:
    response = await client.post(COUPONS, json={"code": code, "init_count": 1})
    assert response.status_code == 422
