"""Base classes of request and response bodies, and types of their fields."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.schemas.base import PlainDecimal, RequestBody, ResponseBody, UtcDatetime
from app.schemas.fields import (
    BigInteger,
    Date,
    Email,
    FiniteNumber,
    Integer,
    JsonObject,
    PositiveInteger,
)

POSITIVE_INTEGER: TypeAdapter[int] = TypeAdapter(PositiveInteger)


class ThingUpdate(RequestBody):
    name: str


class ThingRead(ResponseBody):
    created_at: UtcDatetime


def test_unknown_field_is_rejected() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        ThingUpdate.model_validate({"name": "a", "nmae": "b"})


@pytest.mark.parametrize("number", ["0.00000000", "-0.00000001", "12.5"])
def test_decimal_is_serialized_without_exponent(number: str) -> None:
    adapter: TypeAdapter[Decimal] = TypeAdapter(PlainDecimal)
    assert adapter.dump_json(Decimal(number)) == f'"{number}"'.encode()


@pytest.mark.parametrize("hours", [-5, 0, 13])
def test_timestamp_is_serialized_in_utc(hours: int) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    row = SimpleNamespace(created_at=noon.astimezone(timezone(timedelta(hours=hours))))
    body = ThingRead.model_validate(row).model_dump_json()
    assert body == '{"created_at":"2026-01-01T12:00:00Z"}'


@pytest.mark.parametrize("number", [1, 5.0, 2147483647])
def test_valid_integer_is_accepted(number: float) -> None:
    assert POSITIVE_INTEGER.validate_python(number) == number


@pytest.mark.parametrize("number", [0, -1, 2**31, 10**400, 1.5, "5", True, None])
def test_invalid_integer_is_rejected(number: object) -> None:
    with pytest.raises(ValidationError):
        POSITIVE_INTEGER.validate_python(number)


def test_limits_of_integer_are_in_schema() -> None:
    schema = POSITIVE_INTEGER.json_schema()
    assert schema == {"type": "integer", "minimum": 1, "maximum": 2147483647}


@pytest.mark.parametrize(
    ("type_", "valid", "invalid"),
    [
        (Integer, [-(2**31), 2**31 - 1, 5.0], [2**31, -(2**31) - 1, 1.5, "5", True]),
        (BigInteger, [-(2**63), 2**63 - 1], [2**63, -(2**63) - 1, "5", False]),
        (FiniteNumber, [1.5, -3], [float("nan"), float("inf"), "1.5", True]),
        (Email, ["ada@example.com"], ["ada", "a b@example.com", "\0@a", "a@" + "x" * 253]),
        (JsonObject, [{}, {"a": [None, 1.5, "\\u0000"]}, {"a": "x" * 9990}], []),
        (JsonObject, [], [{"a": "x" * 9999}, {"\0": 1}, {"a": ["\0"]}, [], "a"]),
        (JsonObject, [], [{"a": float("nan")}]),
    ],
)
def test_type_accepts_what_the_database_can_store(
    type_: Any, valid: list[Any], invalid: list[Any]
) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(type_)
    assert [adapter.validate_python(value) for value in valid] == valid
    for value in invalid:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


@pytest.mark.parametrize("text", ["2030-02-30", "2030-01-31T00:00:00", "20300131", 1, None])
def test_invalid_date_is_rejected(text: object) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(Date)
    assert adapter.validate_python("2030-01-31").isoformat() == "2030-01-31"
    with pytest.raises(ValidationError):
        adapter.validate_python(text)
