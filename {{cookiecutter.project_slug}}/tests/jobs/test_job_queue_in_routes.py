"""A route enqueues jobs in the transaction of its request."""

from typing import Annotated

import asyncpg
import pytest
from fastapi import APIRouter, Depends, FastAPI
from httpx2 import AsyncClient

from app.api.dependencies import provide_writer
from app.errors import ConflictError
from app.job_queue import JobQueue
from app.main import create_app
from app.settings import Settings
from tests.jobs.jobs import Record
from tests.jobs.stored import stored_jobs

router = APIRouter()
JobQueueDep = Annotated[JobQueue, Depends(provide_writer(JobQueue))]


@router.post("/jobs/{text}", status_code=204)
async def enqueue(text: str, jobs: JobQueueDep) -> None:
    await jobs.enqueue(Record(text=text))
    if text == "conflict":
        raise ConflictError(text)


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    app = create_app(settings)
    app.include_router(router)
    return app


async def test_job_exists_if_the_request_succeeds(
    committing_client: AsyncClient, queue: asyncpg.Connection
) -> None:
    assert (await committing_client.post("/jobs/conflict")).status_code == 409
    assert (await committing_client.post("/jobs/success")).status_code == 204

    assert await stored_jobs(queue, "record") == [b'{"text":"success"}']
