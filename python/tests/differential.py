"""Random tables and predicates for the differential test: everything from one seed."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa

STRINGS = ("string", "large_string", "string_view", "dictionary")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
STAMPS = tuple(("timestamp", unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC"))
KINDS: tuple[Any, ...] = (*INTEGERS, "float32", "float64", *STRINGS, "bool", "date32", "decimal", "time", *STAMPS)
WORDS = ("", "a", "b", "abc", "zzzzzzzzzzzzzzzzzzzz", "é", "ABC", "exactly 12 b", "13 characters")


class Generator:
    """Columns, literals and predicates of one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def table(self, row_count: int) -> tuple[pa.Table, list[tuple[str, Any, pa.Array]]]:
        """A table with a row number and eight columns of different kinds, in one chunk or several."""
        columns = [(f"c{i}", kind, self.column(kind, row_count)) for i, kind in enumerate(self.random.sample(KINDS, 8))]
        table = pa.table({"row": pa.array(range(row_count), pa.int64()), **{name: array for name, _, array in columns}})
        if row_count > 10 and self.random.random() < 0.5:
            cuts = [0, *sorted(self.random.sample(range(row_count), 3)), row_count]
            table = pa.concat_tables([table.slice(start, end - start) for start, end in zip(cuts, cuts[1:], strict=False)])
        return table, columns

    def column(self, kind: Any, row_count: int) -> pa.Array:
        """Values of a kind, some of them null, perhaps in order."""
        null_share = self.random.choice([0, 0, 0.1, 0.5, 1.0])
        values = [self.value(kind) for _ in range(row_count)]
        if self.random.random() < 0.4:
            values.sort(key=lambda value: (value != value, value))
        values = [None if self.random.random() < null_share else value for value in values]
        return self.array(kind, values)

    def array(self, kind: Any, values: list[Any]) -> pa.Array:
        if isinstance(kind, tuple):
            return pa.array(values, pa.timestamp(kind[1], kind[2]))
        if kind == "dictionary":
            return pa.array(values, pa.string()).dictionary_encode()
        types = {"decimal": pa.decimal128(12, 2), "time": pa.time64("us"), "bool": pa.bool_()}
        return pa.array(values, types[kind] if kind in types else getattr(pa, kind)(), from_pandas=False)

    def value(self, kind: Any) -> Any:
        rng = self.random
        if isinstance(kind, tuple):
            return rng.randint(0, 86_400 * 2000) * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind[1]] + rng.choice([0, 0, 1])
        if kind in INTEGERS:
            bits = int(kind.lstrip("uint"))
            low, high = (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
            return rng.randint(low, high) if rng.random() < 0.3 else rng.randint(max(low, -50), min(high, 50))
        if kind in STRINGS:
            return rng.choice([*WORDS, f"a long string indeed {rng.randint(0, 99)}", f"x{rng.randint(0, 99):02}"])
        makers: dict[str, Callable[[], Any]] = {
            "float32": lambda: rng.choice([0.0, -0.0, math.nan, math.inf, -math.inf, 1.5, rng.uniform(-100, 100)]),
            "float64": lambda: rng.choice([0.0, -0.0, math.nan, math.inf, -math.inf, 1.5, rng.uniform(-100, 100)]),
            "bool": lambda: rng.random() < 0.5,
            "date32": lambda: rng.randint(-1000, 20_000),
            "decimal": lambda: decimal.Decimal(rng.randint(-(10**6), 10**6)) / 100,
            "time": lambda: rng.randint(0, 86_399) * 10**6,
        }
        return makers[kind]()

    def literal(self, kind: Any, array: pa.Array) -> str:
        """A constant to compare with: often one of the column's values, sometimes out of its range or of another type."""
        rng = self.random
        known = [] if isinstance(kind, tuple) else [value for value in array.to_pylist()[:20] if value is not None]
        if isinstance(kind, tuple):
            moment = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=rng.randint(0, 86_400 * 2000))
            return rng.choice([f"TIMESTAMP '{moment}'", f"DATE '{moment.date()}'", f"TIMESTAMPTZ '{moment}+00'"])
        if kind in INTEGERS:
            return str(rng.choice([0, 1, -1, 5, 300, 70_000, 2**31, 2**63 - 1, 2.5, *known]))
        if kind in ("float32", "float64"):
            value = rng.choice([0.0, 1.0, -0.0, 2.5, 1e300, math.nan, math.inf, *known])
            return repr(value) if math.isfinite(value) else f"'{value}'::DOUBLE"
        if kind in STRINGS:
            return f"'{rng.choice([*WORDS, 'x5', 'a long', *known])}'"
        if kind == "bool":
            return rng.choice(["true", "false"])
        if kind == "date32":
            day = dt.date(1970, 1, 1) + dt.timedelta(days=rng.randint(-1000, 20_000))
            return rng.choice([f"DATE '{day}'", f"TIMESTAMP '{day} 12:00:00'"])
        if kind == "decimal":
            return repr(rng.randint(-(10**6), 10**6) / 100)
        return f"TIME '{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:00'"

    def predicate(self, columns: list[tuple[str, Any, pa.Array]], depth: int = 0) -> str:
        rng = self.random
        choice = rng.random()
        if depth < 3 and choice < 0.3:
            return f"({self.predicate(columns, depth + 1)} {rng.choice(['AND', 'OR'])} {self.predicate(columns, depth + 1)})"
        if depth < 3 and choice < 0.38:
            return f"NOT ({self.predicate(columns, depth + 1)})"
        name, kind, array = rng.choice(columns)
        operator = rng.choice(["=", "<", ">", "<=", ">=", "<>"])
        forms: list[Callable[[], str]] = [
            lambda: f"{name} IS NULL",
            lambda: f"{name} IS NOT NULL",
            lambda: f"{name} BETWEEN {self.literal(kind, array)} AND {self.literal(kind, array)}",
            lambda: f"{name} {rng.choice(['', 'NOT '])}IN ({', '.join(self.literal(kind, array) for _ in range(rng.randint(1, 4)))})",
            lambda: f"{name} IS {rng.choice(['', 'NOT '])}DISTINCT FROM {self.literal(kind, array)}",
            lambda: f"{self.literal(kind, array)} {operator} {name}",
            lambda: f"{name} {operator} {self.literal(kind, array)}",
            lambda: f"{name} {operator} {self.literal(kind, array)}",
        ]
        if kind in STRINGS:
            forms += [lambda: f"{name} LIKE '{rng.choice(['a', 'x', '', 'zz', 'é'])}%'", lambda: f"starts_with({name}, '{rng.choice('axb')}')"]
        if isinstance(kind, tuple):
            forms += [lambda: f"{name}::DATE = {self.literal(kind, array)}::DATE", lambda: f"year({name}) = 1972"]
        return rng.choice(forms)()
