"""Columns of pandas' nullable numbers and booleans: values and a mask, which is how Arrow has them too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .encoded import Encoded

__all__ = ["decode", "encode"]


def encode(values: Any, where: str) -> Encoded:
    """Turn a masked array into Arrow; only booleans are packed anew, the rest keeps its memory."""
    name = values.dtype.name
    return Encoded(pa.array(values), {"as": "nullable", "dtype": name}, aliased=name != "boolean")


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Any:
    """The masked array that `encode` got: NaN that was a value is still NaN, which pandas' own way would take for missing."""
    dtype: Any = pd.api.types.pandas_dtype(fact["dtype"])
    if not fact["dtype"].startswith("Float"):
        return dtype.__from_arrow__(column)
    missing = column.is_null().to_numpy(zero_copy_only=False)
    values = column.fill_null(1).to_numpy(zero_copy_only=False)
    if not values.flags.writeable or values.dtype != dtype.numpy_dtype:
        values = values.astype(dtype.numpy_dtype)
    return dtype.construct_array_type()(values, np.require(missing, requirements="W"))
