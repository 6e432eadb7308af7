"""Random tables: columns in some order with some nulls, cut into some batches."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from .kinds import KINDS, Kind, array

ROW_COUNTS = (0, 1, 7, 100, 1000, 1000, 2047, 2048, 2049, 3000, 5000, 8192, 8193, 20_000)
LARGE_ROW_COUNTS = (122_879, 122_880, 122_881, 250_000)


@dataclass
class Column:
    """A column of a table, and values of it to compare with."""

    name: str
    kind: Kind
    known: list[Any]


@dataclass
class Table:
    """A table with a row number and columns of different kinds."""

    data: pa.Table
    columns: list[Column]


def random_table(rng: random.Random, row_count: int, kinds: list[Kind] | None = None, width: int = 8) -> Table:
    """Of the given kinds of columns, or of any."""
    numbers = np.random.default_rng(rng.getrandbits(32))
    columns, arrays = [], {"row": pa.array(np.arange(row_count, dtype=np.int64))}
    for position, kind in enumerate(kinds or rng.sample(KINDS, width)):
        name = f"c{position}"
        arrays[name], known = _column(rng, numbers, kind, row_count)
        columns.append(Column(name, kind, known))
    return Table(_cut(rng, pa.table(arrays)), columns)


def _column(rng: random.Random, numbers: np.random.Generator, kind: Kind, row_count: int) -> tuple[pa.Array, list[Any]]:
    pool = [kind.make(rng) for _ in range(rng.choice([1, 3, 20, 100, 100, 2000]) if row_count > 100 else max(row_count, 1))]
    if kind.is_ordered:
        pool.sort(key=lambda value: (value != value, value))
    order = rng.choice(["random", "random", "sorted", "reversed", "clustered", "nearly sorted"])
    if order == "clustered":
        run = rng.choice([10, 500, 3000])
        codes = np.repeat(numbers.integers(0, len(pool), row_count // run + 1), run)[:row_count]
    else:
        codes = numbers.integers(0, len(pool), row_count)
        if order != "random":
            codes.sort()
        if order == "reversed":
            codes = codes[::-1]
        elif order == "nearly sorted" and row_count:
            some = numbers.integers(0, row_count, 3)
            codes[some] = codes[some[::-1]]
    missing = _missing(rng, numbers, row_count)
    indices = pa.array(codes, mask=missing) if missing is not None else pa.array(codes)
    known = [pool[code] for code in codes[:200:10]]
    if pa.types.is_dictionary(kind.type):
        plain = pa.array(pool, kind.type.value_type).take(indices).dictionary_encode()
        return (plain if len(plain.dictionary) > 127 and kind.type.index_type == pa.int8() else plain.cast(kind.type)), known
    if pa.types.is_string_view(kind.type) or pa.types.is_binary_view(kind.type):
        return pa.array(pool, pa.binary() if kind.family == "binary" else pa.string()).take(indices).cast(kind.type), known
    return array(kind, pool).take(indices), known


def _missing(rng: random.Random, numbers: np.random.Generator, row_count: int) -> np.ndarray[Any, Any] | None:
    """Which rows are null."""
    form = rng.choice(["none", "none", "some", "many", "all", "first", "last", "runs"])
    if form == "none":
        return None
    if form in ("some", "many"):
        return numbers.random(row_count) < (0.05 if form == "some" else 0.5)
    missing = np.zeros(row_count, bool)
    if form == "all":
        missing[:] = True
    elif form == "runs":
        missing = np.repeat(numbers.random(row_count // 700 + 1) < 0.5, 700)[:row_count]
    else:
        part = row_count // rng.choice([2, 3, 10])
        missing[slice(None, part) if form == "first" else slice(row_count - part, None)] = True
    return missing


def _cut(rng: random.Random, table: pa.Table) -> pa.Table:
    """The table in one batch or several, which may be empty, of odd sizes or slices of something larger."""
    rows = table.num_rows
    form = rng.choice(["one", "some", "even", "offset"])
    if rows < 10 or form == "one":
        return table
    if form == "offset":
        return pa.concat_tables([table.slice(0, 3), table]).slice(3)
    if form == "some":
        cuts = [0, *sorted(rng.choices(range(rows), k=3)), rows]
    else:
        size = rng.choice([333, 1000, 2047, 2048, 2049, 4096, 8192, 50_000])
        cuts = [*range(0, rows, max(size, rows // 40)), rows]
    parts = [table.slice(start, end - start) for start, end in zip(cuts, cuts[1:], strict=False)]
    if rng.random() < 0.5:  # dictionaries of their own
        parts = [pa.table({name: part[name].combine_chunks() for name in part.column_names}) for part in parts]
    return pa.concat_tables(parts)
