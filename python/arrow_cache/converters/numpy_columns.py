"""Columns over plain numpy arrays: numbers, booleans, times without a zone, complex numbers.

float16 is kept as float32, which DuckDB can read; complex as ``struct<re, im>``; NaN and NaT are nulls.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from ..errors import UnsupportedTypeError
from .deferred import BLOCK_ROWS, Deferred
from .encoded import Encoded, shares_memory
from .lasting_memory import lasting_pool

__all__ = ["decode", "encode", "is_direct"]

_REMEDY = {
    "f": "convert it with .astype('float64')",
    "c": "convert it with .astype('complex128')",
    "M": "convert it to one of the units s, ms, us, ns",
    "m": "convert it to one of the units s, ms, us, ns",
}
_UNITS = ("s", "ms", "us", "ns")


def encode(values: np.ndarray[Any, Any], where: str, *, deferring: bool = False) -> Encoded:
    """Turn a one-dimensional numpy array into Arrow, without a copy where the memory layouts agree."""
    dtype = values.dtype
    kind = dtype.kind
    supported = kind in "biu" or (kind == "f" and dtype.itemsize <= 8) or (kind == "c" and dtype.itemsize <= 16)
    if kind in "mM":
        supported = np.datetime_data(dtype)[0] in _UNITS and np.datetime_data(dtype)[1] == 1
    if not supported:
        remedy = _REMEDY.get(kind, "convert it to numbers, text or times")
        raise UnsupportedTypeError(f"{where} has the numpy dtype {dtype}, which Arrow cannot hold: {remedy}")
    fact = dtype.name if dtype.isnative else dtype.str
    if deferring and kind in "iufM" and dtype.isnative and fact != "float16" and not values.flags.c_contiguous:
        return Encoded(_deferred(values), fact)
    given = values
    if not dtype.isnative:
        values = values.astype(dtype.newbyteorder("="))
    if kind == "c":
        return Encoded(_encode_complex(values), fact)
    if kind == "f" and dtype.itemsize == 2:
        values = values.astype(np.float32)
    array = pa.array(values, from_pandas=True)
    if kind == "m" and array.null_count and array.type.unit in ("s", "ms"):
        array = _to_micros(array)
    return Encoded(array, fact, aliased=shares_memory(array, given))


def _deferred(values: np.ndarray[Any, Any]) -> Deferred:
    """Values that lie apart in memory, as in a frame over rows."""

    def make(rows: slice) -> pa.Array:
        # A copy first: what lies together by chance, as one row does, would be lent.
        return pa.array(values[rows].copy(), from_pandas=True, memory_pool=lasting_pool())

    blocks = -(-len(values) // BLOCK_ROWS)
    return Deferred(len(values), make(slice(0, 0)).type, make, np.full(blocks, BLOCK_ROWS * values.dtype.itemsize))


def _to_micros(array: pa.Array) -> pa.Array:
    """Durations in microseconds if they fit: DuckDB computes those also where they are missing, and fails at pandas' NaT."""
    try:
        return array.cast(pa.duration("us"))
    except pa.ArrowInvalid:
        return array


def _encode_complex(values: np.ndarray[Any, Any]) -> pa.StructArray:
    parts = [pa.array(np.ascontiguousarray(part)) for part in (values.real, values.imag)]
    return pa.StructArray.from_arrays(parts, names=["re", "im"])


def is_direct(fact: object) -> bool:
    """Whether a column under this fact has in Arrow the very bytes of its numpy array, nulls apart."""
    if not isinstance(fact, str):
        return False
    dtype = np.dtype(fact)
    return dtype.isnative and dtype.kind in "iufmM" and fact != "float16"


def decode(column: pa.ChunkedArray, fact: str) -> np.ndarray[Any, Any]:
    """The numpy array that `encode` got, in memory of its own."""
    dtype = np.dtype(fact)
    if dtype.kind == "c":
        out = np.empty(len(column), dtype=dtype.newbyteorder("="))
        real, imaginary = column.combine_chunks().flatten() if len(column) else ([], [])
        out.real = np.asarray(real)
        out.imag = np.asarray(imaginary)
        return out.astype(dtype, copy=False)
    values: np.ndarray[Any, Any] = column.to_numpy(zero_copy_only=False).astype(dtype, copy=False)
    return values if values.flags.writeable else values.copy()
