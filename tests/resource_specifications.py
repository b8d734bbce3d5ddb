"""Specifications of resources: those that cover every pair, random ones, and their commands."""

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from resource_fields import (
    ACTIONS,
    MISTAKES,
    MODIFIERS,
    NAMES,
    NOUNS,
    PAIRS,
    TYPES,
    VALID_PAIRS,
    Field,
    covering_fields,
)

#: Every pair of types, which may be equal, of the fields of a resource.
TYPE_PAIRS = {*map(frozenset, itertools.combinations_with_replacement(TYPES, 2))}


class Specification(NamedTuple):
    """A resource whose names, and the resources to which it refers, depend on the project."""

    fields: tuple[Field, ...]
    #: Names of the fields, and how many texts are searched.
    names: tuple[str, ...]
    searched: int = 0
    actions: tuple[str, ...] = ()
    is_public: bool = False
    #: Keys of `MISTAKES`.
    mistakes: tuple[str, ...] = ()

    def pairs(self) -> set[frozenset[str]]:
        """Return the pairs of types, and of the modifiers of each field."""
        types = itertools.combinations([field.type for field in self.fields], 2)
        return {*map(frozenset, types)}.union(*(field.pairs() for field in self.fields))


class Command(NamedTuple):
    """Arguments of `python -m dev.resource`, and the problems for which they are rejected."""

    arguments: str
    problems: frozenset[str] = frozenset()


def covering_specifications(count: int, size: int) -> list[Specification]:
    """Return valid specifications that contain every pair of types, and all covering fields."""
    # In an order that mixes the types, but is always the same.
    fields = sorted(covering_fields(), key=lambda field: crc32(repr(field).encode()))
    uses, missing, found = Counter[Field](), {*TYPE_PAIRS}, list[Specification]()
    for number in range(count):
        chosen = list[Field]()
        while len(chosen) < size:
            types = {field.type for field in chosen}
            new = {name: {frozenset([name, other]) for other in types} & missing for name in TYPES}
            left = {name: sum(name in pair for pair in missing) for name in TYPES}
            gains = [
                (2 * len(new[field.type]) + (not uses[field]), left[field.type], -uses[field])
                for field in fields
            ]
            chosen.append(fields[gains.index(max(gains))])
            uses[chosen[-1]] += 1
            missing -= new[chosen[-1].type]
        names = (*NAMES[number:], *NAMES)[:size]
        actions = [ACTIONS[number % 5], ACTIONS[number % 4]] if number % 3 == 0 else ()
        one = Specification((*chosen,), names, searched=number % 3, is_public=number % 4 == 0)
        found.append(one._replace(actions=(*dict.fromkeys(actions),)))
    return found


@st.composite
def fields(draw: st.DrawFn, *, may_be_invalid: bool) -> Field:
    """Draw a field. Without `may_be_invalid`, leave out modifiers that would be mistakes."""
    name = draw(st.sampled_from([*TYPES]))
    field = Field(name, draw(st.sampled_from([*TYPES[name].arguments])), ())
    for word in draw(st.lists(st.sampled_from(MODIFIERS), max_size=5, unique=not may_be_invalid)):
        more = field._replace(words=(*field.words, word))
        if may_be_invalid or not more.mistakes():
            field = more
    return field


@st.composite
def specifications(draw: st.DrawFn) -> Specification:
    """Draw a specification; one of three may have mistakes."""
    may_be_invalid = draw(st.sampled_from([False, False, True]))
    chosen = draw(st.lists(fields(may_be_invalid=may_be_invalid), min_size=1, max_size=8))
    return Specification(
        tuple(chosen),
        tuple(draw(st.permutations(NAMES))[: len(chosen)]),
        draw(st.integers(0, 3)),
        tuple(draw(st.lists(st.sampled_from(ACTIONS), unique=True))),
        draw(st.booleans()),
        tuple(draw(st.sets(st.sampled_from([*MISTAKES]), max_size=4 * may_be_invalid))),
    )


def random_specifications(count: int, seed: int) -> list[Specification]:
    """Return different specifications that hypothesis draws with a seed."""
    found = dict[Specification, None]()

    @hypothesis.seed(seed)
    @settings(
        # Some are equal.
        max_examples=2 * count,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(specifications())
    def collect(specification: Specification) -> None:
        found[specification] = None

    collect()
    return [*found][:count]


def write_commands(
    found: Sequence[Specification],
    *,
    auth: bool = False,
    example: bool = False,
    has_owned_customers: bool = False,
) -> list[Command]:
    """Return the commands that generate resources in a project. Each may refer to earlier ones."""
    # By plural: whether each row has an owner.
    parents = dict.fromkeys(["users"] * auth + ["coupons"] * example, False)
    parents |= dict.fromkeys(["notes"] * (auth and example), True)
    parents["customers"] = has_owned_customers
    public = "--public" if auth and not has_owned_customers else ""
    written = [Command(f"customer name:str:50:unique {public}")]
    nouns = [*NOUNS.items()][: len(found)]
    for number, ((singular, plural), one) in enumerate(zip(nouns, found, strict=True)):
        is_owned = auth and not one.is_public
        allowed = [name for name in parents if is_owned or not parents[name]]
        references = itertools.cycle(allowed[number % len(allowed) :] + allowed)
        named = [*zip(one.names, one.fields, strict=True)]
        words = [field.text(name).format(parent=next(references)) for name, field in named]
        problems = {f"{name}: {problem}" for name, field in named for problem in field.mistakes()}
        problems.update(*(MISTAKES[text].splitlines() for text in one.mistakes))
        searched = [name for name, field in named if field.type in {"str", "text", "email"}]
        options = {
            "--search": ",".join(searched[: one.searched]),
            "--only": ",".join(one.actions),
            "--plural": plural if singular in {"person", "sheep"} else "",
        }
        words += [f"{option} {value}" for option, value in options.items() if value]
        words += ["--public"] * (auth and one.is_public)
        written.append(Command(" ".join([singular, *words, *one.mistakes]), frozenset(problems)))
        if not problems:
            parents[plural] = is_owned
    return written


def rejected_pairs() -> Specification:
    """Return one specification with a field for each pair that must be rejected."""
    rejected = [field for pair, field in PAIRS.items() if pair not in VALID_PAIRS]
    names = [f"field_{number}" for number, _ in enumerate(rejected)]
    return Specification((*rejected,), (*names,), mistakes=(*MISTAKES,))
