"""Random predicates over columns: trees, so that a failure can be reduced to the part that matters."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import Any

from .kinds import EPOCH, UNITS
from .tables import Column

COMPARISONS = ("=", "<", ">", "<=", ">=", "<>")


@dataclass(frozen=True)
class Clause:
    """A piece of SQL with `{}` for its parts."""

    form: str
    parts: tuple[Clause, ...] = ()

    def __str__(self) -> str:
        return self.form.format(*self.parts) if self.parts else self.form

    def smaller(self) -> list[Clause]:
        """Its parts, and itself with one of them smaller."""
        found = list(self.parts)
        for position, part in enumerate(self.parts):
            found += [Clause(self.form, (*self.parts[:position], less, *self.parts[position + 1 :])) for less in part.smaller()]
        return found


class Predicates:
    """Predicates over the columns of one table reference; constants may become named parameters in `parameters`.

    Long lists of IN are joins to DuckDB, whose rows come in any order.
    """

    def __init__(self, rng: random.Random, columns: list[Column], prefix: str = "", parameters: dict[str, Any] | None = None, has_long_lists: bool = False) -> None:
        self.random = rng
        self.columns = [column for column in columns if column.kind.is_ordered]
        self.nested = [column for column in columns if not column.kind.is_ordered]
        self.prefix = prefix
        self.parameters = parameters
        self.list_lengths = (1, 2, 3, 4, 40) if has_long_lists else (1, 2, 3, 4)

    def tree(self, depth: int = 0) -> Clause:
        rng = self.random
        choice = rng.random()
        if depth < 3 and choice < 0.32:
            return Clause(f"({{}} {rng.choice(['AND', 'AND', 'OR'])} {{}})", (self.tree(depth + 1), self.tree(depth + 1)))
        if depth < 3 and choice < 0.38:
            return Clause("NOT ({})", (self.tree(depth + 1),))
        return Clause(self.leaf())

    def leaf(self) -> str:
        rng = self.random
        if self.nested and rng.random() < 0.1:
            return f"{self.prefix}{rng.choice(self.nested).name} IS {rng.choice(['', 'NOT '])}NULL"
        if not self.columns or rng.random() < 0.08:
            first = rng.randint(-5, 3000)
            return rng.choice([f"{self.prefix}row >= {first}", f"{self.prefix}row BETWEEN {first} AND {first + rng.randint(0, 3000)}", f"{self.prefix}row % 7 = 3"])
        column = rng.choice(self.columns)
        name = self.prefix + column.name
        operator = rng.choice(COMPARISONS)
        form = rng.randrange(12)
        if form < 5:
            return f"{name} {operator} {self.constant(column)}"
        if form == 5:
            return f"{self.constant(column)} {operator} {name}"
        if form == 6:
            return f"{name} {rng.choice(['', 'NOT '])}BETWEEN {self.constant(column)} AND {self.constant(column)}"
        if form == 7:
            listed = ", ".join(self.constant(column) for _ in range(rng.choice(self.list_lengths)))
            return f"{name} {rng.choice(['', '', 'NOT '])}IN ({listed})"
        if form == 8:
            return f"{name} IS {rng.choice(['', 'NOT '])}{rng.choice(['NULL', 'NULL', 'DISTINCT FROM ' + self.constant(column)])}"
        if form == 9:
            return self._pair(column)
        return self._special(column)

    def _pair(self, column: Column) -> str:
        """Two columns compared where they are of one family, a two-sided range where not."""
        others = [other for other in self.columns if other.kind.family == column.kind.family and other is not column]
        name = self.prefix + column.name
        if others and self.random.random() < 0.6:
            return f"{name} {self.random.choice(COMPARISONS)} {self.prefix}{self.random.choice(others).name}"
        return f"({name} >= {self.constant(column)} AND {name} < {self.constant(column)})"

    def _special(self, column: Column) -> str:
        rng, name = self.random, self.prefix + column.name
        family, constant, operator = column.kind.family, self.constant(column), rng.choice(COMPARISONS)
        if family == "text":
            begin = rng.choice(["a", "x", "", "zz", "é", "a long", "a long string ind", "x5", "日", "1", "exactly 12 b"])
            return rng.choice(
                [f"{name} {rng.choice(['', 'NOT '])}LIKE '{begin}%'", f"starts_with({name}, '{begin}')", f"{name} ILIKE '{begin}%'", f"{name} LIKE '%{begin}'",
                 f"{name} LIKE '{begin}_%'", f"length({name}) {operator} {rng.choice([0, 1, 12, 20])}", f"upper({name}) = upper({constant})",
                 f"{name} SIMILAR TO '{begin}.*'", f"{name} || 'x' {operator} {constant}", f"prefix({name}, '{begin}')"]
            )  # fmt: skip
        if family in ("stamp", "date"):
            year = rng.choice([1960, 1970, 1971, 1999, 2002])
            return rng.choice(
                [f"year({name}) {operator} {year}", f"{name}::DATE {operator} DATE '{year}-03-01'", f"date_trunc('month', {name}) = DATE '1971-02-01'",
                 f"{name} {operator} DATE '{year}-07-01'", f"{name} {operator} TIMESTAMP '{year}-07-01 12:00:00'", f"month({name}) = {rng.randint(1, 12)}",
                 f"{name} {operator} TIMESTAMPTZ '{year}-07-01 12:00:00+02'", f"extract(dow FROM {name}) IN (0, 6)",
                 f"{name} >= DATE '{year}-01-01' AND {name} < DATE '{year}-01-01' + INTERVAL {rng.randint(1, 14)} MONTH"]
            )  # fmt: skip
        if family in ("integer", "decimal", "float"):
            number = rng.choice(["2.5", "0", "-1", "1e3", "300", "70000", "-129", "255", "256", "'nan'::DOUBLE", "1e300", "2147483648", "9223372036854775807", "-0.0"])
            return rng.choice(
                [f"{name} {operator} {number}", f"{name} BETWEEN {number} AND 60", f"abs(TRY_CAST({name} AS DOUBLE)) {operator} {number}", f"TRY_CAST({name} AS INTEGER) {operator} 5",
                 f"{name}::VARCHAR {operator} '5'", f"{name} IN (1, 2.5, 3)", f"CASE WHEN {name} > 3 THEN true ELSE {name} IS NULL END"]
            )  # fmt: skip
        if family == "bool":
            return rng.choice([name, f"NOT {name}", f"{name} IS TRUE", f"{name} IS NOT FALSE"])
        return rng.choice([f"{name} {operator} {constant}", f"coalesce({name}, {constant}) = {constant}", f"{name}::VARCHAR > '5'"])

    def constant(self, column: Column) -> str:
        """Often one of the column's values, sometimes one that it may not have, NULL, or a parameter."""
        rng, kind = self.random, column.kind
        if rng.random() < 0.02:
            return "NULL"
        value = rng.choice(column.known) if column.known and rng.random() < 0.6 else kind.make(rng)
        assert kind.literal is not None
        if self.parameters is not None and rng.random() < 0.7:
            name = f"p{len(self.parameters)}"
            self.parameters[name] = _python_value(column, value)
            return f"${name}"
        return kind.literal(value)


def _python_value(column: Column, value: Any) -> Any:
    family, kind = column.kind.family, column.kind.type
    if family == "stamp":
        moment = EPOCH + dt.timedelta(microseconds=value * 10**6 // UNITS[kind.unit])
        return moment if kind.tz is None else moment.replace(tzinfo=dt.timezone.utc)
    if family == "date":
        return (EPOCH + dt.timedelta(days=value if column.kind.name == "date32" else value // 86_400_000)).date()
    if family == "time":
        return (EPOCH + dt.timedelta(microseconds=value * 10**6 // UNITS[kind.unit])).time()
    return value
