"""Columns of pandas as Arrow arrays and back: which codec does it.

A codec is a module with ``encode(values, where)`` and ``decode(column, fact, offset)``. The fact it writes names it under
``"as"``; a plain string is the dtype of a numpy column.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from . import (
    dictionary_columns,
    extension_columns,
    geometry_columns,
    interval_columns,
    nullable_columns,
    numpy_columns,
    object_columns,
    period_columns,
    sparse_columns,
    string_columns,
    zoned_columns,
)
from .encoded import Encoded, Fact

__all__ = ["decode", "encode"]

_CODECS: dict[str, ModuleType] = {
    "arrow": extension_columns,
    "category": dictionary_columns,
    "extension": extension_columns,
    "geometry": geometry_columns,
    "interval": interval_columns,
    "nullable": nullable_columns,
    "object": object_columns,
    "period": period_columns,
    "sparse": sparse_columns,
    "string": string_columns,
    "zoned": zoned_columns,
}

_BY_DTYPE: tuple[tuple[type, str], ...] = (
    (pd.CategoricalDtype, "category"),
    (pd.DatetimeTZDtype, "zoned"),
    (pd.PeriodDtype, "period"),
    (pd.IntervalDtype, "interval"),
    (pd.SparseDtype, "sparse"),
    (pd.StringDtype, "string"),
    (pd.ArrowDtype, "arrow"),
)

#: Codecs that convert some rows at a time where they are asked to.
_DEFERRING = ("geometry", "string")

_NULLABLE = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64", "boolean")


def encode(values: Any, where: str, *, deferring: bool = False) -> Encoded:
    """Turn one column into Arrow.

    Parameters
    ----------
    values : numpy.ndarray or pandas.api.extensions.ExtensionArray
        What ``series.array`` or ``index.array`` gives.
    where : str
        The column's name for messages: ``"column 'x'"``.
    deferring : bool, default False
        Whether what needs new memory may be converted when its rows are read (`deferred`), where the type allows.

    Raises
    ------
    UnsupportedTypeError
        The values have no form in Arrow from which they would come back as they were.
    """
    if type(values) is pd.arrays.NumpyExtensionArray:
        values = np.asarray(values)
    if not isinstance(values, np.ndarray) and not (isinstance(values.dtype, np.dtype) and values.dtype.kind in "mM"):
        name = _codec_name(values.dtype)
        codec = _CODECS[name].encode
        encoded: Encoded = codec(values, where, deferring=True) if deferring and name in _DEFERRING else codec(values, where)
        return encoded
    values = np.asarray(values)
    if values.dtype.kind == "O":
        return object_columns.encode(values, where, deferring=deferring)
    return numpy_columns.encode(values, where, deferring=deferring)


def _codec_name(dtype: Any) -> str:
    for dtype_class, name in _BY_DTYPE:
        if isinstance(dtype, dtype_class):
            return name
    if dtype.name in _NULLABLE and type(dtype).__module__.partition(".")[0] == "pandas":
        return "nullable"
    if dtype.name == "geometry" and type(dtype).__module__.partition(".")[0] == "geopandas":
        return "geometry"
    return "extension"


def decode(column: pa.ChunkedArray, fact: Fact, offset: int) -> Any:
    """Give one column back as `encode` got it, in memory of its own or immutable.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        The rows asked for.
    fact : str or dict
        What `encode` wrote beside the array.
    offset : int
        The first row's position in the whole entry.
    """
    if isinstance(fact, str):
        return numpy_columns.decode(column, fact)
    return _CODECS[fact["as"]].decode(column, fact, offset)
