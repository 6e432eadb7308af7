"""Intervals as ``struct<left, right>`` without an extension type, which DuckDB reads as a STRUCT."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from . import columns
from .encoded import Encoded

__all__ = ["decode", "encode", "sides"]


def encode(values: Any, where: str) -> Encoded:
    """Turn an ``IntervalArray`` into Arrow."""
    ends = [columns.encode(side.array, where) for side in (values.left, values.right)]
    struct = pa.StructArray.from_arrays(
        [end.array for end in ends], names=["left", "right"], mask=pa.array(values.isna())
    )
    fact = {"as": "interval", "closed": values.closed, "of": ends[0].fact}
    return Encoded(struct, fact, aliased=any(end.aliased for end in ends))


def sides(column: pa.ChunkedArray) -> list[pa.ChunkedArray]:
    """The two fields of a struct column."""
    return [pa.chunked_array([chunk.field(i) for chunk in column.chunks], column.type.field(i).type) for i in (0, 1)]


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Any:
    """The ``IntervalArray`` that `encode` got."""
    left, right = (columns.decode(side, fact["of"], offset) for side in sides(column))
    return pd.arrays.IntervalArray.from_arrays(left, right, closed=fact["closed"])
