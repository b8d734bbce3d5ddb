"""Types of columns that hold single values, for the round trips of types."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, StrEnum
from ipaddress import IPv4Address, ip_address, ip_interface, ip_network
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from tests.sql.cases import Case
from tests.sql.random_values import (
    draw_datetime,
    draw_decimal,
    draw_integer,
    draw_json,
    draw_text,
    draw_timedelta,
)


class Status(StrEnum):
    """State of an invoice. The database has the values."""

    DRAFT = "draft"
    SENT = "sent"


class Color(Enum):
    """A color. The database has the names."""

    RED = 1
    GREEN = 2


def _values_of(enum: type[Enum]) -> list[str]:
    return [str(member.value) for member in enum]


NAIVE = datetime(2024, 2, 29, 12, 30, 15, 123456)  # noqa: DTZ001 - deliberately naive
OFFSET = timezone(timedelta(hours=5, minutes=45))
TEXTS = ["", " ", "a", "'", '"', "\\", "%s %(a)s :a $1", "{}", "NULL", "\u65e5\U0001f600", "\n\t"]
DOCUMENTS = [{}, [], {"a": [1, None, {"b": 1.5}]}, "text", "", 0, True, [None], {"'": '"\\'}]
ENUM_BY_VALUE = sa.Enum(Status, name="status_of_tests", values_callable=_values_of)
ENUM_BY_NAME = sa.Enum(Color, name="color_of_tests")

SCALARS = [
    Case("smallint", sa.SmallInteger(), [0, -(2**15), 2**15 - 1], draw_integer(15)),
    Case("integer", sa.Integer(), [0, -(2**31), 2**31 - 1], draw_integer(31)),
    Case("bigint", sa.BigInteger(), [0, -(2**63), 2**63 - 1], draw_integer(63)),
    Case("oid", pg.OID(), [0, 2**32 - 1], lambda rng: rng.getrandbits(32)),
    Case(
        "numeric",
        sa.Numeric(),
        [Decimal(0), Decimal("1.50"), Decimal("1e-30"), 10**40 + Decimal(1)],
        draw_decimal,
    ),
    Case(
        "money",
        sa.Numeric(10, 2),
        [Decimal("0.00"), Decimal("-99999999.99")],
        lambda rng: draw_decimal(rng, 7, 3),
    ),
    Case(
        "numeric_as_float",
        sa.Numeric(asdecimal=False),
        [0.0, -1.5, 1e20, 1e-7],
        lambda rng: rng.uniform(-9, 9),
    ),
    Case(
        "float",
        sa.Float(),
        [0.0, -0.1, 1e308, 5e-324, float("inf")],
        lambda rng: rng.uniform(-1e9, 1e9),
    ),
    Case("double", sa.Double(), [0.0, 1 / 3, float("-inf")], lambda rng: rng.gauss(0, 1)),
    Case(
        "real",
        sa.REAL(),
        [0.0, -0.5, 2.0**127],
        lambda rng: rng.getrandbits(24) / 2**12,
    ),
    Case(
        "float_as_decimal",
        sa.Float(asdecimal=True),
        [Decimal("0.5"), Decimal("-12.25")],
        lambda rng: Decimal(rng.getrandbits(20)) / 2**4,
    ),
    Case("boolean", sa.Boolean(), [True, False], lambda rng: rng.random() < 0.5),
    Case("text", sa.Text(), TEXTS, draw_text),
    Case("string", sa.String(20), [*TEXTS, "a" * 20], draw_text),
    Case("char", sa.CHAR(3), ["abc", "  a"], lambda rng: "".join(rng.choices("abc", k=3))),
    Case(
        "bytes",
        sa.LargeBinary(),
        [b"", b"\0", b"\\x00", bytes(range(256))],
        lambda rng: rng.randbytes(9),
    ),
    Case(
        "date",
        sa.Date(),
        [date.min, date.max, date(2024, 2, 29)],
        lambda rng: draw_datetime(rng).date(),
    ),
    Case("time", sa.Time(), [time.min, time.max], lambda rng: draw_datetime(rng).time()),
    Case(
        "timetz",
        sa.Time(timezone=True),
        [time(0, tzinfo=UTC), time(23, 59, 59, 999999, OFFSET)],
        lambda rng: draw_datetime(rng).time().replace(tzinfo=UTC),
    ),
    Case("timestamp", sa.DateTime(), [NAIVE.min, NAIVE, NAIVE.max], draw_datetime),
    Case(
        "timestamptz",
        sa.DateTime(timezone=True),
        [NAIVE.replace(tzinfo=UTC), NAIVE.replace(tzinfo=OFFSET)],
        lambda rng: draw_datetime(rng).replace(tzinfo=UTC),
    ),
    Case(
        "interval",
        sa.Interval(),
        [timedelta(0), timedelta(microseconds=-1), timedelta(days=-400, hours=5)],
        draw_timedelta,
    ),
    Case(
        "uuid",
        sa.Uuid(),
        [UUID(int=0), UUID(int=2**128 - 1)],
        lambda rng: UUID(int=rng.getrandbits(128)),
    ),
    Case(
        "uuid_as_text",
        sa.Uuid(as_uuid=False),
        [str(UUID(int=1))],
        lambda rng: str(UUID(int=rng.getrandbits(128))),
    ),
    Case("json", sa.JSON(), DOCUMENTS, draw_json, is_comparable=False),
    Case("jsonb", pg.JSONB(), DOCUMENTS, draw_json),
    Case(
        "enum_by_value",
        ENUM_BY_VALUE,
        list(Status),
        lambda rng: rng.choice(list(Status)),
    ),
    Case("enum_by_name", ENUM_BY_NAME, list(Color), lambda rng: rng.choice(list(Color))),
    Case(
        "enum_of_strings",
        pg.ENUM("a", "b'c", name="labels_of_tests"),
        ["a", "b'c"],
        lambda rng: rng.choice(["a", "b'c"]),
    ),
    Case(
        "enum_as_text",
        sa.Enum(Color, native_enum=False, length=5),
        list(Color),
        lambda rng: rng.choice(list(Color)),
    ),
    Case(
        "inet",
        pg.INET(),
        [ip_address("::1"), ip_interface("10.0.0.1/8")],
        lambda rng: IPv4Address(rng.getrandbits(32)),
    ),
    Case(
        "cidr",
        pg.CIDR(),
        [ip_network("0.0.0.0/0"), ip_network("2001:db8::/32")],
        lambda rng: ip_network((rng.getrandbits(32), 32)),
    ),
    Case(
        "macaddr",
        pg.MACADDR(),
        ["08:00:2b:01:02:03"],
        lambda rng: ":".join(f"{byte:02x}" for byte in rng.randbytes(6)),
    ),
    Case(
        "macaddr8",
        pg.MACADDR8(),
        ["08:00:2b:01:02:03:04:05"],
        lambda rng: ":".join(f"{byte:02x}" for byte in rng.randbytes(8)),
    ),
    Case(
        "bits",
        pg.BIT(varying=True),
        [pg.BitString(""), pg.BitString("0"), pg.BitString("0101")],
        lambda rng: pg.BitString(f"{rng.getrandbits(70):b}"),
    ),
]
