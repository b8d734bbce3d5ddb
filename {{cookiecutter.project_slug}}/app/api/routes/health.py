"""Health: is the process alive, and may it be sent requests?"""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from app.api.problem_details import error_responses
from app.readiness import ReadinessDep

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """Good health; anything else is a problem."""

    status: Literal["ok"] = "ok"


@router.head("/livez", include_in_schema=False)
@router.get("/livez")
async def livez() -> Health:
    """Whether the process answers at all; asks nobody else."""
    return Health()


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses=error_responses(503))
async def readyz(readiness: ReadinessDep) -> Health:
    """Whether the database answers, with a schema that is not behind this code."""
    await readiness.check()
    return Health()
