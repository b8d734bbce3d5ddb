"""The application with a slow route, for `uvicorn --factory`."""

import asyncio

from fastapi import FastAPI

from app.main import create_app


def create_slow_app() -> FastAPI:
    """Return the application with the route `/slow`, which takes one second."""
    app = create_app()

    @app.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(1)
        return "done"

    return app
