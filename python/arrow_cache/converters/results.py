"""Query results: DuckDB's types as those who asked expect them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

__all__ = ["named_apart", "simplify"]

_INTERVAL = np.dtype([("months", "<i4"), ("days", "<i4"), ("nanos", "<i8")])
_DAY_MICROS = 86_400_000_000


def simplify(table: pa.Table) -> pa.Table:
    """The table with whole sums as integers and plain durations as durations.

    DuckDB sums integers in 128 bits, which Arrow has as ``decimal(38, 0)``, and knows one type of interval, of months,
    days and microseconds. Both become 64-bit numbers if every value fits.
    """
    for position, column in enumerate(table.columns):
        changed = column
        if pa.types.is_decimal128(column.type) and column.type.precision == 38 and column.type.scale == 0:
            changed = _whole_numbers(column)
        elif pa.types.is_interval(column.type):
            changed = _durations(column)
        if changed is not column:
            table = table.set_column(position, table.schema.field(position).with_type(changed.type), changed)
    return table


def named_apart(table: pa.Table) -> pa.Table:
    """The table with a name of its own for each column, as DuckDB's client names them: ``x``, ``x_1``. Case does not tell names apart."""
    names = table.column_names
    if len({name.lower() for name in names}) == len(names):
        return table
    seen: dict[str, int] = {}
    for position, name in enumerate(names):
        folded, unique = _folded(name), name
        if folded in seen:
            while _folded(unique := f"{name}_{seen[folded]}") in seen:
                seen[folded] += 1
            seen[folded] += 1
        seen[_folded(unique)] = 1
        names[position] = unique
    return table.rename_columns(names)


def _folded(name: str) -> str:
    """As DuckDB has it: ASCII letters alone."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in name)


def _whole_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column


def _durations(column: pa.ChunkedArray) -> pa.ChunkedArray:
    chunks = []
    for chunk in column.chunks:
        missing = chunk.is_null().to_numpy(zero_copy_only=False)
        parts = np.frombuffer(chunk.buffers()[1], _INTERVAL, len(chunk), chunk.offset * _INTERVAL.itemsize)
        parts = np.where(missing, np.zeros(1, _INTERVAL), parts)
        days = parts["days"].astype(np.int64)
        if parts["months"].any() or (parts["nanos"] % 1000).any() or (np.abs(days) > 100_000_000).any():
            return column
        chunks.append(pa.array(days * _DAY_MICROS + parts["nanos"] // 1000, pa.duration("us"), mask=missing))
    return pa.chunked_array(chunks, pa.duration("us"))
