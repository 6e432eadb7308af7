"""Sparse columns: kept dense, so that SQL reads plain values; the dtype, fill value and index kind come back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..errors import UnsupportedTypeError
from . import columns, values
from .encoded import Encoded

__all__ = ["decode", "encode"]


def encode(array: Any, where: str) -> Encoded:
    """Turn a ``SparseArray`` into Arrow."""
    dense = np.asarray(array)
    if dense.dtype != array.dtype.subtype:
        raise UnsupportedTypeError(
            f"{where} is {array.dtype}, whose dense form is {dense.dtype}: "
            f"convert it first, for example with .astype('Sparse[{dense.dtype}]')"
        )
    encoded = columns.encode(dense, where)
    fill = values.to_json(array.fill_value, f"the fill value of {where}")
    return encoded.with_fact({"as": "sparse", "of": encoded.fact, "fill": fill, "kind": array.kind})


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Any:
    """The ``SparseArray`` that `encode` got."""
    dense = columns.decode(column, fact["of"], offset)
    fill = values.from_json(fact["fill"])
    return pd.arrays.SparseArray(dense, fill_value=fill, kind=fact["kind"], dtype=pd.SparseDtype(dense.dtype, fill))
