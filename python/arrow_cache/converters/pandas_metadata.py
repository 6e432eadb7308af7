"""The ``pandas`` metadata that pyarrow writes, for those who read our tables with pyarrow alone.

Our own facts (`facts`) say more and are what `get` uses; this is what makes ``table.to_pandas()`` set the index and the
labels, and ``pandas.read_feather`` read a persisted entry.
"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow.pandas_compat import get_logical_type

from .encoded import Encoded

__all__ = ["write"]


def write(
    frame: Any, data: list[tuple[str, Encoded]], index: list[tuple[str, Encoded]], index_fact: dict[str, Any]
) -> dict[bytes, bytes]:
    """Schema metadata under the key ``pandas``."""
    ranges = "range" in index_fact
    descriptors: list[Any] = [name for name, _ in index]
    if ranges:
        start, stop, step = index_fact["range"]
        name = frame.index.name if isinstance(frame.index.name, str) else None
        descriptors = [{"kind": "range", "name": name, "start": start, "stop": stop, "step": step}]
    described = [_column(name, name, encoded) for name, encoded in data]
    if not ranges:
        names = [name if isinstance(name, str) else None for name in frame.index.names]
        described += [_column(name, field, encoded) for name, (field, encoded) in zip(names, index, strict=True)]
    content = {
        "index_columns": descriptors,
        "column_indexes": [_labels(frame.columns)],
        "columns": described,
        "creator": {"library": "arrow_cache", "version": "1"},
        "pandas_version": pd.__version__,
    }
    return {b"pandas": json.dumps(content, separators=(",", ":")).encode()}


def _labels(labels: Any) -> dict[str, Any]:
    numbers = labels.dtype.kind in "iu" and not isinstance(labels, pd.MultiIndex)
    name = labels.name if isinstance(labels.name, str) else None
    kinds = ("int64", "int64") if numbers else ("unicode", "object")
    metadata = None if numbers else {"encoding": "UTF-8"}
    return {"name": name, "field_name": name, "pandas_type": kinds[0], "numpy_type": kinds[1], "metadata": metadata}


def _column(name: str | None, field: str, encoded: Encoded) -> dict[str, Any]:
    data_type = encoded.array.type
    fact = encoded.fact
    numpy_type, metadata = "object", None
    if isinstance(fact, str):
        numpy_type = fact if fact[0].isalpha() else "object"
    elif fact.get("as") == "nullable":
        numpy_type = fact["dtype"]
    elif fact.get("as") == "string":
        numpy_type = "string" if fact["na"] == "NA" else "str"
    elif pa.types.is_dictionary(data_type):
        chunks = encoded.array.chunks if isinstance(encoded.array, pa.ChunkedArray) else [encoded.array]
        count = max((len(chunk.dictionary) for chunk in chunks), default=0)
        metadata = {"num_categories": count, "ordered": data_type.ordered}
        numpy_type = str(data_type.index_type)
    elif pa.types.is_timestamp(data_type) and data_type.tz:
        numpy_type, metadata = f"datetime64[{data_type.unit}]", {"timezone": data_type.tz}
    return {
        "name": name,
        "field_name": field,
        "pandas_type": get_logical_type(data_type),
        "numpy_type": numpy_type,
        "metadata": metadata,
    }
