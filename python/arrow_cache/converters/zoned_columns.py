"""Times with a zone: Arrow timestamps in UTC under the zone's name."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from . import numpy_columns, time_zones
from .encoded import Encoded, shares_memory

__all__ = ["decode", "encode"]


def encode(values: Any, where: str) -> Encoded:
    """Turn a ``DatetimeArray`` with a time zone into Arrow."""
    unit = values.dtype.unit
    zone = time_zones.to_json(values.dtype.tz, where)
    instants = values.view("i8").view(f"M8[{unit}]")
    array = pa.array(instants, pa.timestamp(unit, time_zones.arrow_name(zone)), from_pandas=True)
    return Encoded(array, {"as": "zoned", "zone": zone}, aliased=shares_memory(array, instants))


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Any:
    """The ``DatetimeArray`` that `encode` got."""
    naive = numpy_columns.decode(column.cast(pa.timestamp(column.type.unit)), f"datetime64[{column.type.unit}]")
    instants: Any = pd.array(naive, dtype=naive.dtype, copy=False)
    return instants.tz_localize("UTC").tz_convert(time_zones.from_json(fact["zone"]))
