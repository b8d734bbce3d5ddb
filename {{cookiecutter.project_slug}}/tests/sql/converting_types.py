"""Types that convert values in Python, for the round trips of types.

https://docs.sqlalchemy.org/en/21/core/custom_types.html
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from tests.sql.cases import Case
from tests.sql.type_cases import NAIVE


class Cents(sa.TypeDecorator[int]):
    """An amount that is stored in euros and used in cents."""

    impl = sa.Numeric(12, 2)
    cache_ok = True

    def process_bind_param(self, value: int | None, _: sa.Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) / 100

    def process_result_value(self, value: Decimal | None, _: sa.Dialect) -> int | None:
        return None if value is None else int(value * 100)


class Count(sa.TypeDecorator[int]):
    """A number that is stored as NULL if it is 0."""

    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value: int | None, _: sa.Dialect) -> int | None:
        return value or None

    def process_result_value(self, value: int | None, _: sa.Dialect) -> int:
        return value or 0


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A timestamp that is stored without its time zone, UTC."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: sa.Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _: sa.Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Point:
    """A point in two dimensions."""

    x: int
    y: int


class PointType(sa.TypeDecorator[Point]):
    """A point that is stored as JSON."""

    impl = JSONB
    cache_ok = True

    def process_bind_param(self, value: Point | None, _: sa.Dialect) -> dict[str, int] | None:
        return None if value is None else {"x": value.x, "y": value.y}

    def process_result_value(self, value: Any, _: sa.Dialect) -> Point | None:
        return None if value is None else Point(**value)


class Reversed(sa.TypeDecorator[str]):
    """Text that SQL reverses when it is stored, and when it is read."""

    impl = sa.Text
    cache_ok = True

    def bind_expression(self, bindparam: sa.BindParameter[str]) -> sa.ColumnElement[str]:
        return sa.func.reverse(bindparam, type_=self)

    def column_expression(self, column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        return sa.func.reverse(column, type_=self)


CONVERTING = [
    Case("cents", Cents(), [0, -1, 10**11 - 1], lambda rng: rng.randrange(10**9)),
    Case("count", Count(), [1, -1], lambda rng: rng.randrange(9), null=0),
    Case(
        "utc",
        UtcDateTime(),
        [NAIVE.replace(tzinfo=UTC)],
        lambda rng: datetime.fromtimestamp(rng.getrandbits(32), UTC),
    ),
    Case(
        "point",
        PointType(),
        [Point(0, 0)],
        lambda rng: Point(rng.randrange(9), rng.randrange(9)),
    ),
]
