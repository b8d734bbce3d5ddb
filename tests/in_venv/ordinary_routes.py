"""Reports: routes that differ from those of the examples."""

import asyncio
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, Literal

from fastapi import APIRouter, File, Header, Path, Query, UploadFile, WebSocket
from fastapi.responses import FileResponse, PlainTextResponse, StreamingResponse
from fastapi.sse import EventSourceResponse
from pydantic import Field

from app.schemas.base import RequestBody, ResponseBody
from app.schemas.fields import NO_NUL_PATTERN

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])

TEMPLATE = "monthly"


class Color(StrEnum):
    """A color of a report."""

    red = "red"
    blue = "blue"


class Part(RequestBody):
    """A part of a report."""

    title: str = Field(pattern=NO_NUL_PATTERN, examples=["Income"])
    color: Color


class ReportCreate(RequestBody):
    """A new report."""

    parts: list[Part]
    kind: Literal["draft", "final"]
    is_public: bool
    notes: list[Annotated[str, Field(pattern=NO_NUL_PATTERN)]] = Field(default_factory=list)


class Report(ResponseBody):
    """A report."""

    kind: str


class CsvResponse(StreamingResponse):
    """Comma-separated values."""

    media_type = "text/csv"


@router.get("/version")
async def get_version() -> Report:
    """Get the version of the reports."""
    return Report(kind=TEMPLATE)


@router.post("")
async def create_report(
    report: ReportCreate, currency: Annotated[str, Header(pattern="^[A-Z]{3}$", examples=["EUR"])]
) -> Report:
    """Create a report."""
    return Report(kind=f"{report.kind} {currency}")


@router.get("/export", response_class=CsvResponse)
async def export_reports(
    year: Annotated[int, Query(ge=2000, examples=[2026])],
) -> CsvResponse:
    """Export the reports of a year as CSV."""

    async def lines() -> AsyncIterator[str]:
        for month in range(1, 13):
            yield f"{year},{month}\r\n"

    return CsvResponse(lines())


@router.get("/by-number/{number}", response_class=PlainTextResponse)
async def get_report(number: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> str:
    """Get the text of a report."""
    return f"Report {number}"


@router.get("/source", response_class=FileResponse)
async def get_source() -> FileResponse:
    """Get the source of the reports."""
    return FileResponse(__file__, media_type="application/octet-stream")


@router.put("/logo", status_code=204)
async def upload_logo(logo: Annotated[UploadFile, File()]) -> None:
    """Upload the logo of all reports."""
    await logo.read()


@router.get("/events", response_class=EventSourceResponse)
async def watch_reports() -> AsyncIterator[Report]:
    """Watch for new reports, without an end."""
    while True:
        yield Report(kind="tick")
        await asyncio.sleep(0.01)


@router.websocket("/chat")
async def chat(websocket: WebSocket) -> None:
    """Repeat what the client sends."""
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
