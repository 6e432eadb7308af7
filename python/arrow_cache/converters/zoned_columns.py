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

__all__ = ["decode", "encode", "encode_instants"]


def encode(values: Any, where: str) -> Encoded:
    """Turn a ``DatetimeArray`` with a time zone into Arrow."""
    instants = values.view("i8").view(f"M8[{values.dtype.unit}]")
    return encode_instants(instants, time_zones.to_json(values.dtype.tz, where))


def encode_instants(instants: np.ndarray[Any, Any], zone: dict[str, Any]) -> Encoded:
    """Turn moments in UTC into Arrow, to be shown in a zone that `time_zones` described."""
    unit, _ = np.datetime_data(instants.dtype)
    name = time_zones.arrow_name(zone)
    array = pa.array(instants, pa.timestamp(unit, name), from_pandas=True)
    fact = {"as": "zoned", "unit": unit, "zone": zone}
    if unit != "us":
        try:
            return Encoded(array.cast(pa.timestamp("us", name)), fact)
        except pa.ArrowInvalid:
            pass
    return Encoded(array, fact, aliased=shares_memory(array, instants))


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Any:
    """The ``DatetimeArray`` that `encode` got."""
    naive = numpy_columns.decode(column.cast(pa.timestamp(column.type.unit)), f"datetime64[{fact['unit']}]")
    instants: Any = pd.array(naive, dtype=naive.dtype, copy=False)
    return instants.tz_localize("UTC").tz_convert(time_zones.from_json(fact["zone"]))
