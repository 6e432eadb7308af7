"""Object columns of values that have a better column type: numpy and pandas scalars, complex, UUID, zoned datetimes.

They are kept as that column would be, so that SQL sees numbers and times, and put back into their boxes.
"""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from . import (
    interval_columns,
    missing_values,
    numpy_columns,
    object_columns,
    period_columns,
    time_zones,
    zoned_columns,
)
from .encoded import Encoded, extension, storage_of
from .object_kinds import NoArrowType, Objects

__all__ = ["decode", "encode", "takes"]

_NUMPY = tuple(getattr(np, name) for name in ("bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"))
_NUMPY = (*_NUMPY, np.uint64, np.float16, np.float32, np.float64, np.str_)
_OTHERS = (complex, uuid.UUID, datetime.datetime, pd.Timestamp, pd.Timedelta, pd.Period, pd.Interval)


def takes(kind: type) -> bool:
    """Whether `encode` knows this type."""
    return kind in _NUMPY or kind in _OTHERS


def encode(values: Objects, kind: type, where: str) -> Encoded:
    """Turn objects of one type, and missing ones, into Arrow.

    Raises
    ------
    NoArrowType
        They differ in something that a column has once: unit, time zone, frequency.
    """
    present = np.fromiter((type(value) is kind for value in values), dtype=bool, count=len(values))
    if kind in missing_values.FLOATS:
        present &= ~pd.isna(values)
    if kind in _NUMPY:
        return _encode_numpy(values, kind, present)
    encoded: Encoded = _ENCODERS[kind](values, present, where)
    fact = {"of": "boxed", "type": kind.__name__, "column": encoded.fact}
    return Encoded(encoded.array, fact, metadata=encoded.metadata)


def _encode_numpy(values: Objects, kind: type, present: Any) -> Encoded:
    fact = {"of": "boxed", "type": "numpy", "column": kind.__name__}
    if kind is np.str_:
        return Encoded(pa.array(values, pa.string(), from_pandas=True), fact)
    plain: np.ndarray[Any, Any] = np.zeros(len(values), dtype=kind)
    plain[present] = values[present]
    plain = plain.astype(np.float32) if kind is np.float16 else plain
    return Encoded(pa.array(plain, mask=~present), fact)


def _encode_complex(values: Objects, present: Any, where: str) -> Encoded:
    plain = np.zeros(len(values), dtype=np.complex128)
    plain[present] = values[present]
    struct = numpy_columns.encode(plain, where).array
    struct = pa.StructArray.from_arrays(struct.flatten(), names=["re", "im"], mask=pa.array(~present))
    return Encoded(struct, "complex128")


def _encode_uuid(values: Objects, present: Any, where: str) -> Encoded:
    raw = [value.bytes if there else None for value, there in zip(values, present, strict=True)]
    return Encoded(pa.array(raw, pa.binary(16)), "uuid", metadata=extension("arrow.uuid"))


def _one(found: set[Any], what: str) -> Any:
    if len(found) > 1:
        raise NoArrowType(f"values of {len(found)} {what} ({', '.join(sorted(map(str, found))[:3])})")
    return found.pop()


def _zone(zones: dict[int, Any], where: str) -> dict[str, Any] | None:
    """The one zone of all values; pytz has an object for each of a zone's offsets."""
    facts = [None if zone is None else time_zones.to_json(zone, where) for zone in zones.values()]
    if any(fact != facts[0] for fact in facts):
        raise NoArrowType(f"values of several time zones ({', '.join(map(str, list(zones.values())[:3]))})")
    return facts[0]


def _encode_stamps(values: Objects, present: Any, where: str) -> Encoded:
    boxes = values[present]
    unit = _one({value.unit for value in boxes}, "units")
    plain = np.full(len(values), "NaT", dtype=f"M8[{unit}]" if isinstance(boxes[0], pd.Timestamp) else f"m8[{unit}]")
    plain[present] = [value.asm8 for value in boxes]
    encoded = numpy_columns.encode(plain, where)
    if isinstance(boxes[0], pd.Timedelta):
        return encoded
    zone = _zone({id(value.tz): value.tz for value in boxes}, where)
    if zone is not None:
        encoded = zoned_columns.encode_instants(plain, zone)
    if any(value.fold for value in boxes):
        back = _decode_stamps(pa.chunked_array([encoded.array]), encoded.fact, 0)[present]
        if any(old.fold != new.fold for old, new in zip(boxes, back, strict=True)):
            raise NoArrowType("Timestamps with fold=1 at times that are not ambiguous")
    return encoded


def _encode_datetimes(values: Objects, present: Any, where: str) -> Encoded:
    boxes = values[present]
    zone = _zone({id(value.tzinfo): value.tzinfo for value in boxes}, where)
    if zone is None:
        raise NoArrowType("datetimes with fold=1 and no time zone")
    array = pa.array(values, pa.timestamp("us", time_zones.arrow_name(zone)), from_pandas=True)
    encoded = Encoded(array, {"as": "zoned", "unit": "us", "zone": zone})
    back = _decode_datetimes(pa.chunked_array([array]), encoded.fact, 0)[present]
    if any(old != new or old.fold != new.fold or str(old) != str(new) for old, new in zip(boxes, back, strict=True)):
        raise NoArrowType("datetimes at moments that their time zone does not have")
    return encoded


def _decode_datetimes(column: pa.ChunkedArray, fact: Any, offset: int) -> Objects:
    array: Objects = pd.DatetimeIndex(zoned_columns.decode(column, fact, offset)).to_pydatetime()
    return array


def _encode_periods(values: Objects, present: Any, where: str) -> Encoded:
    freq = _one({value.freqstr for value in values[present]}, "frequencies")
    ordinals = np.full(len(values), np.iinfo(np.int64).min, dtype=np.int64)
    ordinals[present] = [value.ordinal for value in values[present]]
    return period_columns.encode(pd.arrays.PeriodArray(ordinals, dtype=pd.PeriodDtype(freq)), where)


def _encode_intervals(values: Objects, present: Any, where: str) -> Encoded:
    closed = _one({value.closed for value in values[present]}, "closed sides")
    sides = []
    for side in ("left", "right"):
        ends = np.full(len(values), None, dtype=object)
        ends[present] = [getattr(value, side) for value in values[present]]
        sides.append(object_columns.encode(ends, where))
    struct = pa.StructArray.from_arrays(
        [side.array for side in sides], names=["left", "right"], mask=pa.array(~present)
    )
    return Encoded(struct, {"closed": closed, "sides": [side.fact for side in sides]})


def _decode_intervals(column: pa.ChunkedArray, fact: Any, offset: int) -> Objects:
    objects = np.full(len(column), None, dtype=object)
    sides = interval_columns.sides(column)
    left, right = (object_columns.decode(*pair, offset) for pair in zip(sides, fact["sides"], strict=True))
    for row in np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False)):
        objects[row] = pd.Interval(left[row], right[row], closed=fact["closed"])
    return objects


def _decode_uuid(column: pa.ChunkedArray, fact: Any, offset: int) -> Objects:
    return _boxed([None if raw is None else uuid.UUID(bytes=raw) for raw in storage_of(column).to_pylist()])


def _boxed(values: Any) -> Objects:
    objects: Objects = np.empty(len(values), dtype=object)
    objects[:] = list(values)
    return objects


def _decode_numpy(column: pa.ChunkedArray, name: str) -> Objects:
    if name == "str_":
        return _boxed([None if text is None else np.str_(text) for text in column.to_pylist()])
    plain = column.fill_null(False if name in ("bool", "bool_") else 0).to_numpy(zero_copy_only=False)
    return _boxed(plain.astype(getattr(np, name)))


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Objects:
    """The objects that `encode` got."""
    if fact["type"] == "numpy":
        return _decode_numpy(column, fact["column"])
    objects: Objects = _DECODERS[fact["type"]](column, fact["column"], offset)
    return objects


def _decode_stamps(column: pa.ChunkedArray, fact: Any, offset: int) -> Objects:
    if isinstance(fact, str):
        plain = numpy_columns.decode(column, fact)
        index: Any = pd.DatetimeIndex(plain) if plain.dtype.kind == "M" else pd.TimedeltaIndex(plain)
    else:
        index = pd.DatetimeIndex(zoned_columns.decode(column, fact, offset))
    return _boxed(index)


_ENCODERS: dict[type, Any] = {
    complex: _encode_complex,
    uuid.UUID: _encode_uuid,
    datetime.datetime: _encode_datetimes,
    pd.Timestamp: _encode_stamps,
    pd.Timedelta: _encode_stamps,
    pd.Period: _encode_periods,
    pd.Interval: _encode_intervals,
}
_DECODERS: dict[str, Any] = {
    "complex": lambda column, fact, offset: numpy_columns.decode(column, fact).astype(object),
    "UUID": _decode_uuid,
    "datetime": _decode_datetimes,
    "Timestamp": _decode_stamps,
    "Timedelta": _decode_stamps,
    "Period": lambda column, fact, offset: period_columns.decode(column, fact, offset).astype(object),
    "Interval": _decode_intervals,
}
