<%!
from textwrap import fill, wrap

from dev.resource.specification import to_class_name

def doc(summary, details=""):
    """Return a docstring of a function. If it is too long for a line, it has two paragraphs."""
    if len(one := f"{summary} {details}".strip()) <= 90:
        return f'"""{one}"""'
    paragraphs = [fill(part, 92, subsequent_indent="    ") for part in (summary, details) if part]
    return '"""' + "\n\n    ".join(paragraphs) + '\n    """'

def text(content):
    """Return a string literal, in several parts if it is long."""
    return " ".join(f'"{line}"' for line in wrap(content, 80, drop_whitespace=False))

def join(words, conjunction="and"):
    """Return an enumeration of words."""
    return f" {conjunction} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))

def responses(*statuses):
    found = ", ".join(str(status) for status in statuses if status)
    return f", responses=error_responses({found})" if found else ""

def filter_name(each):
    return to_class_name(each.name) + ("Filter" if each.kind == "is" else "")

def filter_type(r, each):
    f = each.field
    time = "date" if f.type == "date" else "timestamp"
    condition = {
        "is": f"{'of' if f.type == 'ref' else 'with'} this {f.label}",
        "after": f"with a {f.label} after this {time}",
        "before": f"with a {f.label} before this {time}",
        "min": f"with a {f.label} of at least this value",
        "max": f"with a {f.label} of at most this value",
    }[each.kind]
    if f.type == "bool":
        condition = f"with this value of `{f.column}`"
    type_ = {
        "int": "int", "bigint": "int", "float": "FiniteFloat", "bool": "bool", "date": "Date",
        "datetime": "Timestamp", "uuid": "UUID", "ref": f.key_type, "enum": r.class_name + f.class_name,
        "email": "Email",
    }.get(f.type, f.alias)
    bounds = {"int": "ge=-(2**31), le=2**31 - 1, ", "bigint": "ge=-(2**63), le=2**63 - 1, "}
    range_ = bounds.get(f.type, "ge=1, le=2**63 - 1, " if type_ == "int" else "")
    return f"Annotated[{type_} | None, Query({range_}description={text(f'Only {r.labels} {condition}.')})]"
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
page = ", ".join([f"{name}Reader.rows", *[f"{each.name}={filter_name(each)}" for each in r.filters]])
types = [f.alias for f in fields if f.filters and f.type in {"str", "text", "decimal"}]
%>\
"""${r.labels.capitalize()}${" of the authenticated user" if r.is_owned else ""}${", with full-text search" if r.search else ""}: `/api/v1/${r.path}`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status
from pydantic import FiniteFloat

from app.api.dependencies import DatabaseDep, TransactionDep, provide_reader, provide_writer
from app.api.pagination import PageParams, page_params, paginate
from app.api.paths import location_of
from app.api.problem_details import error_responses
% if r.is_owned:
<%include file="owner_import.mako"/>\
% endif
% for f in fields:
% if f.values:
from app.db.models.${r.plural} import ${name}${f.class_name}
% endif
% endfor
from app.db.repositories.${r.plural} import (
% for f in r.nested:
    ${r.plural.upper()}_OF_${f.name.upper()},
% endfor
    ${name}Reader, ${name}Writer,
)
from app.schemas.fields import Date, Email, Timestamp
from app.schemas.${r.plural} import ${", ".join([name + "Create", name + "Read", name + "Update", *types])}

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
% for each in r.filters:
${filter_name(each)} = ${filter_type(r, each)}
% endfor
${name}PageDep = Annotated[PageParams, Depends(page_params(${page}))]
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


@router.post("${prefix}", status_code=status.HTTP_201_CREATED${responses(409 if conflicts else 0)})
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


@router.delete("${prefix}/{${key}}", status_code=status.HTTP_204_NO_CONTENT, responses=error_responses(404, 409))
async def delete_${r.singular}(${key}: ${name}Id, ${r.plural}: ${name}WriterDep) -> None:
    ${doc(f"Delete {one}.", "Fails with 409 while other resources refer to it.")}
    await ${r.plural}.delete(${key})
% endif
