"""Values for the parameters of SQL: from Python, numpy and pandas to the tagged form that the engine takes."""

import datetime as dt
import decimal
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .errors import InvalidArgument, InvalidArgumentType
from .parameter_lists import NULL, Tagged, unified
from .wording import shortened

TaggedParameters = list[Tagged] | dict[str, Tagged] | None

#: Levels of lists and dicts in one value at most.
DEEPEST = 32
_EPOCH = dt.datetime(1970, 1, 1)
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
_DATE_UNITS = ("Y", "M", "W", "D")
_MICROSECOND = dt.timedelta(microseconds=1)
_TAKEN = (
    "None, bool, int, float, str, bytes, date, time, datetime, timedelta, Decimal, UUID, their numpy and pandas forms, "
    "and lists, tuples and dicts of them"
)


def tag_parameters(parameters: object) -> TaggedParameters:
    """The parameters of a query in the engine's form.

    Parameters
    ----------
    parameters : sequence, mapping or None
        Values for ``?`` and ``$1`` by position, or for ``$name`` by name.

    Raises
    ------
    InvalidArgumentType, InvalidArgument
        For what is neither, and for a value that DuckDB has no type for; the message has its position or name.
    """
    if parameters is None:
        return None
    if isinstance(parameters, Mapping):
        for name in parameters:
            if not isinstance(name, str) or not name:
                raise InvalidArgumentType(f"parameters: the names of a mapping are non-empty str ($name in the SQL), not {shortened(name)}")
        return {str(name): tag(value, f"parameter ${name}") for name, value in parameters.items()}
    if isinstance(parameters, np.ndarray):
        parameters = list(parameters)
    if isinstance(parameters, str | bytes | bytearray | memoryview) or not isinstance(parameters, Sequence):
        raise InvalidArgumentType(
            "parameters: give a list or tuple for ? and $1, or a mapping for $name, "
            f"not {type(parameters).__name__}; one value is a list of one"
        )
    return [tag(value, f"parameter {position}") for position, value in enumerate(parameters, start=1)]


def tag(value: object, where: str, depth: int = 0) -> Tagged:
    """One value in the engine's form; `where` says in errors which one it is."""
    if depth > DEEPEST:
        raise InvalidArgument(f"{where[:80]}…: nested more than {DEEPEST} levels deep")
    try:
        return _tagged(value, where, depth)
    except (OverflowError, pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta) as error:
        raise InvalidArgument(f"{where}: {shortened(value)} is beyond what DuckDB holds: {error}") from error


def _tagged(value: object, where: str, depth: int) -> Tagged:
    match value:
        case None:
            return NULL
        case bool() | np.bool_():
            return ("bool", bool(value))
        case np.datetime64() | np.timedelta64():
            return NULL if np.isnat(value) else _numpy_time(value, where, depth)
        case int() | np.integer():
            return _integer(int(value), where)
        case float() | np.floating():
            return ("double", float(value))
        case str():
            return _text(str.__str__(value), where)
        case bytes() | bytearray() | memoryview():
            return ("blob", bytes(value))
        case decimal.Decimal():
            return _decimal(value, where)
        case uuid.UUID():
            return ("uuid", str(value))
        case list() | tuple() | np.ndarray():
            return _list(value, where, depth + 1)
        case Mapping():
            return _struct(value, where, depth + 1)
        case _ if value is pd.NaT or value is pd.NA:
            return NULL
        case pd.Timestamp():
            return _timestamp(value)
        case dt.datetime():
            zone_free = value if value.tzinfo is None else value.astimezone(dt.UTC).replace(tzinfo=None)
            return ("timestamp" if value.tzinfo is None else "timestamptz", (zone_free - _EPOCH) // _MICROSECOND)
        case dt.date():
            return ("date", value.toordinal() - _EPOCH_DAY)
        case dt.time():
            return _time(value, where)
        case pd.Timedelta():
            return _interval(_ticks(value.as_unit("us")))
        case dt.timedelta():
            return _interval(value // _MICROSECOND)
    raise InvalidArgumentType(f"{where}: {type(value).__name__} can't be bound; what can: {_TAKEN}")


def _integer(value: int, where: str) -> Tagged:
    if -(2**63) <= value < 2**63:
        return ("int", value)
    if 0 <= value < 2**64:
        return ("ubigint", str(value))
    if -(2**127) <= value < 2**127:
        return ("hugeint", str(value))
    raise InvalidArgument(f"{where}: an integer of {value.bit_length()} bits is beyond HUGEINT's 127 and a sign; pass it as text or float")


def _text(value: str, where: str) -> Tagged:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"{where}: the text is not valid Unicode ({error.reason} at {error.start})") from error
    return ("text", value)


def _decimal(value: decimal.Decimal, where: str) -> Tagged:
    if not value.is_finite():
        raise InvalidArgument(f"{where}: Decimal {value} has no DuckDB form; pass float('{str(value).lower()}')")
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    unscaled = "".join(map(str, digits)).lstrip("0") + "0" * max(exponent, 0)
    scale = max(-exponent, 0)
    width = max(len(unscaled), scale, 1)
    if width > 38:
        raise InvalidArgument(f"{where}: a Decimal of {width} digits is beyond DuckDB's 38; round it, or pass it as float or text")
    return ("decimal", (("-" if sign else "") + (unscaled or "0"), width, scale))


def _timestamp(value: pd.Timestamp) -> Tagged:
    if value.tzinfo is not None:
        return ("timestamptz", _ticks(value.as_unit("us", round_ok=True)))
    if value.unit == "ns" and value.nanosecond:
        return ("timestamp_ns", _ticks(value))
    return ("timestamp", _ticks(value.as_unit("us")))


def _ticks(value: pd.Timestamp | pd.Timedelta) -> int:
    """The count that pandas keeps, in the unit of the value; ``value.value`` would be nanoseconds and overflow."""
    return int(value.asm8.view("i8"))


def _time(value: dt.time, where: str) -> Tagged:
    if value.tzinfo is not None:
        raise InvalidArgument(f"{where}: a time with a zone can't be bound; pass text and write CAST(? AS TIMETZ)")
    return ("time", ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond)


def _interval(microseconds: int) -> Tagged:
    days, rest = divmod(abs(microseconds), 86_400_000_000)
    if days >= 2**31:
        raise OverflowError(f"an interval of {days} days")
    return ("interval", (0, days, rest) if microseconds >= 0 else (0, -days, -rest))


def _numpy_time(value: np.datetime64 | np.timedelta64, where: str, depth: int) -> Tagged:
    if isinstance(value, np.datetime64) and not np.isnat(value) and np.datetime_data(value)[0] in _DATE_UNITS:
        return _numpy_date(value, where)
    try:
        moment = pd.Timestamp(value) if isinstance(value, np.datetime64) else pd.Timedelta(value)
    except ValueError as error:
        raise InvalidArgument(f"{where}: {shortened(value)} can't be bound: {error}") from error
    return tag(moment, where, depth)


def _numpy_date(value: np.datetime64, where: str) -> Tagged:
    # Numpy converts years, months and weeks to days without a look at whether they fit.
    days = int(value.astype("M8[D]").view("i8")) if abs(int(value.view("i8"))) < 2**31 else 2**31
    if not -(2**31) + 2 <= days < 2**31 - 1:  # beside DuckDB's infinities
        raise InvalidArgument(f"{where}: {shortened(value)} is beyond what DuckDB holds: dates of the years -5877641 to 5881580")
    return ("date", days)


def _struct(value: Mapping[Any, object], where: str, depth: int) -> Tagged:
    if not value:
        raise InvalidArgument(f"{where}: an empty dict has no DuckDB type; pass None")
    for name in value:
        if not isinstance(name, str):
            raise InvalidArgumentType(f"{where}: the names of a dict (a STRUCT) are str, not {shortened(name)}")
    return ("struct", [(str(name), tag(item, f"{where}[{name!r}]", depth)) for name, item in value.items()])


def _list(value: Sequence[object] | np.ndarray[Any, Any], where: str, depth: int) -> Tagged:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return tag(value[()], where, depth)
    return ("list", unified([tag(item, f"{where}[{index}]", depth) for index, item in enumerate(value)], where))
