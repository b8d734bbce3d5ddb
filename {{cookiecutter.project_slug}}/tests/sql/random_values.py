"""Random values, for the round trips of types."""

import random
import string
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any


def draw_integer(bits: int) -> Callable[[random.Random], int]:
    """Return a function that draws integers of any magnitude."""
    return lambda rng: rng.getrandbits(rng.randrange(bits)) - rng.getrandbits(rng.randrange(bits))


def draw_text(rng: random.Random) -> str:
    alphabet = string.printable + "\u00e9\u00df\u20ac\u65e5\U0001f600\u0301"
    return "".join(rng.choices(alphabet, k=rng.randrange(20)))


def draw_decimal(rng: random.Random, digits: int = 30, scale: int = 12) -> Decimal:
    number = rng.randrange(10 ** rng.randrange(1, digits))
    return Decimal(number).scaleb(-rng.randrange(scale)) * rng.choice((1, -1))


def draw_timedelta(rng: random.Random) -> timedelta:
    return timedelta(
        days=rng.randrange(-10_000, 10_000), microseconds=rng.randrange(86_400_000_000)
    )


def draw_datetime(rng: random.Random) -> datetime:
    return datetime(2000, 1, 1) + 70 * draw_timedelta(rng)  # noqa: DTZ001 - deliberately naive


def draw_json(rng: random.Random, depth: int = 3) -> Any:
    kinds: list[Callable[[], Any]] = [
        lambda: True,
        lambda: rng.randrange(-(10**9), 10**9),
        lambda: rng.uniform(-1, 1),
        lambda: draw_text(rng),
        lambda: [draw_json(rng, depth - 1) for _ in range(rng.randrange(3))],
        lambda: {draw_text(rng): draw_json(rng, depth - 1), "null": None},
    ]
    return rng.choice(kinds if depth else kinds[:4])()
