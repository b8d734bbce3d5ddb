<%!
def python_type(r, f):
    item = f.rules["python"] % r.names(f)
    return (f"list[{item}]" if f.is_list else item) + (" | None" if f.is_optional else "")

def column_type(r, f):
    item = f.rules["column"] % r.names(f)
    if f.is_list and f.values:
        # The constraint is one of the table.
        item = item.replace(")", ", create_constraint=False)")
    return f"ARRAY({item})" if f.is_list else item

def arguments(r, f):
    # The other types follow from those of Python.
    mapped = {"text", "int", "bool", "date", "datetime", "uuid", "enum", "json"}
    if f.is_list or f.type not in mapped:
        yield column_type(r, f)
    if "unique" in f.words and not r.is_owned:
        yield "unique=True"
    if f.default is not None:
        now = {"today": "func.current_date()", "now": "func.now()", "empty": '"{}"'}
        value = f"{r.names(f)['enum']}.{f.default}" if f.values else repr(f.default)
        is_text = f.type in {"str", "text"} and not f.is_list
        yield f"server_default={value if is_text else now.get(f.default, value)}"
%>\
<%
mixins = ["UuidPrimaryKeyMixin", "CreatedAtMixin", *["UpdatedAtMixin"] * ("update" in r.actions), "Base"]
%>\
"""Model of ${r.labels}${", each of which belongs to a user" if r.is_owned else ""}."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAtMixin, UpdatedAtMixin, UuidPrimaryKeyMixin
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


class ${r.class_name}(${", ".join(mixins)}):
    """${r.a_label.capitalize()}${" that only its owner can access" if r.is_owned else ""}."""

    __tablename__ = "${r.plural}"
<%include file="table_arguments.mako" args="opening='    __table_args__ = (', closing='    )'"/>\

% if r.is_owned:
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
% endif
% for f in fields:
    ${f.column}: Mapped[${python_type(r, f)}]${f" = mapped_column({', '.join(arguments(r, f))})" if [*arguments(r, f)] else ""}
% endfor
