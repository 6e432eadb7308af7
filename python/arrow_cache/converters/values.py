"""Single Python values as JSON and back: labels, names, fill values, ``attrs``.

JSON has text, numbers, booleans and null. Everything else is an object ``{"$": kind, "v": ...}``, so that a value
comes back with its own type: a tuple is no list, ``numpy.int64(1)`` is no ``1``.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import math
import uuid
from typing import Any

import numpy as np
import pandas as pd

from ..errors import UnsupportedTypeError
from . import time_zones

__all__ = ["from_json", "to_json"]

_CONTAINERS: dict[type, str] = {tuple: "tuple", set: "set", frozenset: "frozenset"}
_BUILD: dict[str, Any] = {"tuple": tuple, "set": set, "frozenset": frozenset}


def to_json(value: Any, where: str) -> Any:
    """Turn ``value`` into JSON.

    Parameters
    ----------
    value : object
        A scalar of Python, numpy or pandas, a numpy array, or a container of such.
    where : str
        What the value is, for the message: ``"df.attrs['x']"``.

    Raises
    ------
    UnsupportedTypeError
        A value has no form here that would bring it back as it was.
    """
    kind = type(value)
    if value is None or kind in (str, bool, int):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$": "float", "v": repr(value)}
    if kind is list:
        return [to_json(item, where) for item in value]
    if kind in _CONTAINERS:
        return {"$": _CONTAINERS[kind], "v": [to_json(item, where) for item in value]}
    if kind is dict:
        if "$" not in value and all(type(key) is str for key in value):
            return {key: to_json(item, f"{where}[{key!r}]") for key, item in value.items()}
        return {"$": "dict", "v": [[to_json(key, where), to_json(item, where)] for key, item in value.items()]}
    if value is pd.NaT or value is pd.NA:
        return {"$": "NaT" if value is pd.NaT else "NA"}
    tagged = _python(value, kind) or _pandas(value, kind, where) or _numpy(value)
    if tagged is None:
        name = f"{kind.__module__}.{kind.__qualname__}"
        raise UnsupportedTypeError(
            f"{where} is a {name}, which cannot be stored so that it comes back as it was: "
            f"remove it, or put text, numbers, dates, lists, dicts or numpy arrays there"
        )
    return tagged


def _python(value: Any, kind: type) -> dict[str, Any] | None:
    if kind is bytes:
        return {"$": "bytes", "v": base64.b64encode(value).decode()}
    if kind is complex:
        return {"$": "complex", "v": [repr(value.real), repr(value.imag)]}
    if kind is decimal.Decimal:
        return {"$": "Decimal", "v": str(value)}
    if kind is uuid.UUID:
        return {"$": "UUID", "v": value.hex}
    if kind is datetime.timedelta:
        return {"$": "timedelta", "v": [value.days, value.seconds, value.microseconds]}
    if kind is datetime.date:
        return {"$": "date", "v": value.isoformat()}
    if kind in (datetime.datetime, datetime.time):
        zone = None if value.tzinfo is None else time_zones.to_json(value.tzinfo, "a time zone")
        text = value.replace(tzinfo=None).isoformat()
        return {"$": kind.__name__, "v": text, "zone": zone, "fold": value.fold}
    return None


def _pandas(value: Any, kind: type, where: str) -> dict[str, Any] | None:
    if kind is pd.Timestamp:
        zone = None if value.tz is None else time_zones.to_json(value.tz, where)
        return {"$": "Timestamp", "v": int(value.asm8.view("i8")), "unit": value.unit, "zone": zone, "fold": value.fold}
    if kind is pd.Timedelta:
        return {"$": "Timedelta", "v": int(value.asm8.view("i8")), "unit": value.unit}
    if kind is pd.Period:
        return {"$": "Period", "v": value.ordinal, "freq": value.freqstr}
    if kind is pd.Interval:
        ends = [to_json(value.left, where), to_json(value.right, where)]
        return {"$": "Interval", "v": ends, "closed": value.closed}
    return None


def _numpy(value: Any) -> dict[str, Any] | None:
    plain = (np.bool_, np.integer, np.floating, np.complexfloating, np.datetime64, np.timedelta64)
    if type(value) is np.str_:
        return {"$": "str_", "v": str(value)}
    if isinstance(value, plain) or (type(value) is np.ndarray and value.dtype.kind in "biufcmMU"):
        array = np.ascontiguousarray(value)
        data = base64.b64encode(array.tobytes()).decode()
        shape = None if isinstance(value, np.generic) else list(value.shape)
        return {"$": "numpy", "v": data, "dtype": array.dtype.str, "shape": shape}
    return None


def from_json(data: Any) -> Any:
    """The value that `to_json` turned into ``data``."""
    if isinstance(data, list):
        return [from_json(item) for item in data]
    if not isinstance(data, dict):
        return data
    kind = data.get("$")
    if kind is None:
        return {key: from_json(item) for key, item in data.items()}
    return _READERS[kind](data)


def _read_datetime(data: dict[str, Any]) -> datetime.datetime:
    naive = datetime.datetime.fromisoformat(data["v"]).replace(fold=data["fold"])
    return naive.replace(tzinfo=None if data["zone"] is None else time_zones.from_json(data["zone"]))


def _read_time(data: dict[str, Any]) -> datetime.time:
    naive = datetime.time.fromisoformat(data["v"]).replace(fold=data["fold"])
    return naive.replace(tzinfo=None if data["zone"] is None else time_zones.from_json(data["zone"]))


def _read_timestamp(data: dict[str, Any]) -> Any:
    stamp: Any = pd.Timestamp(np.datetime64(data["v"], data["unit"]))
    if data["zone"] is not None:
        stamp = stamp.tz_localize("UTC").tz_convert(time_zones.from_json(data["zone"]))
    return stamp if stamp.fold == data["fold"] else stamp.replace(fold=data["fold"])


def _interval(ends: list[Any], closed: Any) -> Any:
    return pd.Interval(ends[0], ends[1], closed=closed)


def _read_numpy(data: dict[str, Any]) -> Any:
    array = np.frombuffer(base64.b64decode(data["v"]), dtype=data["dtype"]).copy()
    return array[0] if data["shape"] is None else array.reshape(data["shape"])


_READERS: dict[str, Any] = {
    **{name: lambda data, build=build: build(from_json(data["v"])) for name, build in _BUILD.items()},
    "float": lambda data: float(data["v"]),
    "dict": lambda data: {from_json(key): from_json(item) for key, item in data["v"]},
    "NaT": lambda data: pd.NaT,
    "NA": lambda data: pd.NA,
    "bytes": lambda data: base64.b64decode(data["v"]),
    "complex": lambda data: complex(float(data["v"][0]), float(data["v"][1])),
    "Decimal": lambda data: decimal.Decimal(data["v"]),
    "UUID": lambda data: uuid.UUID(hex=data["v"]),
    "timedelta": lambda data: datetime.timedelta(*data["v"]),
    "date": lambda data: datetime.date.fromisoformat(data["v"]),
    "datetime": _read_datetime,
    "time": _read_time,
    "Timestamp": _read_timestamp,
    "Timedelta": lambda data: pd.Timedelta(np.timedelta64(data["v"], data["unit"])),
    "Period": lambda data: pd.Period(ordinal=data["v"], freq=data["freq"]),
    "Interval": lambda data: _interval(from_json(data["v"]), data["closed"]),
    "str_": lambda data: np.str_(data["v"]),
    "numpy": _read_numpy,
}
