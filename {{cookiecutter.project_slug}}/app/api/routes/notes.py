"""Notes of the authenticated user, with full-text search: `/api/v1/notes`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from app.api.dependencies import DatabaseDep, TransactionDep
from app.api.pagination import PageParams, page_params, paginate
from app.api.paths import location_of
from app.api.problem_details import error_responses
from app.auth.dependencies import CurrentUser
from app.db.repositories.notes import NoteReader, NoteWriter
from app.schemas.notes import NoteCreate, NoteRead, NoteUpdate

router = APIRouter(prefix="/api/v1/notes", tags=["notes"], responses=error_responses(401))


async def get_note_reader(database: DatabaseDep, user: CurrentUser) -> NoteReader:
    """Return a reader of the authenticated user's notes."""
    return NoteReader(database, user.id)


async def get_note_writer(transaction: TransactionDep, user: CurrentUser) -> NoteWriter:
    """Return a writer of the authenticated user's notes."""
    return NoteWriter(transaction, user.id)


NoteReaderDep = Annotated[NoteReader, Depends(get_note_reader)]
# All writers of a request share one transaction. It commits before the response is sent, so a 201
# means that the row is stored (see `app.api.dependencies`).
NoteWriterDep = Annotated[NoteWriter, Depends(get_note_writer)]

NoteId = Annotated[int, Path(ge=1, le=2**63 - 1, description="ID of the note.")]
NotePageDep = Annotated[PageParams, Depends(page_params(NoteReader.rows))]


@router.get("")
async def list_notes(notes: NoteReaderDep, page: NotePageDep) -> list[NoteRead]:
    """List the authenticated user's notes, newest first.

    `q` searches titles and descriptions; matches are also listed newest first, not by relevance.
    """
    return paginate(page, await notes.list(page), NoteRead)


@router.post("", status_code=201)
async def create_note(
    new_note: NoteCreate, notes: NoteWriterDep, request: Request, response: Response
) -> NoteRead:
    """Create a note that belongs to the authenticated user."""
    note = NoteRead.model_validate(await notes.create(**new_note.model_dump()))
    response.headers["Location"] = location_of(request.scope, note.id)
    return note


@router.get("/{note_id}", responses=error_responses(404))
async def get_note(note_id: NoteId, notes: NoteReaderDep) -> NoteRead:
    """Get one of the authenticated user's notes by ID."""
    return NoteRead.model_validate(await notes.get(note_id))


@router.patch("/{note_id}", responses=error_responses(404))
async def update_note(note_id: NoteId, changes: NoteUpdate, notes: NoteWriterDep) -> NoteRead:
    """Update the given fields of one of the authenticated user's notes.

    The other fields are unchanged.
    """
    # `exclude_unset`: a field that is absent from the body is unchanged; null clears the
    # description, and is rejected for the title.
    row = await notes.update(note_id, **changes.model_dump(exclude_unset=True))
    return NoteRead.model_validate(row)


@router.delete("/{note_id}", status_code=204, responses=error_responses(404, 409))
async def delete_note(note_id: NoteId, notes: NoteWriterDep) -> None:
    """Delete one of the authenticated user's notes.

    Fails with 409 while other resources refer to it.
    """
    await notes.delete(note_id)
