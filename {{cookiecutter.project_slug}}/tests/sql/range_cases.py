"""Ranges and multiranges, for the round trips of types."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.dialects.postgresql import (
    DATEMULTIRANGE,
    DATERANGE,
    INT4MULTIRANGE,
    INT4RANGE,
    INT8MULTIRANGE,
    INT8RANGE,
    NUMMULTIRANGE,
    NUMRANGE,
    TSMULTIRANGE,
    TSRANGE,
    TSTZMULTIRANGE,
    TSTZRANGE,
    Range,
)
from sqlalchemy.dialects.postgresql.ranges import MultiRange
from sqlalchemy.types import TypeEngine

from tests.sql.cases import Case

NAIVE = datetime(2024, 2, 29, 12)  # noqa: DTZ001 - deliberately naive
AWARE = NAIVE.replace(tzinfo=UTC)


def _ranges(start: Any, step: Any) -> Callable[[random.Random], Range[Any]]:
    """Return a function that draws ranges in their canonical form, without their upper bound."""

    def draw(rng: random.Random) -> Range[Any]:
        lower = start + step * rng.randrange(1000)
        return Range(lower, lower + step * rng.randrange(1, 1000))

    return draw


def _cases(
    name: str, single: TypeEngine[Any], multiple: TypeEngine[Any], start: Any, step: Any
) -> list[Case]:
    """Return the cases of a range and of its multirange."""
    draw = _ranges(start, step)
    edges = [
        Range(start, start + step),
        Range(start, None),
        Range(None, start, bounds="()"),
        Range(None, None, bounds="()"),
        Range(empty=True),
    ]
    pairs = [
        MultiRange([Range(start, start + step), Range(start + 2 * step, None)]),
        MultiRange([]),
    ]
    return [
        Case(f"{name}_range", single, edges, draw),
        Case(f"{name}_multirange", multiple, pairs, lambda rng: MultiRange([draw(rng)])),
    ]


RANGES = [
    *_cases("int4", INT4RANGE(), INT4MULTIRANGE(), -500, 1),
    *_cases("int8", INT8RANGE(), INT8MULTIRANGE(), 2**40, 3),
    *_cases("numeric", NUMRANGE(), NUMMULTIRANGE(), Decimal("1.5"), Decimal("0.1")),
    *_cases("date", DATERANGE(), DATEMULTIRANGE(), date(2024, 2, 28), timedelta(days=1)),
    *_cases("timestamp", TSRANGE(), TSMULTIRANGE(), NAIVE, timedelta(microseconds=1)),
    *_cases("timestamptz", TSTZRANGE(), TSTZMULTIRANGE(), AWARE, timedelta(minutes=7)),
]
