<%!
from textwrap import fill

def doc(summary, details=""):
    """Return a docstring of a function. If it is too long for a line, it has two paragraphs."""
    if len(one := f"{summary} {details}".strip()) <= 90:
        return f'"""{one}"""'
    paragraphs = [fill(part, 92, subsequent_indent="    ") for part in (summary, details) if part]
    return '"""' + "\n\n    ".join(paragraphs) + '\n    """'

def join(words, conjunction="and"):
    """Return an enumeration of words."""
    return f" {conjunction} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))

def responses(*statuses):
    found = ", ".join(str(status) for status in statuses if status)
    return f", responses=error_responses({found})" if found else ""
%>\
<%
prefix = f"/{r.path}" if r.nested else ""
key, name = f"{r.singular}_id", r.class_name
one = f"one of the authenticated user's {r.labels}" if r.is_owned else r.a_label
unique = join([f.label for f in fields if "unique" in f.words], "or")
parents = join([f.label for f in r.references], "or")
conflicts = [f"the {unique} is already in use"] if unique else []
conflicts += [f"the {parents} does not exist"] if parents else []
conflict = f"Fails with 409 if {', or '.join(conflicts)}." if conflicts else ""
searched = join([f.label for f in fields if f.column in r.search])
%>\
"""${r.labels.capitalize()}${" of the authenticated user" if r.is_owned else ""}${", with full-text search" if r.search else ""}: `/api/v1/${r.path}`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from app.api.dependencies import DatabaseDep, TransactionDep, provide_reader, provide_writer
from app.api.pagination import PageParams, page_params, paginate
from app.api.paths import location_of
from app.api.problem_details import error_responses
% if r.is_owned:
<%include file="owner_import.mako"/>\
% endif
from app.db.repositories.${r.plural} import (
% for f in r.nested:
    ${r.plural.upper()}_OF_${f.name.upper()},
% endfor
    ${name}Reader, ${name}Writer,
)
from app.schemas.${r.plural} import ${name}Create, ${name}Read, ${name}Update

router = APIRouter(prefix="/api/v1${"" if prefix else "/" + r.path}", tags=["${r.path}"]${responses(401) if r.is_owned else ""})

% if r.is_owned:

async def get_${r.singular}_reader(database: DatabaseDep, user: CurrentUser) -> ${name}Reader:
    """Return a reader of the authenticated user's ${r.labels}."""
    return ${name}Reader(database, user.id)

% if r.writes:

async def get_${r.singular}_writer(transaction: TransactionDep, user: CurrentUser) -> ${name}Writer:
    """Return a writer of the authenticated user's ${r.labels}."""
    return ${name}Writer(transaction, user.id)

% endif

${name}ReaderDep = Annotated[${name}Reader, Depends(get_${r.singular}_reader)]
% if r.writes:
# All writers of a request share one transaction. It commits before the response is sent, so a 201
# means that the row is stored (see `app.api.dependencies`).
${name}WriterDep = Annotated[${name}Writer, Depends(get_${r.singular}_writer)]
% endif
% else:
${name}ReaderDep = Annotated[${name}Reader, Depends(provide_reader(${name}Reader))]
% if r.writes:
# All writers of a request share one transaction. It commits before the response is sent, so a 201
# means that the row is stored (see `app.api.dependencies`).
${name}WriterDep = Annotated[${name}Writer, Depends(provide_writer(${name}Writer))]
% endif
% endif

% if {"get", "update", "delete"} & {*r.actions}:
${name}Id = Annotated[UUID, Path(description="ID of the ${r.label}.")]
% endif
% if "list" in r.actions:
${name}PageDep = Annotated[PageParams, Depends(page_params(${name}Reader.rows))]
% endif
% for f in r.nested:
${f.class_name}Id = Annotated[${f.key_type}, Path(${"ge=1, le=2**63 - 1, " if f.key_type == "int" else ""}description="ID of the ${f.label}.")]
${f.class_name}${name}PageDep = Annotated[PageParams, Depends(page_params(${r.plural.upper()}_OF_${f.name.upper()}))]
% endfor
% if "list" in r.actions:


@router.get("${prefix}")
async def list_${r.plural}(${r.plural}: ${name}ReaderDep, page: ${name}PageDep) -> list[${name}Read]:
    ${doc(f"List {'the authenticated user' + chr(39) + 's ' if r.is_owned else ''}{r.labels}, {'by default ' if r.sorts else ''}newest first.",
        f"`q` searches the {searched}; matches are in the same order, not by relevance." if r.search else "")}
    return paginate(page, await ${r.plural}.list(page), ${name}Read)
% for f in r.nested:


@router.get("/${f.argument.replace("_", "-")}/{${f.column}}${prefix}", responses=error_responses(404))
async def list_${r.plural}_of_${f.name}(
    ${f.column}: ${f.class_name}Id, ${r.plural}: ${name}ReaderDep, page: ${f.class_name}${name}PageDep
) -> list[${name}Read]:
    ${doc(f"List the {r.labels} of {f.a_label}, {'by default ' if r.sorts else ''}newest first.")}
    return paginate(page, await ${r.plural}.list_of_${f.name}(${f.column}, page), ${name}Read)
% endfor
% endif
% if "create" in r.actions:


@router.post("${prefix}", status_code=201${responses(409 if conflicts else 0)})
async def create_${r.singular}(
    new_${r.singular}: ${name}Create, ${r.plural}: ${name}WriterDep, request: Request, response: Response
) -> ${name}Read:
    ${doc(f"Create {r.a_label}{' that belongs to the authenticated user' if r.is_owned else ''}.", conflict)}
    ${r.singular} = ${name}Read.model_validate(await ${r.plural}.create(**new_${r.singular}.model_dump()))
    response.headers["Location"] = location_of(request.scope, ${r.singular}.id)
    return ${r.singular}
% endif
% if "get" in r.actions:


@router.get("${prefix}/{${key}}", responses=error_responses(404))
async def get_${r.singular}(${key}: ${name}Id, ${r.plural}: ${name}ReaderDep) -> ${name}Read:
    ${doc(f"Get {one} by ID.")}
    return ${name}Read.model_validate(await ${r.plural}.get(${key}))
% endif
% if "update" in r.actions:


@router.patch("${prefix}/{${key}}"${responses(404, 409 if conflicts else 0)})
async def update_${r.singular}(
    ${key}: ${name}Id, changes: ${name}Update, ${r.plural}: ${name}WriterDep
) -> ${name}Read:
    ${doc(f"Update the given fields of {one}.", f"The others are unchanged. {conflict}".strip())}
    # `exclude_unset`: a field that is absent from the body is unchanged.
    row = await ${r.plural}.update(${key}, **changes.model_dump(exclude_unset=True))
    return ${name}Read.model_validate(row)
% endif
% if "delete" in r.actions:


@router.delete("${prefix}/{${key}}", status_code=204, responses=error_responses(404, 409))
async def delete_${r.singular}(${key}: ${name}Id, ${r.plural}: ${name}WriterDep) -> None:
    ${doc(f"Delete {one}.", "Fails with 409 while other resources refer to it.")}
    await ${r.plural}.delete(${key})
% endif
