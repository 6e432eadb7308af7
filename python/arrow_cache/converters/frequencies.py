"""Frequencies of date and time indexes as JSON and back."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pandas.tseries import offsets
from pandas.tseries.frequencies import to_offset

from ..errors import UnsupportedTypeError
from . import values

__all__ = ["from_json", "set_frequency", "to_json"]


def to_json(freq: Any, where: str) -> Any:
    """What `from_json` needs to make ``freq`` again: its text, or its class and arguments where the text says too little.

    Raises
    ------
    UnsupportedTypeError
        Neither brings it back, for example a business day over a calendar object.
    """
    if freq is None:
        return None
    for describe in (_text, _arguments):
        fact = describe(freq, where)
        try:
            if from_json(fact) == freq:
                return fact
        except (TypeError, ValueError, AttributeError):
            continue
    raise UnsupportedTypeError(
        f"{where} has the frequency {freq!r}, which cannot be stored: drop it with index.freq = None"
    )


def _text(freq: Any, where: str) -> Any:
    return freq.freqstr


def _arguments(freq: Any, where: str) -> Any:
    arguments = {name: item for name, item in freq.kwds.items() if name != "calendar"}
    return {
        "class": type(freq).__name__,
        "n": freq.n,
        "normalize": freq.normalize,
        "arguments": values.to_json(arguments, f"the frequency of {where}"),
    }


def from_json(fact: Any) -> Any:
    """The frequency that `to_json` described."""
    if fact is None or isinstance(fact, str):
        return None if fact is None else to_offset(fact)
    offset_class = getattr(offsets, fact["class"])
    return offset_class(fact["n"], normalize=fact["normalize"], **values.from_json(fact["arguments"]))


def set_frequency(index: Any, freq: Any) -> Any:
    """Set a frequency that the values are known to have: pandas' own setter would generate all of them to compare.

    pandas keeps it at the index since 3.1, at the index's array before.
    """
    if freq is None or not isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        return index
    unchecked: Any = index
    holder: Any = unchecked if hasattr(type(index), "_freq") else unchecked._data
    holder._freq = freq
    if unchecked.freq != freq:
        unchecked.freq = freq
    return index
