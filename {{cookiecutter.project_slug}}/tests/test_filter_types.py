"""Query parameters of filters, derived from their conditions."""

from typing import Any, Literal

import pytest
import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array

from app.api.filter_types import filter_type
from app.api.pagination import page_params
from app.db.keyset import KeysetList
from tests.writers.models import Status

things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", sa.Uuid),
    sa.Column("is_new", sa.Boolean),
    sa.Column("name", sa.String(5)),
    sa.Column("text", sa.Text),
    sa.Column("number", sa.SmallInteger),
    sa.Column("price", sa.Numeric(5, 2)),
    sa.Column("weight", sa.Float),
    sa.Column("seen_at", sa.DateTime(timezone=True)),
    sa.Column("local_time", sa.DateTime),
    sa.Column("day", sa.Date),
    sa.Column("status", sa.Enum(Status, native_enum=False)),
    sa.Column("label", sa.Enum("a", "b", native_enum=False)),
    sa.Column("tags", ARRAY(sa.String(5))),
    sa.Column("document", JSONB),
)
c = things.c
x: sa.BindParameter[Any] = sa.bindparam("x")
UUID_TEXT = "0199b1a2-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("condition", "text", "valid", "invalid"),
    [
        (c.id == x, "`id` is this value", [UUID_TEXT], ["a"]),
        (c.is_new == x, "`is_new` is this value", ["true", "false"], ["a"]),
        (c.name == x, "`name` is this value", ["abcde", ""], ["abcdef", "a\0"]),
        (c.text == x, "`text` is this value", ["a" * 500], ["a" * 501, "\0"]),
        (c.number > x, "`number` is greater than this value", ["9223372036854775807"], ["1.5"]),
        (c.number == x, "`number` is this value", [str(-(2**63))], [str(2**63)]),
        (c.price >= x, "`price` is at least this value", ["1.004", "1e20"], ["NaN", "1e9999", "a"]),
        (c.price <= x, "`price` is at most this value", ["-1"], ["Infinity"]),
        (c.weight < x, "`weight` is less than this value", ["1e9"], ["nan", "inf"]),
        (c.seen_at > x, "`seen_at` is after this time", ["2026-01-31T12:00:00Z"], ["2026-01-31"]),
        (c.seen_at >= x, "`seen_at` is this time or later", ["0001-01-01T00:00:00+05:00"], ["1"]),
        (c.day < x, "`day` is before this time", ["2026-01-31"], ["31"]),
        (c.day <= x, "`day` is this time or earlier", ["2026-01-31"], ["x"]),
        (c.status == x, "`status` is this value", ["sent"], ["SENT"]),
        (c.label == x, "`label` is this value", ["a"], ["c"]),
        (c.status == sa.any_(x), "`status` is one of these values", [["sent"], []], [["a"]]),
        (c.tags.contains(x), "`tags` contain all these values", [["a", "b"]], [["abcdef"], "a"]),
        (c.tags.contains(array([x])), "`tags` contain this value", ["a"], ["abcdef", ["a"]]),
    ],
)
def test_type_of_filter(
    condition: sa.ColumnElement[bool], text: str, valid: list[Any], invalid: list[Any]
) -> None:
    parameter = TypeAdapter[Any](filter_type(condition))
    assert parameter.json_schema()["description"] == f"Only items whose {text}."
    parameter.validate_python(None)
    for value in valid:
        parameter.validate_python(value)
    for value in invalid:
        with pytest.raises(ValueError, match="validation error"):
            parameter.validate_python(value)


@pytest.mark.parametrize(
    "condition",
    [
        c.document == x,
        c.local_time > x,
        c.name.like(x),
        c.seen_at.is_not(None),
        sa.func.lower(c.name) == x,
        sa.or_(c.name == x, c.text == x),
    ],
)
def test_type_of_other_conditions_must_be_declared(condition: sa.ColumnElement[bool]) -> None:
    things_list = KeysetList(sa.select(c.id), filters={"x": condition})
    with pytest.raises(TypeError, match=r"^Declare the type"):
        page_params(things_list)
    page_params(things_list, x=Literal["a"] | None)
