"""Periods: the date or time at which each one starts, so that SQL can compare and group them.

Days and longer are dates, hours to nanoseconds are timestamps. What would not come back (a start outside the range of
Arrow's type) is kept as pandas' own ordinals.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.tseries import offsets

from .encoded import Encoded

__all__ = ["decode", "encode"]

_TICKS: dict[type, tuple[str, int]] = {
    offsets.Hour: ("s", 3600),
    offsets.Minute: ("s", 60),
    offsets.Second: ("s", 1),
    offsets.Milli: ("ms", 1),
    offsets.Micro: ("us", 1),
    offsets.Nano: ("ns", 1),
}
_MISSING = np.iinfo(np.int64).min


def encode(values: Any, where: str) -> Encoded:
    """Turn a ``PeriodArray`` into Arrow."""
    ordinals: np.ndarray[Any, Any] = values.asi8
    missing = ordinals == _MISSING
    fact = {"as": "period", "dtype": str(values.dtype)}
    tick = _TICKS.get(type(values.dtype.freq))
    if tick is not None:
        unit, factor = tick
        known = ordinals[~missing]
        if not len(known) or max(-int(known.min()), int(known.max())) <= np.iinfo(np.int64).max // factor:
            starts = np.where(missing, 0, ordinals) * factor
            return Encoded(pa.array(starts, pa.timestamp(unit), mask=missing), fact)
    else:
        days = values.asfreq("D", how="start")
        starts = np.where(missing, 0, days.asi8)
        fits = (np.abs(starts) <= np.iinfo(np.int32).max).all()
        if fits and np.array_equal(days.asfreq(values.dtype.freq).asi8, ordinals):
            return Encoded(pa.array(starts.astype(np.int32), pa.date32(), mask=missing), fact)
    return Encoded(pa.array(ordinals.copy(), mask=missing), fact)


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Any:
    """The ``PeriodArray`` that `encode` got."""
    dtype: Any = pd.api.types.pandas_dtype(fact["dtype"])
    missing = column.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_date32(column.type):
        days = column.cast(pa.int32()).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        days[missing] = _MISSING
        return pd.arrays.PeriodArray(days, dtype=pd.PeriodDtype("D")).asfreq(dtype.freq)
    ordinals = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    if pa.types.is_timestamp(column.type):
        ordinals = ordinals // _TICKS[type(dtype.freq)][1]
    return pd.arrays.PeriodArray(np.where(missing, _MISSING, ordinals), dtype=dtype)
