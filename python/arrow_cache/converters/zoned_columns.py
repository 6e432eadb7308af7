"""Times with a zone: moments in UTC under the zone's name, in microseconds wherever they fit.

DuckDB has its functions for microseconds: a column of nanoseconds with a zone can hardly be used in SQL, and one of seconds
fails at its missing values. Times that microseconds do not hold stay as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from . import numpy_columns, time_zones
from .encoded import Encoded, shares_memory

__all__ = ["decode", "encode", "encode_instants", "show"]

_PIECE_ROWS = 16_384
_NAT = np.iinfo(np.int64).min


def encode(values: Any, where: str) -> Encoded:
    """Turn a ``DatetimeArray`` with a time zone into Arrow."""
    instants = values.view("i8").view(f"M8[{values.dtype.unit}]")
    return encode_instants(instants, time_zones.to_json(values.dtype.tz, where))


def encode_instants(instants: np.ndarray[Any, Any], zone: dict[str, Any]) -> Encoded:
    """Turn moments in UTC into Arrow, to be shown in a zone that `time_zones` described."""
    unit, _ = np.datetime_data(instants.dtype)
    name = time_zones.arrow_name(zone)
    fact = {"as": "zoned", "unit": unit, "zone": zone}
    micros = _whole_micros(instants.view("i8")) if unit == "ns" else None
    if micros is not None:
        return Encoded(pa.array(micros.view("M8[us]"), pa.timestamp("us", name), from_pandas=True), fact)
    array = pa.array(instants, pa.timestamp(unit, name), from_pandas=True)
    if unit in ("s", "ms"):
        try:
            return Encoded(array.cast(pa.timestamp("us", name)), fact)
        except pa.ArrowInvalid:
            pass
    return Encoded(array, fact, aliased=shares_memory(array, instants))


def _whole_micros(nanos: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    """Nanoseconds as microseconds, NaT as NaT; None if a value is not whole. In pieces that stay in the processor's cache."""
    micros: np.ndarray[Any, Any] = np.empty(len(nanos), dtype=np.int64)
    for start in range(0, len(nanos), _PIECE_ROWS):
        piece, whole = nanos[start : start + _PIECE_ROWS], micros[start : start + _PIECE_ROWS]
        np.floor_divide(piece, 1000, out=whole)
        changed = np.flatnonzero(whole * 1000 != piece)
        if len(changed):
            if (piece[changed] != _NAT).any():
                return None
            whole[changed] = _NAT
    return micros


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Any:
    """The ``DatetimeArray`` that `encode` got."""
    naive = column.cast(pa.timestamp(column.type.unit))
    if (naive.type.unit, fact["unit"]) == ("us", "ns"):
        micros = naive.to_numpy(zero_copy_only=False).view("i8")
        nanos = micros * 1000
        if column.null_count:
            nanos[micros == _NAT] = _NAT
        return show(nanos.view("M8[ns]"), fact)
    return show(numpy_columns.decode(naive, f"datetime64[{fact['unit']}]"), fact)


def show(instants: np.ndarray[Any, Any], fact: dict[str, Any]) -> Any:
    """A ``DatetimeArray`` over moments in UTC, without a copy."""
    array: Any = pd.array(instants, dtype=instants.dtype, copy=False)
    return array.view(pd.DatetimeTZDtype(fact["unit"], time_zones.from_json(fact["zone"])))
