"""The specifications of resources in tests cover every type, modifier and pair of them."""

from resource_fields import MODIFIERS, PAIRS, TYPES, VALID_PAIRS
from resource_specifications import (
    TYPE_PAIRS,
    covering_specifications,
    random_specifications,
    rejected_pairs,
    write_commands,
)

COVERING = covering_specifications(40, 8)


def test_every_valid_pair_is_in_a_valid_specification() -> None:
    covered = set[frozenset[str]]().union(*(one.pairs() for one in COVERING))
    assert covered == TYPE_PAIRS | VALID_PAIRS
    assert not any(command.problems for command in write_commands(COVERING[:20], auth=True))


def test_every_other_pair_is_in_a_rejected_specification() -> None:
    rejected = rejected_pairs()
    assert all(field.mistakes() for field in rejected.fields)
    pairs = set[frozenset[str]]().union(*(field.pairs() for field in rejected.fields))
    assert pairs >= PAIRS.keys() - VALID_PAIRS
    assert len(PAIRS) == len(TYPES) * len(MODIFIERS) + len(MODIFIERS) * (len(MODIFIERS) - 1) / 2


def test_every_type_and_modifier_is_valid_somewhere() -> None:
    assert set[str]().union(*VALID_PAIRS) == {*TYPES, *MODIFIERS}


def test_random_specifications_are_reproducible_and_mixed() -> None:
    few, many = random_specifications(5, seed=2), random_specifications(60, seed=1)
    assert few == random_specifications(5, seed=2)
    assert len({*many}) == len(many) == 60
    for found in (few, many[:25]):
        problems = [bool(command.problems) for command in write_commands(found)]
        assert {*problems} == {True, False}
