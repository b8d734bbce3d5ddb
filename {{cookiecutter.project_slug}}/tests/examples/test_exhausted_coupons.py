"""The last redemption of a coupon notifies the operators by mail."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from starlette.datastructures import State

from app.db import Database
from app.job_queue import JobContext
from app.jobs.notify_exhausted_coupon import NotifyExhaustedCoupon
from app.mail.settings import MailSettings
from app.services.coupons import redeem
from app.settings import Settings
from tests.jobs.stored import empty_queue, stored_jobs

COUPONS = "/api/v1/coupons"
JOB = "notify_exhausted_coupon"


@pytest.fixture
async def queue(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection to the empty queue."""
    async with empty_queue(settings) as connection:
        yield connection


async def create(client: AsyncClient, init_count: int, code: str = "SPRING") -> str:
    """Create a coupon and return its ID."""
    response = await client.post(COUPONS, json={"code": code, "init_count": init_count})
    assert response.status_code == 201, response.text
    coupon_id: str = response.json()["id"]
    return coupon_id


async def test_only_the_last_redemption_enqueues_a_notification(
    committing_client: AsyncClient, queue: asyncpg.Connection
) -> None:
    coupon_id = await create(committing_client, 2)
    statuses, jobs = [], []
    for _ in range(3):
        response = await committing_client.post(f"{COUPONS}/{coupon_id}/redemptions")
        statuses.append(response.status_code)
        jobs.append(await stored_jobs(queue, JOB))

    assert statuses == [201, 201, 409]
    assert [len(payloads) for payloads in jobs] == [0, 1, 1]
    stored = NotifyExhaustedCoupon.model_validate_json(jobs[-1][0])
    assert stored.coupon_id == UUID(coupon_id)


async def test_concurrent_redemptions_enqueue_one_notification(
    committing_client: AsyncClient, queue: asyncpg.Connection
) -> None:
    target = f"{COUPONS}/{await create(committing_client, 7)}/redemptions"
    await asyncio.gather(*(committing_client.post(target) for _ in range(20)))

    assert len(await stored_jobs(queue, JOB)) == 1


async def test_rollback_leaves_no_notification(
    committing_client: AsyncClient, clean_database: Database, queue: asyncpg.Connection
) -> None:
    coupon_id = await create(committing_client, 1)
    with pytest.raises(ZeroDivisionError):
        async with clean_database.transaction() as transaction:
            await redeem(UUID(coupon_id), transaction)
            raise ZeroDivisionError

    assert await stored_jobs(queue, JOB) == []
    coupon = (await committing_client.get(f"{COUPONS}/{coupon_id}")).json()
    assert coupon["remaining_count"] == 1


@pytest.mark.parametrize("code", ["SPRING", "ü\r\nBcc: eve@example.com\n\n.\n"])
async def test_mail_to_the_operators_names_the_coupon(
    app: FastAPI, client: AsyncClient, settings: Settings, code: str
) -> None:
    coupon_id = await create(client, 3, code)
    database: Database = app.state.database
    context = JobContext(database=database, settings=settings, state=State())

    mail: Any = await NotifyExhaustedCoupon(coupon_id=UUID(coupon_id)).compose(context)
    assert mail.to == settings.group(MailSettings).sender.addr_spec
    assert mail.text == f"Redemptions: 3\nCode: {code}\n"
    assert await NotifyExhaustedCoupon(coupon_id=uuid4()).compose(context) is None
