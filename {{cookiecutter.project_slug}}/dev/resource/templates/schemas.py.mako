<%!
from dev.resource.files import imported_names
from dev.resource.specification import to_class_name

def example(f):
    text = f.label.capitalize()[: f.length]
    number = f"{1:.{f.scale}f}" if f.whole else "0." + "1".zfill(f.scale)
    return {
        "str": repr(text), "text": repr(text), "int": 1, "bigint": 1, "float": 1.5,
        "decimal": "\"" + number + "\"", "date": '"2030-01-31"', "datetime": '"2030-01-31T12:00:00Z"',
        "uuid": "UUID(int=1)", "ref": "UUID(int=1)" if f.key_type == "UUID" else 1,
    }.get(f.type)

def base(r, f):
    return "BigInteger" if f.key_type == "int" else f.rules["schema"] % r.names(f)

def bounds(f):
    yield from {
        "str": ["min_length=1", f"max_length={f.length}"],
        "text": ["min_length=1", f"max_length={f.length}"],
        "decimal": [f"max_digits={f.precision}", f"decimal_places={f.scale}"],
    }.get(f.type, [])

def annotated(type_, arguments):
    return f"Annotated[{type_}, Field({', '.join(arguments)})]" if arguments else type_

def description(r, f):
    if "unique" in f.words:
        yield f"Unique {f.label} of the {r.label}" + (", among those of a user." if r.is_owned else ".")
    if f.default is not None:
        yield f"By default {f.default}."

def definition(r, f):
    examples = [f"examples=[{example(f)}]"] if example(f) is not None else []
    text = " ".join(description(r, f))
    described = [f'description="{text}"'] if text else []
    if f.is_list:
        return annotated(f"list[{annotated(base(r, f), [*bounds(f), *examples])}]", ["max_length=100", *described])
    return annotated(base(r, f), [*bounds(f), *described, *examples])

def alias(f):
    name = to_class_name(f.column)
    return f"{name}Value" if name in imported_names("schemas.py") else name

def type_of(r, f):
    return alias(f) if definition(r, f).startswith("Annotated") else definition(r, f)

def read_type(r, f):
    item = "UtcDatetime" if f.type == "datetime" else f.rules["python"] % r.names(f)
    if f.type == "decimal" and f.scale > 6:
        item = "PlainDecimal"
    return (f"list[{item}]" if f.is_list else item) + (" | None" if f.is_optional else "")
%>\
"""Request and response bodies of ${r.labels}."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import MISSING, Field, StrictBool

% for f in fields:
% if f.values:
from app.db.models.${r.plural} import ${base(r, f)}
% endif
% endfor
from app.schemas.base import PlainDecimal, RequestBody, ResponseBody, UtcDatetime
from app.schemas.fields import (
    BigInteger,
    Date,
    Email,
    FiniteNumber,
    Integer,
    JsonObject,
    PlainText,
    Timestamp,
)

% for f in fields:
% if type_of(r, f) == alias(f):
${alias(f)} = ${definition(r, f)}
% endif
% endfor
% if "create" in r.actions:


class ${r.class_name}Create(RequestBody):
    """A new ${r.label}."""

% for f in fields:
<%
    default = " | MISSING" if f.default is not None else ""
    value = " = MISSING" if default else " = None" if f.is_optional else ""
%>\
    ${f.column}: ${type_of(r, f)}${default}${" | None" if f.is_optional else ""}${value}
% endfor
% endif
% if "update" in r.actions:


class ${r.class_name}Update(RequestBody):
    """Fields to update; omitted fields are unchanged."""

% for f in fields:
    ${f.column}: ${type_of(r, f)} | MISSING${" | None" if f.is_optional else ""} = MISSING
% endfor
% endif


class ${r.class_name}Read(ResponseBody):
    """${r.a_label.capitalize()}."""

    id: UUID
% for f in fields:
    ${f.column}: ${read_type(r, f)}
% endfor
    created_at: UtcDatetime
