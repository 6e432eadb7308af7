"""Columns over Arrow already (``ArrowDtype``), and dtypes of other packages that speak Arrow themselves."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from ..errors import UnsupportedTypeError
from .encoded import Encoded

__all__ = ["decode", "encode"]


def encode(values: Any, where: str) -> Encoded:
    """Hand over the Arrow buffers of an ``ArrowDtype`` column, or ask another package's array for its own.

    The latter is taken only if it demonstrably comes back equal.
    """
    if isinstance(values.dtype, pd.ArrowDtype):
        return Encoded(values.__arrow_array__(), {"as": "arrow"})
    fact = {"as": "extension", "dtype": str(values.dtype)}
    try:
        array = pa.array(values)
        column = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
        back = decode(column, fact, 0)
        same = back.dtype == values.dtype and bool(back.equals(values))
    except Exception as error:
        raise UnsupportedTypeError(_refusal(values, where, str(error))) from error
    if not same:
        raise UnsupportedTypeError(_refusal(values, where, "it does not come back equal"))
    return Encoded(array, fact, aliased=True)


def _refusal(values: Any, where: str, reason: str) -> str:
    return (
        f"{where} has the dtype {values.dtype} of {type(values.dtype).__module__}, which cannot be stored ({reason}): "
        f"convert it to a dtype of pandas, for example with .astype(object) or .astype(str)"
    )


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Any:
    """The array that `encode` got."""
    if fact["as"] == "arrow":
        return pd.arrays.ArrowExtensionArray(column)
    dtype: Any = pd.api.types.pandas_dtype(fact["dtype"])
    return dtype.__from_arrow__(column)
