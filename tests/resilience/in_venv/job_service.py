"""The service with a route that creates an article and enqueues a job with its slug."""

from fastapi import FastAPI, Request, status
from fault_jobs import Count
from pydantic import BaseModel

from app.db.repositories.articles import ArticleWriter
from app.job_queue import JobQueue
from app.main import create_app as create_service


class Unit(BaseModel):
    """The article, and what the handler does."""

    slug: str
    duration: float = 0.0
    enqueues: bool = True


def create_app() -> FastAPI:
    """Create the application, for `uvicorn --factory`."""
    service = create_service()

    @service.post("/units", status_code=status.HTTP_201_CREATED)
    async def create_unit(unit: Unit, request: Request) -> None:
        async with request.app.state.database.transaction() as transaction:
            new = {"title": "A title", "slug": unit.slug, "text": "Some words."}
            await ArticleWriter(transaction).create(**new)
            if unit.enqueues:
                await JobQueue(transaction).enqueue(Count(key=unit.slug, duration=unit.duration))

    return service
