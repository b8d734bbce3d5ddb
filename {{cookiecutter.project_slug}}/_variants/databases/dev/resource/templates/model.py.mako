<%!
def column_type(r, f):
    item = f.rules["column"] % r.names(f)
    if f.is_list and f.values:
        # The constraint is one of the table.
        item = item.replace(")", ", create_constraint=False)")
    return f"ARRAY({item})" if f.is_list else item

def arguments(r, f):
    yield column_type(r, f)
    if "optional" not in f.words:
        yield "nullable=False"
    if "unique" in f.words and not r.is_owned:
        yield "unique=True"
    if f.default is not None:
        now = {"today": "func.current_date()", "now": "func.now()", "empty": '"{}"'}
        value = f"{r.names(f)['enum']}.{f.default}" if f.values else repr(f.default)
        is_text = f.type in {"str", "text"} and not f.is_list
        yield f"server_default={value if is_text else now.get(f.default, value)}"
%>\
"""Table of ${r.labels}${", each of which belongs to a user" if r.is_owned else ""}."""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db.base import created_at_column, metadata, updated_at_column, uuid_primary_key
from app.db.column_types import text_enum
from app.db.search import search_column

% for f in fields:
% if f.values:

class ${r.names(f)['enum']}(StrEnum):
    """The ${f.label} of ${r.a_label}."""

% for value in f.values:
    ${value} = "${value}"
% endfor

% endif
% endfor
${r.plural} = Table(
    "${r.plural}",
    metadata,
    uuid_primary_key(),
% if r.is_owned:
    Column("owner_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
% endif
% for f in fields:
    Column("${f.column}", ${", ".join(arguments(r, f))}),
% endfor
    created_at_column(),
% if "update" in r.actions:
    updated_at_column(),
% endif
<%include file="table_arguments.mako"/>\
)
