"""Sessions of the authenticated user: `/api/v1/users/me/sessions`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from app.api.dependencies import DatabaseDep, TransactionDep
from app.api.pagination import PageParams, page_params, paginate
from app.api.problem_details import error_responses
from app.auth.access import end_access
from app.auth.dependencies import SessionId, SessionUser
from app.db.repositories.sessions import SessionReader, SessionWriter
from app.schemas.sessions import SessionRead

router = APIRouter(prefix="/api/v1/users/me/sessions", tags=["sessions"])


async def get_session_reader(
    database: DatabaseDep, user: SessionUser, session_id: SessionId
) -> SessionReader:
    """Return a reader of the authenticated user's sessions."""
    return SessionReader(database, user.id, session_id)


async def get_session_writer(transaction: TransactionDep, user: SessionUser) -> SessionWriter:
    """Return a writer of the authenticated user's sessions."""
    return SessionWriter(transaction, user.id)


SessionReaderDep = Annotated[SessionReader, Depends(get_session_reader)]
SessionWriterDep = Annotated[SessionWriter, Depends(get_session_writer)]
SessionPageDep = Annotated[PageParams, Depends(page_params(SessionReader.rows))]


@router.get("", summary="List sessions")
async def list_sessions(sessions: SessionReaderDep, page: SessionPageDep) -> list[SessionRead]:
    """List the authenticated user's sessions that have not ended, by default newest first."""
    return paginate(page, await sessions.list(page), SessionRead)


@router.delete("", status_code=204, summary="End all sessions")
async def delete_sessions(user: SessionUser, transaction: TransactionDep) -> None:
    """End all of the authenticated user's sessions, including the one of this request."""
    await end_access(user.id, transaction)


@router.delete(
    "/{session_id}", status_code=204, summary="End a session", responses=error_responses(404)
)
async def delete_session(
    session_id: Annotated[UUID, Path(description="ID of the session.")], sessions: SessionWriterDep
) -> None:
    """End one of the authenticated user's sessions. Its tokens become invalid immediately."""
    await sessions.delete(session_id)
