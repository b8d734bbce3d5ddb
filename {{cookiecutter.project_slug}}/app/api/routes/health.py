"""Probes for load balancers and orchestrators."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from fastapi.requests import HTTPConnection
from pydantic import BaseModel

from app.api.problem_details import error_responses
from app.readiness import Readiness

router = APIRouter(tags=["health"])


async def get_readiness(connection: HTTPConnection) -> Readiness:
    """Return the readiness check of the application."""
    readiness: Readiness = connection.app.state.readiness
    return readiness


ReadinessDep = Annotated[Readiness, Depends(get_readiness)]


class Health(BaseModel):
    """Health status."""

    status: Literal["ok"] = "ok"


@router.head("/livez", include_in_schema=False)
@router.get("/livez", summary="Check liveness")
async def livez() -> Health:
    """Report that the process is running. Performs no I/O."""
    return Health()


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", summary="Check readiness", responses=error_responses(503))
async def readyz(readiness: ReadinessDep) -> Health:
    """Report that the database is reachable and its schema is up to date.

    Responds with 503 as soon as the process shuts down, so that the process gets no new requests.
    """
    await readiness.check()
    return Health()
