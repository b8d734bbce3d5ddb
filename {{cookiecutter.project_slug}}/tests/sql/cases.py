"""A type of columns, with the values that a round trip must preserve."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

#: Number of random values for each type.
RANDOM_VALUES = 10


@dataclass
class Case:
    """A type, edge values, and a function that returns a random value."""

    name: str
    type: TypeEngine[Any]
    edges: Sequence[Any]
    draw: Callable[[random.Random], Any]
    #: The value that is stored as NULL.
    null: Any = None
    #: Whether PostgreSQL can compare values of the type.
    is_comparable: bool = True

    def __str__(self) -> str:
        return self.name

    @cached_property
    def values(self) -> list[Any]:
        """The value for NULL, the edge values, and the same random values in each run."""
        rng = random.Random(self.name)  # noqa: S311 - not a secret
        return [self.null, *self.edges, *(self.draw(rng) for _ in range(RANDOM_VALUES))]

    def array(self) -> "Case":
        """Return an array of this type."""

        def draw(rng: random.Random) -> list[Any]:
            return [self.draw(rng) for _ in range(rng.randrange(4))]

        edges = [[], [self.null], list(self.edges), [self.edges[0], self.null]]
        array = ARRAY(self.type, dimensions=1)
        return Case(f"{self.name}_array", array, edges, draw, is_comparable=self.is_comparable)
