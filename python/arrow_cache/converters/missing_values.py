"""Which missing value a null was: None, NaN, NA or NaT, in columns of Python objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..errors import UnsupportedTypeError
from . import row_codes

__all__ = ["FLOATS", "TYPES", "describe", "restore"]

_MARKERS: dict[str, Any] = {
    "None": None,
    "nan": float("nan"),
    "NA": pd.NA,
    "NaT": pd.NaT,
    "float64": np.float64("nan"),
    "float32": np.float32("nan"),
}
_NAMES = list(_MARKERS)
#: Types of values that may stand for a missing one; floats only where they are NaN.
TYPES: dict[type, str] = {type(marker): name for name, marker in _MARKERS.items()}
FLOATS = frozenset((float, np.float64, np.float32))


def describe(values: np.ndarray[Any, Any], nulls: np.ndarray[Any, Any], where: str) -> dict[str, Any]:
    """Facts about the missing values, which are those at ``nulls``.

    Returns
    -------
    dict
        ``{}`` if nothing is missing, ``{"missing": name}`` if all are of one kind, else a code for each row.
    """
    missing = values[nulls]
    types = set(map(type, missing))
    unknown = types - TYPES.keys()
    if unknown:
        raise UnsupportedTypeError(
            f"{where} marks missing values by {unknown.pop().__name__}: use None, for example with "
            f".where(series.notna(), None)"
        )
    if not types:
        return {}
    if len(types) == 1:
        return {"missing": TYPES[types.pop()]}
    codes = np.zeros(len(values), dtype=np.int8)
    codes[nulls] = [_NAMES.index(TYPES[type(value)]) for value in missing]
    return {"missing": row_codes.pack(codes)}


def restore(objects: np.ndarray[Any, Any], column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> None:
    """Write the missing values of `describe` into ``objects``, in place."""
    found = fact.get("missing")
    if found is None or not column.null_count:
        return
    nulls = column.is_null().to_numpy(zero_copy_only=False)
    if isinstance(found, str):
        objects[nulls] = _MARKERS[found]
        return
    codes = row_codes.unpack(found, offset, len(column))
    for code, name in enumerate(_NAMES):
        objects[nulls & (codes == code)] = _MARKERS[name]
