"""Checks of what callers give: each returns the value in its normal form or raises with the fact and the remedy."""

import datetime as dt
import json
import math
import operator
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .errors import InvalidArgument, InvalidArgumentType
from .progress import Progress
from .wording import shortened


def checked_key(key: object) -> str:
    """A key: a non-empty str."""
    if not isinstance(key, str):
        raise InvalidArgumentType(f"a key is a non-empty str, not {type(key).__name__} ({shortened(key)})")
    if not key:
        raise InvalidArgument("a key is a non-empty str; this one is empty")
    if not key.isascii():
        try:
            key.encode()
        except UnicodeEncodeError as error:
            raise InvalidArgument(f"the key {shortened(key)} is not valid Unicode: {error.reason} at {error.start}") from error
    return key


def checked_flag(name: str, value: object) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        raise InvalidArgumentType(f"{name}: give True or False, not {type(value).__name__} ({shortened(value)})")
    return bool(value)


def checked_rows(name: str, value: object) -> int:
    """A number of rows: an integer of at least 0."""
    if isinstance(value, bool):
        raise InvalidArgumentType(f"{name}: give a number of rows as an integer of at least 0, not bool")
    try:
        rows = operator.index(value)  # type: ignore[arg-type]  # refuses with TypeError what is not an integer
    except TypeError:
        raise InvalidArgumentType(
            f"{name}: give a number of rows as an integer of at least 0, not {type(value).__name__} ({shortened(value)})"
        ) from None
    if rows < 0:
        raise InvalidArgument(f"{name}: {rows} is negative; rows count from 0")
    return min(rows, 2**63 - 1)


def checked_ttl(ttl: object) -> float | None:
    """Seconds to live: a finite number above 0, a timedelta, or None for ever."""
    seconds = _seconds("ttl", ttl, "None for ever")
    if seconds is not None and math.isinf(seconds):
        raise InvalidArgument(f"ttl: {seconds:g} is not allowed; give seconds above 0, or None for ever")
    return seconds


def checked_timeout(timeout: object, default: float | None) -> float | None:
    """Seconds that a query may take, None for as long as it takes: `default` where nothing is given."""
    seconds = _seconds("timeout", timeout, "math.inf for no limit")
    if seconds is None:
        return default
    return None if math.isinf(seconds) else seconds


def _seconds(name: str, value: object, otherwise: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, dt.timedelta):
        value = value.total_seconds()
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        raise InvalidArgumentType(f"{name}: give seconds above 0, a timedelta, or {otherwise}, not {type(value).__name__} ({shortened(value)})")
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidArgumentType(f"{name}: {shortened(value)} is no number of seconds: {error}") from error
    if math.isnan(seconds) or seconds <= 0:
        raise InvalidArgument(f"{name}: {seconds:g} is not allowed; give seconds above 0, or {otherwise}")
    return seconds


def checked_columns(columns: object) -> list[Any] | None:
    """Labels of columns, each once, or None for all."""
    if columns is None:
        return None
    if isinstance(columns, str | bytes):
        raise InvalidArgumentType(f"columns: give a list of names, [{columns!r}] for one, not {type(columns).__name__}")
    if isinstance(columns, Mapping | set | frozenset) or not isinstance(columns, Iterable):
        raise InvalidArgumentType(f"columns: give a list of names, not {type(columns).__name__}")
    labels = list(columns)
    try:
        counts = Counter(labels)
    except TypeError as error:
        raise InvalidArgumentType(f"columns: a name is a str, or a label of a pandas frame: {error}") from None
    label, count = max(counts.items(), key=lambda item: item[1], default=(None, 0))
    if count > 1:
        raise InvalidArgument(f"columns: {shortened(label)} is named {count} times; name each column once")
    return labels


def metadata_text(metadata: object) -> tuple[str, bool]:
    """The user's metadata as JSON text, and whether reading that text gives the same values back."""
    if metadata is None:
        return "{}", True
    if not isinstance(metadata, Mapping):
        raise InvalidArgumentType(f"metadata: give a mapping of names to values, not {type(metadata).__name__}")
    try:
        text = json.dumps(metadata, allow_nan=False)
        if json.loads(text) == metadata:
            text.encode()
            return text, True
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return json.dumps(_rendered(metadata)), False
    except RecursionError:
        raise InvalidArgument("metadata: nested too deep, or it holds itself") from None


def _rendered(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case Mapping():
            return {str(name): _rendered(item) for name, item in value.items()}
        case list() | tuple():
            return [_rendered(item) for item in value]
        case int() | str() if type(value) in (int, str):
            return value
        case float() if math.isfinite(value):
            return float(value)
    return str(value)


def checked_progress(progress: object) -> Progress:
    """Whether to show a bar, or a function to call with the share that is done."""
    if isinstance(progress, bool | np.bool_):
        return bool(progress)
    if callable(progress):
        return progress
    raise InvalidArgumentType(
        f"progress: give True, False, or a function that takes the share that is done, not {type(progress).__name__} ({shortened(progress)})"
    )
