"""Fake values for the columns of a table, which depend only on the column and the row's number."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from dev import DevelopmentError

WORDS = ("bright", "calm", "early", "forest", "garden", "harbor", "island", "quiet", "river")
START = datetime(2026, 1, 1, tzinfo=UTC)


def fake_values(
    table: sa.Table, count: int, given: Mapping[str, Callable[[int], Any]]
) -> list[dict[str, Any]]:
    """Return values for `count` rows; `given` are functions of the row's number, from 1.

    The server generates the others. Raises `DevelopmentError` if a column has an unknown type.
    """
    dialect: Any = postgresql.dialect
    options = {"dialect": dialect(), "compile_kwargs": {"literal_binds": True}}
    found = [*table.constraints, *(rule for column in table.c for rule in column.constraints)]
    rules = [rule for rule in found if isinstance(rule, sa.CheckConstraint)]
    checks = " AND ".join(str(rule.sqltext.compile(**options)) for rule in rules)
    columns = [column for column in table.c if not _is_generated(column) or column.key in given]
    return [
        {
            column.key: given[column.key](number) if column.key in given
            else _fake(column, column.type, number, checks)
            for column in columns
        }
        for number in range(1, count + 1)
    ]  # fmt: skip


def _is_generated(column: sa.Column[Any]) -> bool:
    """Return whether the server generates the same value in every run."""
    if column.computed is not None or column.identity is not None:
        return True
    if column.table.autoincrement_column is column and not column.foreign_keys:
        return True
    # Times and UUIDs would differ in every run.
    has_default = column.server_default is not None
    return has_default and not isinstance(column.type, sa.DateTime | sa.Uuid)


def _fake(column: sa.Column[Any], kind: Any, number: int, checks: str) -> Any:
    if isinstance(kind, sa.ARRAY):
        value = [_fake(column, kind.item_type, number, checks)]
        return value if (kind.dimensions or 1) == 1 else [value]
    if isinstance(kind, sa.Enum):
        return kind.enums[number % len(kind.enums)]
    if isinstance(kind, sa.String | sa.Integer | sa.Numeric | sa.Float):
        if listed := re.search(rf'\b{column.name}"? IN \(([^)]+)\)', checks):
            choices = re.findall(r"'([^']*)'|(-?[\d.]+)", listed[1])
            return kind.python_type("".join(choices[number % len(choices)]))
        function: Any = _text if isinstance(kind, sa.String) else _number
        return function(column.name, kind, number, checks)
    # Later columns have later times, so that an end is after its start.
    others = [other for other in column.table.c if isinstance(other.type, type(kind))]
    position = others.index(column) if column in others else 0
    time = START + timedelta(days=number, hours=position)
    values: dict[Any, Any] = {
        sa.Boolean: number % 2 == 1,
        sa.DateTime: time if getattr(kind, "timezone", None) else time.replace(tzinfo=None),
        sa.Date: time.date() + timedelta(days=position),
        sa.Time: time.time(),
        sa.Interval | postgresql.INTERVAL: timedelta(hours=number),
        sa.Uuid: _uuid(f"{column} {number}", time),
        sa.JSON: {"number": number},
        sa.LargeBinary: str(number).encode(),
    }
    if isinstance(kind, sa.DateTime) and column.nullable:
        # The time of an event that has not happened, such as `deleted_at`.
        return None
    for known, value in values.items():
        if isinstance(kind, known):
            return value
    if not column.nullable:
        module = f"dev/seeds/{column.table.name}.py"
        raise DevelopmentError(f"{column}: the type {kind!r} has no fake values: write {module}")
    return None


def _uuid(name: str, time: datetime) -> UUID:
    """Return a UUIDv7, whose order is that of the times."""
    checksum = crc32(name.encode())
    return UUID(int=int(time.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | checksum)


def _text(name: str, kind: sa.String, number: int, checks: str) -> str:
    length = kind.length or 200
    checksum = crc32(f"{name} {number}".encode())
    count = 3 if length <= 100 else 8
    words = [WORDS[checksum // len(WORDS) ** place % len(WORDS)] for place in range(count)]
    text = f"{' '.join(words)} {number}".capitalize()
    if "email" in name:
        text = f"user{number}@example.com"
    elif "url" in name:
        text = f"https://example.com/{number}"
    elif f"lower({name})" in checks or re.search("code|hash|key|slug|token", name):
        text = text.lower().replace(" ", "-")
    end = str(number)
    return text if len(text) <= length else (text[: max(0, length - len(end))] + end)[-length:]


def _number(name: str, kind: Any, number: int, checks: str) -> Any:
    """Return `number`, or another number where the type or a CHECK constraint requires it.

    Columns without other bounds have the same number, which satisfies `used <= available`.
    """
    scale = 0 if isinstance(kind, sa.Integer) else 2 if kind.scale is None else kind.scale
    step = Decimal(1).scaleb(-scale)
    low: Decimal | None = None
    high: Decimal | None = None
    if isinstance(kind, sa.Numeric) and kind.precision:
        high = Decimal(10) ** (kind.precision - scale) - step
    pattern = rf'\b{name}"? (>=?|<=?|BETWEEN) (-?[\d.]+)(?: AND (-?[\d.]+))?'
    for operator, first, second in re.findall(pattern, checks):
        if operator[0] in ">B":
            low = Decimal(first) + (step if operator == ">" else 0)
        if operator[0] == "<" or second:
            high = Decimal(second or first) - (step if operator == "<" else 0)
    start = Decimal(1) if low is None or low < 1 else low
    if high is None:
        return kind.python_type(start + number - 1)
    if start > high:
        start = high - 99 * step if low is None else low
    increment = 1 if high - start >= 1 else step
    return kind.python_type(start + (number - 1) * increment % (high - start + step))
