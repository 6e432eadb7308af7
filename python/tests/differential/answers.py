"""Whether two answers are the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def difference(found: pa.Table, expected: pa.Table, is_ordered: bool) -> str | None:
    """What differs, in words; None for nothing. NaN is NaN, and zero has no sign."""
    if found.schema.names != expected.schema.names or found.schema.types != expected.schema.types:
        return f"columns {found.schema} in place of {expected.schema}"
    if found.num_rows != expected.num_rows:
        return f"{found.num_rows} rows in place of {expected.num_rows}{_first_rows(found, expected)}"
    if found.num_columns == 0 or all(map(_same_column, found.columns, expected.columns)):
        return None
    if not is_ordered and all(map(_same_column, *(_by_row(table).columns for table in (found, expected)))):
        return None
    mine, theirs = _rows(found), _rows(expected)
    if not is_ordered:
        mine, theirs = sorted(mine), sorted(theirs)
    for number, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        if a != b:
            return f"row {number} of {len(mine)}: ({', '.join(a)}) in place of ({', '.join(b)})"
    return None


def _by_row(table: pa.Table) -> pa.Table:
    """In the order of the columns that number rows."""
    keys = {str(number): column for number, column in enumerate(table.columns) if table.schema.names[number] in ("row", "other_row")}
    return table.take(pc.sort_indices(pa.table(keys), sort_keys=[(name, "ascending") for name in keys])) if keys else table


def _same_column(found: pa.ChunkedArray, expected: pa.ChunkedArray) -> bool:
    if found.equals(expected):
        return True
    if not pa.types.is_floating(found.type) or not found.is_null().equals(expected.is_null()):
        return False
    mine, theirs = (column.drop_null().to_numpy() for column in (found, expected))
    return bool(np.array_equal(mine, theirs, equal_nan=True))


def _rows(table: pa.Table) -> list[tuple[str, ...]]:
    columns = [[_text(value) for value in _values(column)] for column in table.columns]
    return list(zip(*columns, strict=True))


def _values(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type) or pa.types.is_time64(column.type) or pa.types.is_duration(column.type):
        column = column.cast(pa.int64())  # Python has neither nanoseconds nor every year
    return list(column.to_pylist())


def _text(value: Any) -> str:
    return repr(value + 0.0) if isinstance(value, float) else repr(value)


def _first_rows(found: pa.Table, expected: pa.Table) -> str:
    """Rows that only one of the two has, of small answers."""
    if max(found.num_rows, expected.num_rows) > 20_000:
        return ""
    mine, theirs = set(_rows(found)), set(_rows(expected))
    return f"; too many: {sorted(mine - theirs)[:3]}, missing: {sorted(theirs - mine)[:3]}"
