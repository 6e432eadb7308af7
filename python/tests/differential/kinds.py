"""The kinds of columns: how a value is made, as Arrow and as a literal of SQL."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
WORDS = ("", "a", "b", "abc", "zzzzzzzzzzzzzzzzzzzz", "é", "ABC", "exactly 12 b", "13 characters", "a long string ind", "a long string indeed", "100%", "a_c", "it's", "日本")
EPOCH = dt.datetime(1970, 1, 1)


@dataclass(frozen=True)
class Kind:
    """A type of column; `family` says what may be asked of it."""

    name: str
    family: str
    type: pa.DataType
    make: Callable[[random.Random], Any]
    literal: Callable[[Any], str] | None = None

    @property
    def is_ordered(self) -> bool:
        return self.literal is not None


def _integer(name: str) -> Kind:
    bits = int(name.lstrip("uint"))
    low, high = (0, 2**bits - 1) if name[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)

    def make(rng: random.Random) -> int:
        draw = rng.random()
        if draw < 0.05:
            return rng.choice([low, high])
        return rng.randint(low, high) if draw < 0.3 else rng.randint(max(low, -50), min(high, 50))

    return Kind(name, "integer", getattr(pa, name)(), make, str)


def _float(name: str) -> Kind:
    def make(rng: random.Random) -> float:
        return rng.choice([0.0, -0.0, math.nan, math.inf, -math.inf, 1.5, -2.25, rng.uniform(-100, 100), rng.uniform(-100, 100)])

    return Kind(name, "float", getattr(pa, name)(), make, lambda value: repr(value) if math.isfinite(value) else f"'{value}'::DOUBLE")


def _decimal(kind: pa.DataType) -> Kind:
    limit = 10**kind.precision - 1

    def make(rng: random.Random) -> decimal.Decimal:
        number = rng.choice([rng.randint(-limit, limit), rng.randint(-limit, limit), rng.randint(-999, 999), limit, -limit])
        return decimal.Decimal(number).scaleb(-kind.scale, decimal.Context(prec=60))

    return Kind(str(kind), "decimal", kind, make, lambda value: format(value, "f"))


def _stamp(unit: str, zone: str | None) -> Kind:
    scale = UNITS[unit]

    def make(rng: random.Random) -> int:
        day = 86_400 * rng.randint(-4000, 12_000)
        moment = rng.choice([day, day, 86_400 * rng.randint(365, 800), day + rng.randint(0, 86_399)])
        return moment * scale + rng.choice([0, 0, 0, 1, -1, rng.randint(0, scale - 1)])

    def literal(value: int) -> str:
        text = str(EPOCH + dt.timedelta(seconds=value // scale))
        fraction = f".{value % scale * (10**9 // scale):09}"
        if zone is not None:
            return f"TIMESTAMPTZ '{text}{fraction[:7]}+00'"
        return f"TIMESTAMP_NS '{text}{fraction}'" if unit == "ns" else f"TIMESTAMP '{text}{fraction[:7]}'"

    return Kind(f"timestamp[{unit}, {zone}]", "stamp", pa.timestamp(unit, zone), make, literal)


def _date(name: str) -> Kind:
    scale = 1 if name == "date32" else 86_400_000
    return Kind(
        name, "date", getattr(pa, name)(), lambda rng: rng.randint(-1000, 20_000) * scale,
        lambda value: f"DATE '{(EPOCH + dt.timedelta(days=value // scale)).date()}'",
    )  # fmt: skip


def _time(kind: pa.DataType) -> Kind:
    scale = UNITS[kind.unit]

    def make(rng: random.Random) -> int:
        return rng.choice([0, 3600 * rng.randint(0, 23), rng.randint(0, 86_399)]) * scale + rng.choice([0, 0, rng.randint(0, scale - 1)])

    def literal(value: int) -> str:
        return f"TIME '{(EPOCH + dt.timedelta(microseconds=value * 10**6 // scale)).time()}'"

    return Kind(str(kind), "time", kind, make, literal)


def _text(name: str, kind: pa.DataType) -> Kind:
    def make(rng: random.Random) -> str:
        return rng.choice([rng.choice(WORDS), rng.choice(WORDS), f"a long string indeed {rng.randint(0, 99)}", f"x{rng.randint(0, 99):02}"])

    return Kind(name, "text", kind, make, lambda value: "'" + value.replace("'", "''") + "'")


def _binary(name: str, kind: pa.DataType) -> Kind:
    def make(rng: random.Random) -> bytes:
        width = kind.byte_width if pa.types.is_fixed_size_binary(kind) else rng.choice([0, 1, 4, 12, 13, 40])
        return bytes(rng.choice([0, 1, 65, 127, 128, 255]) for _ in range(width))

    return Kind(name, "binary", kind, make, lambda value: "'" + "".join(f"\\x{byte:02x}" for byte in value) + "'::BLOB")


def _nested(name: str, kind: pa.DataType, make: Callable[[random.Random], Any]) -> Kind:
    return Kind(name, "nested", kind, make)


def _small(rng: random.Random) -> int | None:
    return rng.choice([None, 1, 2, 3, -7])


INTEGERS = tuple(_integer(name) for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"))
STAMPS = tuple(_stamp(unit, zone) for unit in UNITS for zone in (None, "UTC", "America/New_York"))
TEXTS = (
    _text("string", pa.string()),
    _text("large_string", pa.large_string()),
    _text("string_view", pa.string_view()),
    _text("dictionary", pa.dictionary(pa.int32(), pa.string())),
    _text("small dictionary", pa.dictionary(pa.int8(), pa.string())),
)
NESTED = (
    _nested("list", pa.list_(pa.int32()), lambda rng: [_small(rng) for _ in range(rng.randint(0, 3))]),
    _nested("large_list", pa.large_list(pa.string()), lambda rng: [rng.choice(WORDS) for _ in range(rng.randint(0, 2))]),
    _nested("fixed list", pa.list_(pa.float64(), 2), lambda rng: [1.5, _small(rng)]),
    _nested("struct", pa.struct([("n", pa.int64()), ("s", pa.string())]), lambda rng: {"n": _small(rng), "s": rng.choice(WORDS)}),
    _nested("list of structs", pa.list_(pa.struct([("n", pa.int16())])), lambda rng: [{"n": _small(rng)} for _ in range(rng.randint(0, 2))]),
    _nested("map", pa.map_(pa.string(), pa.int32()), lambda rng: [(rng.choice("abc"), 1)] if rng.random() < 0.7 else []),
)
KINDS: tuple[Kind, ...] = (
    *INTEGERS, *INTEGERS, _float("float32"), _float("float64"), _float("float32"), _float("float64"),
    *(_decimal(kind) for kind in (pa.decimal128(4, 1), pa.decimal128(9, 2), pa.decimal128(18, 3), pa.decimal128(38, 5))),
    Kind("bool", "bool", pa.bool_(), lambda rng: rng.random() < 0.5, str),
    _date("date32"), _date("date64"), *(_time(kind) for kind in (pa.time32("s"), pa.time32("ms"), pa.time64("us"))), *STAMPS, *TEXTS, *TEXTS,
    Kind("dictionary of integers", "integer", pa.dictionary(pa.int8(), pa.int64()), lambda rng: rng.randint(-40, 40), str),
    _binary("binary", pa.binary()), _binary("large_binary", pa.large_binary()), _binary("binary_view", pa.binary_view()), _binary("fixed binary", pa.binary(3)),
    *NESTED,
)  # fmt: skip


def array(kind: Kind, values: list[Any]) -> pa.Array:
    """The values as an array of the kind."""
    if pa.types.is_dictionary(kind.type):
        return pa.array(values, kind.type.value_type).dictionary_encode().cast(kind.type)
    return pa.array(values, kind.type, from_pandas=False)
