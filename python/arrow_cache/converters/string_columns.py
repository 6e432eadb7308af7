"""Columns of pandas' string dtypes: ``str`` of pandas 3 and ``string``, over Arrow or over Python objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..errors import UnsupportedTypeError
from .deferred import converted
from .encoded import Encoded, Fact

__all__ = ["decode", "dtype_from_fact", "dtype_to_fact", "encode"]


def dtype_to_fact(dtype: Any) -> dict[str, Any]:
    """What `dtype_from_fact` needs to make this string dtype again."""
    return {"as": "string", "storage": dtype.storage, "na": "NA" if dtype.na_value is pd.NA else "nan"}


def dtype_from_fact(fact: dict[str, Any]) -> Any:
    """The string dtype; in pandas 2.2 a NaN-based one exists over Arrow only."""
    storage = fact["storage"]
    if fact["na"] == "NA":
        return pd.StringDtype(storage)
    if int(pd.__version__.partition(".")[0]) < 3:
        return pd.StringDtype("pyarrow_numpy")
    new_dtype: Any = pd.StringDtype
    return new_dtype("pyarrow" if storage == "pyarrow_numpy" else storage, na_value=np.nan)


def encode(values: Any, where: str, *, deferring: bool = False) -> Encoded:
    """Turn a string array into Arrow: the very buffers where they are Arrow's, which pandas never changes in place."""
    fact: Fact = dtype_to_fact(values.dtype)
    if values.dtype.storage != "python":
        return Encoded(values.__arrow_array__(), fact)
    try:
        return Encoded(converted(np.asarray(values, dtype=object), pa.large_string(), deferring=deferring), fact)
    except UnicodeEncodeError as error:
        raise UnsupportedTypeError(
            f"{where} has text that is not valid Unicode ({error}): encode it to bytes, or repair it"
        ) from error


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Any:
    """The string array that `encode` got."""
    return dtype_from_fact(fact).__from_arrow__(column)
