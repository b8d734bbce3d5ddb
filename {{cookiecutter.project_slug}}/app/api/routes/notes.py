"""Notes of the user who is asking: `/api/v1/notes`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status

from app.api.dependencies import DatabaseDep, TransactionDep
from app.api.integer_pages import IntegerPageParamsDep
from app.api.paths import encoded_path
from app.api.problem_details import error_responses
from app.auth.dependencies import CurrentUser
from app.db.repositories.notes import NoteReader, NoteWriter
from app.schemas.fields import NO_NUL_PATTERN
from app.schemas.notes import NoteCreate, NoteRead, NoteUpdate

router = APIRouter(prefix="/api/v1/notes", tags=["notes"], responses=error_responses(401))


async def get_note_reader(database: DatabaseDep, user: CurrentUser) -> NoteReader:
    """Return the reader of the current user's notes."""
    return NoteReader(database, user.id)


async def get_note_writer(transaction: TransactionDep, user: CurrentUser) -> NoteWriter:
    """Return the writer of the current user's notes."""
    return NoteWriter(transaction, user.id)


NoteReaderDep = Annotated[NoteReader, Depends(get_note_reader)]
NoteWriterDep = Annotated[NoteWriter, Depends(get_note_writer)]

NoteId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Search = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=NO_NUL_PATTERN,
        description="Words to find in title and description. `-word` excludes a word; alone it"
        " finds nothing.",
        examples=["hello -goodbye"],
    ),
]


@router.get("")
async def list_notes(
    notes: NoteReaderDep, page: IntegerPageParamsDep, q: Search = None
) -> list[NoteRead]:
    """Your notes, newest first."""
    rows = await notes.page(limit=page.fetch, after=page.after, q=q or None)
    return [NoteRead.model_validate(row) for row in page.show(rows)]


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_note(
    new: NoteCreate, notes: NoteWriterDep, request: Request, response: Response
) -> NoteRead:
    """Write a note."""
    note = NoteRead.model_validate(await notes.create(**new.model_dump()))
    response.headers["Location"] = encoded_path(request.scope, note.id)
    return note


@router.get("/{note_id}", responses=error_responses(404))
async def get_note(note_id: NoteId, notes: NoteReaderDep) -> NoteRead:
    """One of your notes."""
    return NoteRead.model_validate(await notes.get(note_id))


@router.patch("/{note_id}", responses=error_responses(404))
async def update_note(note_id: NoteId, changes: NoteUpdate, notes: NoteWriterDep) -> NoteRead:
    """Change a note; what is left out stays as it is."""
    return NoteRead.model_validate(await notes.update(note_id, **changes.model_dump()))


@router.delete("/{note_id}", status_code=status.HTTP_204_NO_CONTENT, responses=error_responses(404))
async def delete_note(note_id: NoteId, notes: NoteWriterDep) -> None:
    """Throw a note away."""
    await notes.delete(note_id)
