"""What all bodies have in common, and the types that input is made of."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from pydantic import TypeAdapter, ValidationError

from app.schemas.base import RequestBody, ResponseBody, UtcDatetime
from app.schemas.fields import AwareDatetimeIn, FiniteNumber, PositiveInteger

NUMBERS: TypeAdapter[int] = TypeAdapter(PositiveInteger)
FINITE: TypeAdapter[float] = TypeAdapter(FiniteNumber)
MOMENTS: TypeAdapter[datetime] = TypeAdapter(AwareDatetimeIn)


class Change(RequestBody):
    name: str


class Shown(ResponseBody):
    at: UtcDatetime


def test_a_field_that_a_body_does_not_have_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Change.model_validate({"name": "a", "nmae": "b"})


def test_a_moment_is_shown_in_utc() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for hours in (-5, 0, 13):
        row = SimpleNamespace(at=noon.astimezone(timezone(timedelta(hours=hours))))
        assert Shown.model_validate(row).model_dump_json() == '{"at":"2026-01-01T12:00:00Z"}'


@pytest.mark.parametrize("number", ["1", "5.0", "2147483647"])
def test_a_number_that_the_column_holds_is_taken(number: str) -> None:
    assert NUMBERS.validate_python(float(number)) == float(number)


@pytest.mark.parametrize("number", [0, -1, 2**31, 10**400, 1.5, "5", True, None])
def test_any_other_number_is_refused(number: object) -> None:
    with pytest.raises(ValidationError):
        NUMBERS.validate_python(number)


def test_the_bounds_of_a_number_are_in_the_schema() -> None:
    assert NUMBERS.json_schema() == {"type": "integer", "minimum": 1, "maximum": 2147483647}


@pytest.mark.parametrize("number", ["5", "-1.5", "1.7976931348623157e308", "5e-324"])
def test_a_number_that_is_finite_is_taken(number: str) -> None:
    assert FINITE.validate_json(number) == float(number)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", '"5"', "true"])
def test_a_number_that_is_not_finite_is_refused(number: str) -> None:
    with pytest.raises(ValidationError):
        FINITE.validate_json(number)


@pytest.mark.parametrize(
    "moment", ["2026-01-01T12:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-00:00"]
)
def test_a_moment_with_an_offset_is_taken(moment: str) -> None:
    assert MOMENTS.validate_python(moment).astimezone(UTC).isoformat()[:19] == moment[:19]


@pytest.mark.parametrize(
    "moment",
    [
        "2026-01-01T12:00:00",
        "2026-01-01",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        5,
        "5",
        True,
    ],
)
def test_a_moment_that_could_be_two_or_none_is_refused(moment: object) -> None:
    with pytest.raises(ValidationError):
        MOMENTS.validate_python(moment)
