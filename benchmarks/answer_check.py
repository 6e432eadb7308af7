"""Whether two engines gave the same answer: the same values in any order, but for the last digits of floating-point numbers."""

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

TOLERANCE = 1e-9
#: Answers of more rows are compared by sums over each column.
ROWS_IN_FULL = 20_000


def disagreement(answer: pa.Table, reference: pa.Table) -> str | None:
    """What differs, in words; None for nothing."""
    if answer.num_columns != reference.num_columns or answer.num_rows != reference.num_rows:
        return f"{answer.num_rows} × {answer.num_columns} in place of {reference.num_rows} × {reference.num_columns}"
    mine, theirs = (_rows(table) if table.num_rows <= ROWS_IN_FULL else [_sums(table)] for table in (answer, reference))
    for a, b in zip(mine, theirs, strict=True):
        if not all(map(_same, a, b)):
            return f"{a} in place of {b}"
    return None


def _rows(table: pa.Table) -> list[tuple[Any, ...]]:
    columns = [[_plain(value) for value in column.to_pylist()] for column in table.columns]
    # Floating-point numbers last: their last digits would decide the order.
    order = sorted(range(len(columns)), key=lambda position: any(isinstance(value, float) for value in columns[position]))
    return sorted(zip(*(columns[position] for position in order), strict=True), key=_sort_key)


def _sort_key(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((value is None, round(value, 6) if isinstance(value, float) else value if value is not None else 0) for value in row)


def _plain(value: Any) -> Any:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return float(value)
    return value.isoformat()[:10] if isinstance(value, (date, datetime)) and not isinstance(value, datetime) else value


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=1e-9) or (math.isnan(a) and math.isnan(b))
    return bool(a == b)


def _sums(table: pa.Table) -> tuple[Any, ...]:
    """Of each column how many values it has, and their sum or the sum of their hashes."""
    with duckdb.connect() as connection:
        connection.register("answer", table.rename_columns([f"c{number}" for number in range(table.num_columns)]))
        wanted = []
        for number, kind in enumerate(table.schema.types):
            is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
            value = f"c{number}::DOUBLE" if is_number else f"hash(c{number}::VARCHAR)::HUGEINT % 1000003"
            wanted.append(f"count(c{number})::DOUBLE, fsum(c{number}::DOUBLE)" if is_number else f"count(c{number})::DOUBLE, sum({value})::DOUBLE")
        row = connection.execute(f"SELECT {', '.join(wanted)} FROM answer").fetchone()
        return tuple(0.0 if value is None else value for value in row or ())
