"""The Arrow type of a column of Python values, where the source tells none: widened as values ask for it, never changed."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from ..errors import UnsupportedTypeError

__all__ = ["UnfitValues", "column_array", "common_type"]

_MOST_DIGITS = 76
_INT64_DIGITS = 19


class UnfitValues(UnsupportedTypeError):
    """Values that have no Arrow type in common; the message says which, without the column's name."""


def column_array(values: Sequence[Any]) -> Any:
    """Values of one column as an Arrow array, or a chunked one where they are too many bytes for one.

    Parameters
    ----------
    values : sequence
        What a database driver gave; None is missing.

    Raises
    ------
    UnfitValues
        There is no type that holds all of them unchanged.

    Examples
    --------
    >>> column_array([1, None, 2.5]).type
    DataType(double)
    """
    kind = _type_of(values)
    try:
        if _is_uuid(kind):
            storage = pa.array([None if value is None else value.bytes for value in values], pa.binary(16))
            return pa.ExtensionArray.from_storage(kind, storage)
        return pa.array(values, kind)
    except (pa.ArrowException, OverflowError, ValueError, TypeError) as error:
        raise UnfitValues(f"values that don't fit into {kind} ({error})") from error


def common_type(first: pa.DataType, second: pa.DataType) -> pa.DataType:
    """The narrowest type that holds the values of both unchanged.

    Raises
    ------
    UnfitValues
        There is none.
    """
    if first.equals(second) or pa.types.is_null(second):
        return first
    if pa.types.is_null(first):
        return second
    merged = _merged(first, second) or _merged(second, first)
    if merged is None:
        raise UnfitValues(f"values of both {first} and {second}")
    return merged


def _merged(first: pa.DataType, second: pa.DataType) -> pa.DataType | None:
    types = pa.types
    if types.is_int64(first) and types.is_float64(second):
        return second
    if types.is_int64(first) and types.is_decimal(second):
        return _decimal(max(second.precision - second.scale, _INT64_DIGITS), second.scale)
    if types.is_decimal(first) and types.is_decimal(second):
        return _decimal(max(first.precision - first.scale, second.precision - second.scale), max(first.scale, second.scale))
    if types.is_timestamp(first) and types.is_timestamp(second) and first.tz and second.tz:
        return pa.timestamp("us", "UTC")
    if types.is_list(first) and types.is_list(second):
        return pa.list_(common_type(first.value_type, second.value_type))
    return None


def _type_of(values: Sequence[Any]) -> pa.DataType:
    found = pa.null()
    classes = set(map(type, values)) - {type(None)}
    for cls in sorted(classes, key=lambda cls: cls.__name__):
        same = [value for value in values if type(value) is cls]
        found = common_type(found, _rule_of(cls)(same))
    return found


def _rule_of(cls: type) -> Callable[[list[Any]], pa.DataType]:
    for known, rule in _RULES:
        if issubclass(cls, known):
            return rule
    raise UnfitValues(f"values of {cls.__module__}.{cls.__qualname__}, which has no Arrow type")


def _integers(values: list[Any]) -> pa.DataType:
    low, high = min(values), max(values)
    if -(2**63) <= low and high < 2**63:
        return pa.int64()
    return _decimal(max(len(str(abs(low))), len(str(abs(high)))), 0)


def _decimals(values: list[decimal.Decimal]) -> pa.DataType:
    whole = scale = 0
    for value in values:
        parts = value.as_tuple()
        if not isinstance(parts.exponent, int):
            raise UnfitValues(f"the decimal {value}, which Arrow's decimals lack (double precision has it)")
        scale = max(scale, -parts.exponent)
        if value:
            whole = max(whole, value.adjusted() + 1)
    return _decimal(whole, scale)


def _decimal(whole: int, scale: int) -> pa.DataType:
    digits = max(whole + scale, 1)
    if digits > _MOST_DIGITS:
        raise UnfitValues(f"decimals of {digits} digits, of which Arrow has {_MOST_DIGITS} at most")
    return pa.decimal128(digits, scale) if digits <= 38 else pa.decimal256(digits, scale)


def _datetimes(values: list[dt.datetime]) -> pa.DataType:
    zones = {None if value.tzinfo is None else _zone_name(value.tzinfo) for value in values}
    if zones == {None}:
        return pa.timestamp("us")
    if None in zones:
        raise UnfitValues("points in time both with and without a time zone")
    return pa.timestamp("us", zones.pop() if len(zones) == 1 else "UTC")


def _zone_name(zone: dt.tzinfo) -> str:
    return str(getattr(zone, "key", None) or "UTC")


def _times(values: list[dt.time]) -> pa.DataType:
    if any(value.tzinfo is not None for value in values):
        raise UnfitValues("times of day with a time zone, for which Arrow has no type")
    return pa.time64("us")


def _lists(values: list[Any]) -> pa.DataType:
    inner = _type_of([item for value in values for item in value])
    if _is_uuid(inner):
        raise UnfitValues("lists of UUIDs")
    return pa.list_(inner)


def _uuids(_: list[Any]) -> pa.DataType:
    if not hasattr(pa, "uuid"):
        raise UnfitValues("UUIDs, for which pyarrow has a type from version 18 on")
    return pa.uuid()


def _is_uuid(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.uuid"


#: Classes and what makes their type; a subclass comes before its base.
_RULES: list[tuple[type | tuple[type, ...], Callable[[list[Any]], pa.DataType]]] = [
    (bool, lambda _: pa.bool_()),
    (int, _integers),
    (float, lambda _: pa.float64()),
    (str, lambda _: pa.string()),
    ((bytes, bytearray, memoryview), lambda _: pa.binary()),
    (decimal.Decimal, _decimals),
    (dt.datetime, _datetimes),
    (dt.date, lambda _: pa.date32()),
    (dt.time, _times),
    (dt.timedelta, lambda _: pa.duration("us")),
    (uuid.UUID, _uuids),
    ((list, tuple), _lists),
]
