"""Cursors: the position of a row in a list, as text for clients.

The cursor of a list that is sorted by its key is a version, 1 for UUIDs and 2 for integers, and the
bytes of the key in unpadded URL-safe Base64. With another sort, it is the version 3, the name of
the sort, the value of the sort column, and the key:
`3-created_at.AAZBtv-IUAE.AZsZWy4Ac2KQ7s0Yq3mB9w`.

Every text that matches the pattern of a list, which the OpenAPI document contains, is a position:
that of a row, or one between rows. So no codec rejects a text that matches its pattern.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Enum

from app.db.keyset import KeysetList
from app.db.keyset_order import Position, is_aggregate

ValueT = TypeVar("ValueT")

_SORT_VERSION = "3"
# NULL has a character that is not in the text of any value.
_NULL = "~"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MIN_MICROSECONDS = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_MAX_MICROSECONDS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


class ValueCodec(NamedTuple, Generic[ValueT]):
    """Converts a value to text for a cursor, and back."""

    pattern: str
    encode: Callable[[ValueT], str]
    decode: Callable[[str], ValueT]


def _to_base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _from_base64(text: str) -> bytes:
    # Python ignores superfluous padding.
    return urlsafe_b64decode(text + "==")


def _decode_text(text: str) -> str:
    # The bytes of a made-up cursor may be invalid UTF-8, or contain NUL, which PostgreSQL rejects.
    return _from_base64(text).decode(errors="replace").replace("\0", "")


def _encode_integer(value: int) -> str:
    return _to_base64(value.to_bytes(8, signed=True))


def _decode_integer(text: str) -> int:
    return int.from_bytes(_from_base64(text), signed=True)


def _encode_datetime(value: datetime) -> str:
    # A column may have no time zone. asyncpg returns `infinity` without one from every column.
    in_utc = value if value.tzinfo else value.replace(tzinfo=UTC)
    return _encode_integer((in_utc - _EPOCH) // _MICROSECOND)


def _decode_datetime(text: str) -> datetime:
    microseconds = min(max(_decode_integer(text), _MIN_MICROSECONDS), _MAX_MICROSECONDS)
    return _EPOCH + microseconds * _MICROSECOND


def _decode_date(text: str) -> date:
    return date.fromordinal(min(max(_decode_integer(text), 1), date.max.toordinal()))


def _decode_decimal(text: str) -> Decimal:
    # `numeric` has at most 16,383 decimals. If a pattern had this limit, those of several columns
    # would make a regular expression that is too large.
    whole, point, decimals = text.partition(".")
    return Decimal(f"{whole}{point}{decimals[:16_383]}")


_UUID = ValueCodec[UUID](
    # 128 bits in 22 characters of 6 bits: the last character has only 2 significant bits.
    pattern="[A-Za-z0-9_-]{21}[AQgw]",
    encode=lambda value: _to_base64(value.bytes),
    decode=lambda text: UUID(bytes=_from_base64(text)),
)
_INTEGER = ValueCodec[int](
    # 64 bits in 11 characters of 6 bits: the last character has only 4 significant bits.
    pattern="[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]",
    encode=_encode_integer,
    decode=_decode_integer,
)
_VALUE_CODECS: dict[type, ValueCodec[Any]] = {
    UUID: _UUID,
    int: _INTEGER,
    str: ValueCodec[str](
        pattern="(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?",
        encode=lambda value: _to_base64(value.encode()),
        decode=_decode_text,
    ),
    datetime: ValueCodec[datetime](
        pattern=_INTEGER.pattern,
        encode=_encode_datetime,
        decode=_decode_datetime,
    ),
    date: ValueCodec[date](
        pattern=_INTEGER.pattern,
        encode=lambda value: _encode_integer(value.toordinal()),
        decode=_decode_date,
    ),
    Decimal: ValueCodec[Decimal](
        # Before the point, `numeric` can have more digits than a URL.
        pattern=r"NaN|-?Infinity|-?[0-9]+(?:\.[0-9]+)?",
        encode=lambda value: f"{value:f}",
        decode=_decode_decimal,
    ),
}
#: The version and the codec of the keys of a type, and an example for the documentation.
_KEY_CODECS: dict[type, tuple[str, ValueCodec[Any], str]] = {
    UUID: ("1", _UUID, "1AZsZWy4Ac2KQ7s0Yq3mB9w"),
    int: ("2", _INTEGER, "2AAAAAAAAAAc"),
}


def _sort_codec(column: ColumnElement[Any]) -> ValueCodec[Any]:
    """Return the codec of the values of a sort column, without NULL.

    Raises `TypeError` if its type has no codec, such as that of an SQL function without `type_`, or
    if it is an aggregate or a window function.
    """
    if is_aggregate(column):
        raise TypeError(f"A list cannot be sorted by {column}: select from a subquery that has it")
    if not isinstance(column.type, Enum):
        if column.type.python_type not in _VALUE_CODECS:
            raise TypeError(f"A list cannot be sorted by {column}, of type {column.type!r}")
        codec = _VALUE_CODECS[column.type.python_type]
        if isinstance(column.type, DateTime) and not column.type.timezone:
            return codec._replace(decode=lambda text: _decode_datetime(text).replace(tzinfo=None))
        return codec
    # A made-up text must be one of the values, since PostgreSQL rejects others.
    names = [_to_base64(name.encode()) for name in column.type.enums]
    values = dict(zip(names, column.type.enum_class or column.type.enums, strict=True))
    texts = {value: name for name, value in values.items()}
    return ValueCodec("|".join(names), texts.__getitem__, values.__getitem__)


class CursorCodec:
    """Converts the positions of one list to cursors, and back."""

    def __init__(self, keyset: KeysetList) -> None:
        self._keyset = keyset
        key_type = keyset.order(None).key.type.python_type
        self._key_version, self._key_codec, self.example = _KEY_CODECS[key_type]
        self._value_codecs: dict[str, ValueCodec[Any]] = {}
        sorts = []
        for sort in keyset.sorts:
            order = keyset.order(sort)
            self._value_codecs[sort] = codec = _sort_codec(order.column)
            value = f"(?:{_NULL}|{codec.pattern})" if order.is_nullable else f"(?:{codec.pattern})"
            sorts.append(rf"{sort}\.{value}\.")
        prefix = self._key_version
        if sorts:
            prefix = f"(?:{prefix}|{_SORT_VERSION}(?:{'|'.join(sorts)}))"
        #: Matches the cursors of all positions, and no other text.
        self.pattern = f"^{prefix}{self._key_codec.pattern}$"

    def encode(self, sort: str | None, row: Any) -> str:
        """Return the cursor of a row in a list with this sort."""
        # Of a sort by the key, the first name is also the last one.
        names = [*self._keyset.order(sort).columns]
        value, key = getattr(row, names[0]), getattr(row, names[-1])
        key_text = self._key_codec.encode(key)
        if sort is None:
            return self._key_version + key_text
        value_text = _NULL if value is None else self._value_codecs[sort].encode(value)
        return f"{_SORT_VERSION}{sort}.{value_text}.{key_text}"

    def decode(self, cursor: str) -> tuple[str | None, Position]:
        """Return the sort and the position of a cursor that matches `pattern`."""
        if cursor.startswith(self._key_version):
            return None, Position(self._key_codec.decode(cursor[1:]))
        sort, value_and_key = cursor[1:].split(".", 1)
        value_text, key_text = value_and_key.rsplit(".", 1)
        codec = self._value_codecs[sort]
        value = None if value_text == _NULL else codec.decode(value_text)
        return sort, Position(self._key_codec.decode(key_text), value)
