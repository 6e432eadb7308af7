"""Python values that have an Arrow type of their own: the type that holds all of a column's, and the way back.

Each kind is exact: what its Arrow type cannot hold (a number too long, an odd time zone) is not given a type, and the
caller falls back or refuses.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

__all__ = ["KINDS", "Kind", "NoArrowType", "Objects", "exponents"]

_SAMPLE_ROWS = 4096
Objects: TypeAlias = np.ndarray[Any, np.dtype[np.object_]]


class NoArrowType(Exception):
    """These values, all of one Python type, have no Arrow type that would hold them exactly; says why."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How values of one Python type are kept.

    Attributes
    ----------
    name : str
        Its name in facts.
    arrow_type : pyarrow.DataType or callable
        The Arrow type for all values of this kind, or for these ones (none of them missing).
    objects : callable
        The Python values of an Arrow column; what stands at its nulls is undefined.
    """

    name: str
    arrow_type: pa.DataType | Callable[[Sequence[Any]], pa.DataType]
    objects: Callable[[pa.ChunkedArray], Objects]

    def type_of(self, values: Iterable[Any]) -> pa.DataType:
        """The Arrow type that holds these values exactly; raises `NoArrowType`."""
        return self.arrow_type(list(values)) if callable(self.arrow_type) else self.arrow_type


def _as_objects(column: pa.ChunkedArray) -> Objects:
    values: Objects = column.to_numpy(zero_copy_only=False).astype(object, copy=False)
    return values


def _text_objects(column: pa.ChunkedArray) -> Objects:
    """The texts, one object for equal ones where that saves making most of them."""
    rows = len(column)
    if rows >= _SAMPLE_ROWS * 4:
        sample = column.take(pa.array(np.linspace(0, rows - 1, _SAMPLE_ROWS).astype(np.int64)))
        repeated = _SAMPLE_ROWS - len(sample.unique())
        if repeated * rows > 5 * _SAMPLE_ROWS**2:  # fewer than one distinct text in ten rows, by the birthday rule
            series = column.to_pandas()
            if series.dtype == object:  # pandas 2: pyarrow shares them itself
                objects: Objects = series.to_numpy()
                return objects
            shared = [_shared_texts(chunk) for chunk in column.chunks]
            return shared[0] if len(shared) == 1 else np.concatenate(shared)
    return _as_objects(column)


def _shared_texts(chunk: pa.Array) -> Objects:
    encoded = chunk.dictionary_encode()
    texts: Objects = encoded.dictionary.to_numpy(zero_copy_only=False)
    shared: Objects = (
        texts[encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)] if len(texts) else _as_objects(chunk)
    )
    return shared


def _number_objects(column: pa.ChunkedArray) -> Objects:
    if pa.types.is_decimal(column.type):
        return np.array([None if value is None else int(value) for value in column.to_pylist()], dtype=object)
    return _as_objects(column.fill_null(0) if column.null_count else column)


def _integer_type(values: Sequence[int]) -> pa.DataType:
    low, high = min(values), max(values)
    if -(2**63) <= low and high < 2**63:
        return pa.int64()
    if low >= 0 and high < 2**64:
        return pa.uint64()
    if max(-low, high) < 10**38:
        return pa.decimal128(38, 0)
    raise NoArrowType(f"an integer of more than 38 digits: {max(-low, high):.3e}")


def exponents(values: Iterable[decimal.Decimal]) -> tuple[list[int], int]:
    """How many digits each Decimal has after the point, and the most that one has before it; raises `NoArrowType`."""
    scales, whole = [], 1
    for value in values:
        sign, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int) or exponent > 0 or (sign and not any(digits)):
            raise NoArrowType(f"{value!r}, which a fixed-point number cannot say")
        scales.append(-exponent)
        whole = max(whole, len(digits) + exponent)
    return scales, whole


def _decimal_type(values: Sequence[decimal.Decimal]) -> pa.DataType:
    scales, whole = exponents(values)
    scale = max(scales)
    if whole + scale > 38:
        raise NoArrowType(f"a Decimal of more than 38 digits ({whole} before the point, {scale} after it)")
    if min(scales) != scale:
        raise NoArrowType(f"Decimals written with {min(scales)} to {scale} digits after the point")
    return pa.decimal128(whole + scale, scale)


def _plain_times(values: Sequence[Any]) -> None:
    if any(value.tzinfo is not None for value in values):
        raise NoArrowType("a time zone at each value")
    if any(value.fold for value in values):
        raise NoArrowType("a time with fold=1")


def _time_type(values: Sequence[datetime.time]) -> pa.DataType:
    _plain_times(values)
    return pa.time64("us")


def _datetime_type(values: Sequence[datetime.datetime]) -> pa.DataType:
    _plain_times(values)
    return pa.timestamp("us")


def _timedelta_type(values: Sequence[datetime.timedelta]) -> pa.DataType:
    if max(abs(value.days) for value in values) > 106_000_000:
        raise NoArrowType("a timedelta beyond 106 million days")
    return pa.duration("us")


#: By exact type: a subclass has its own behaviour, which would be lost.
KINDS: dict[type, Kind] = {
    str: Kind("str", pa.string(), _text_objects),
    bytes: Kind("bytes", pa.binary(), _as_objects),
    bool: Kind("bool", pa.bool_(), _as_objects),
    int: Kind("int", _integer_type, _number_objects),
    float: Kind("float", pa.float64(), _as_objects),
    decimal.Decimal: Kind("Decimal", _decimal_type, _as_objects),
    datetime.date: Kind("date", pa.date32(), _as_objects),
    datetime.time: Kind("time", _time_type, _as_objects),
    datetime.datetime: Kind("datetime", _datetime_type, _as_objects),
    datetime.timedelta: Kind("timedelta", _timedelta_type, _as_objects),
}
