"""The application with a route that takes its time, for `uvicorn --factory`."""

import asyncio

from fastapi import FastAPI

from app.main import create_app


def create_slow_app() -> FastAPI:
    """The service, and `/slow`, which answers after a second."""
    app = create_app()

    @app.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(1)
        return "done"

    return app
