"""Notes of the user who is asking: `/api/v1/notes`."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response, status

from app.api.integer_pages import IntegerPageDep
from app.api.paths import encoded_path
from app.api.problems import problems
from app.db.repositories.notes import ReadNotes, WriteNotes
from app.schemas.notes import NoteCreate, NoteRead, NoteUpdate
from app.schemas.types import NO_NUL

router = APIRouter(prefix="/api/v1/notes", tags=["notes"], responses=problems(401))

NoteId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Search = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=NO_NUL,
        description="Words to find in title and description. `-word` excludes a word; alone it"
        " finds nothing.",
        examples=["hello -goodbye"],
    ),
]


@router.get("")
async def list_notes(notes: ReadNotes, page: IntegerPageDep, q: Search = None) -> list[NoteRead]:
    """Your notes, newest first."""
    rows = await notes.page(limit=page.fetch, after=page.after, q=q or None)
    return [NoteRead.model_validate(row) for row in page.show(rows)]


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_note(
    new: NoteCreate, notes: WriteNotes, request: Request, response: Response
) -> NoteRead:
    """Write a note."""
    note = NoteRead.model_validate(await notes.create(**new.model_dump()))
    response.headers["Location"] = encoded_path(request.scope, note.id)
    return note


@router.get("/{note_id}", responses=problems(404))
async def get_note(note_id: NoteId, notes: ReadNotes) -> NoteRead:
    """One of your notes."""
    return NoteRead.model_validate(await notes.get(note_id))


@router.patch("/{note_id}", responses=problems(404))
async def update_note(note_id: NoteId, changes: NoteUpdate, notes: WriteNotes) -> NoteRead:
    """Change a note; what is left out stays as it is."""
    return NoteRead.model_validate(await notes.update(note_id, **changes.model_dump()))


@router.delete("/{note_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404))
async def delete_note(note_id: NoteId, notes: WriteNotes) -> None:
    """Throw a note away."""
    await notes.delete(note_id)
