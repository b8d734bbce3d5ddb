"""Cursors: every position has one, and every text that matches the pattern is a position."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from pydantic import StringConstraints, TypeAdapter

from app.api.cursors import CursorCodec
from app.db.keyset import KeysetList


class State(Enum):
    DRAFT = 1
    SENT = 2


KEY = UUID(int=2**128 - 1)
LAST = datetime.max.replace(tzinfo=UTC)
TYPES: dict[type, sa.types.TypeEngine[Any]] = {
    UUID: sa.Uuid(),
    int: sa.Integer(),
    str: sa.String(65),
    datetime: sa.DateTime(timezone=True),
    date: sa.Date(),
    Decimal: sa.Numeric(),
    State: sa.Enum(State, native_enum=False),
}


def codec_of(type_: sa.types.TypeEngine[Any]) -> CursorCodec:
    """Return the codec of a list that is sorted by a column of this type."""
    columns = sa.column("id", sa.Uuid), sa.column("value", type_)
    return CursorCodec(KeysetList(sa.select(*columns), sorts=("value", "-value")))


@pytest.mark.parametrize(
    "value",
    [
        None,
        KEY,
        0,
        2**63 - 1,
        -(2**63),
        "",
        "a",
        "ab.~-_",
        "\x01\n\U0001f600 日本",
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        LAST,
        date.min,
        date.max,
        Decimal("-0.00"),
        Decimal(10**30),
        Decimal("0.000000001"),
        Decimal(10**5000),
        Decimal(f"-0.{'1' * 16_383}"),
        Decimal("NaN"),
        Decimal("-Infinity"),
        State.SENT,
    ],
)
@pytest.mark.parametrize("sort", ["value", "-value"])
def test_cursor_round_trip(value: Any, sort: str) -> None:
    codec = codec_of(TYPES.get(type(value), sa.Integer()))
    cursor = codec.encode(sort, SimpleNamespace(id=KEY, value=value))
    assert re.fullmatch(codec.pattern, cursor)
    decoded_sort, position = codec.decode(cursor)
    # As text, because NaN is not equal to itself.
    assert (decoded_sort, position.key, str(position.value)) == (sort, KEY, str(value))


@pytest.mark.parametrize("value", [datetime(2026, 1, 1, microsecond=1), datetime.max])  # noqa: DTZ001, DTZ901
@pytest.mark.parametrize("has_timezone", [True, False])
def test_cursor_of_timestamp_without_time_zone(value: datetime, has_timezone: bool) -> None:
    codec = codec_of(sa.DateTime(timezone=has_timezone))
    cursor = codec.encode("value", SimpleNamespace(id=KEY, value=value))
    expected = value.replace(tzinfo=UTC) if has_timezone else value
    assert codec.decode(cursor) == ("value", (KEY, expected))


@pytest.mark.parametrize("key", [0, 1, -1, 2**63 - 1, -(2**63), UUID(int=0), KEY, uuid4()])
def test_cursor_round_trip_of_key(key: UUID | int) -> None:
    codec = CursorCodec(KeysetList(sa.select(sa.column("id", TYPES[type(key)]))))
    cursor = codec.encode(None, SimpleNamespace(id=key))
    assert re.fullmatch(codec.pattern, cursor)
    assert codec.decode(cursor) == (None, (key, None))


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        (datetime, "f_________8", LAST),
        (datetime, "gAAAAAAAAAA", datetime.min.replace(tzinfo=UTC)),
        (date, "f_________8", date.max),
        (date, "AAAAAAAAAAA", date.min),
        # Not UTF-8, NUL, and two characters of which the second has unused bits.
        (str, "_w", "\N{REPLACEMENT CHARACTER}"),
        (str, "AGEA", "a"),
        (str, "YZ", "a"),
        (Decimal, "-0012.50", Decimal("-12.5")),
        (int, "__________8", -1),
    ],
)
def test_every_match_of_the_pattern_is_a_position(type_: type, text: str, expected: Any) -> None:
    codec = codec_of(TYPES[type_])
    cursor = f"3value.{text}.{'_' * 21}w"
    assert re.fullmatch(codec.pattern, cursor)
    assert codec.decode(cursor) == ("value", (KEY, expected))


@pytest.mark.parametrize(
    ("type_", "text"),
    [(State, "x"), (str, "A"), (str, "="), (Decimal, "1e5"), (Decimal, ""), (int, "A" * 10 + "B")],
)
def test_other_text_does_not_match_the_pattern(type_: type, text: str) -> None:
    assert not re.fullmatch(codec_of(TYPES[type_]).pattern, f"3value.{text}.{'_' * 21}w")


def test_decimals_that_postgresql_cannot_hold_are_cut() -> None:
    codec = codec_of(sa.Numeric())
    cursor = f"3value.0.{'1' * 16_384}.{'_' * 21}w"
    assert re.fullmatch(codec.pattern, cursor)
    assert codec.decode(cursor) == ("value", (KEY, Decimal(f"0.{'1' * 16_383}")))


def test_pattern_of_many_sorts_is_not_too_large() -> None:
    columns = [sa.column(f"number_{number}", sa.Numeric) for number in range(50)]
    keyset = KeysetList(
        sa.select(sa.column("id", sa.Uuid), sa.column("created_at", sa.DateTime), *columns),
        sorts=("-created_at", *(column.name for column in columns)),
    )
    TypeAdapter(Annotated[str, StringConstraints(pattern=CursorCodec(keyset).pattern)])


_number = sa.column("number", sa.Integer)
_largest = sa.func.max(_number)


@pytest.mark.parametrize(
    ("expression", "is_accepted"),
    [
        (_largest, False),
        (sa.func.coalesce(_largest, 0, type_=sa.Integer) + 1, False),
        (sa.func.avg(_number, type_=sa.Numeric), False),
        (sa.func.count().filter(_number > 1), False),
        (sa.func.row_number(type_=sa.Integer).over(order_by=_number), False),
        (sa.func.percentile_disc(0.5).within_group(_number), False),
        (sa.func.abs(_number, type_=sa.Integer), True),
        (sa.select(_largest).scalar_subquery(), True),
        (sa.select(_largest.label("largest")).subquery().c.largest, True),
    ],
)
def test_aggregate_is_no_sort_column(expression: Any, is_accepted: bool) -> None:
    columns = sa.column("id", sa.Uuid), expression.label("value")
    keyset = KeysetList(sa.select(*columns), sorts=("value",))
    if is_accepted:
        assert CursorCodec(keyset).pattern
    else:
        with pytest.raises(TypeError, match="select from a subquery"):
            CursorCodec(keyset)


def test_null_is_no_position_in_a_column_without_null() -> None:
    columns = sa.column("id", sa.Uuid), sa.Column("name", sa.Text, nullable=False)
    codec = CursorCodec(KeysetList(sa.select(*columns), sorts=("name",)))
    assert not re.fullmatch(codec.pattern, f"3name.~.{'_' * 21}w")
