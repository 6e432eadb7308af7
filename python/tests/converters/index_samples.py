"""Indexes of rows and labels of columns of every kind, by name; as `samples`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

INDEXES: dict[str, Callable[[], Any]] = {
    "range": lambda: pd.RangeIndex(5),
    "range with step and name": lambda: pd.RangeIndex(10, 0, -2, name="r"),
    "int": lambda: pd.Index([5, 3, 1, 2, 4]),
    "int8": lambda: pd.Index([5, 3, 1, 2, 4], dtype="int8"),
    "uint64": lambda: pd.Index([5, 3, 1, 2, 2**64 - 1], dtype="uint64"),
    "float with NaN": lambda: pd.Index([1, np.nan, 2, 3, 4.5]),
    "bool": lambda: pd.Index([True, False, True, True, False]),
    "complex": lambda: pd.Index([1j, 2, 3, 4, 5]),
    "duplicates": lambda: pd.Index([1, 1, 1, 2, 2], name="k"),
    "str": lambda: pd.Index(list("abcde")),
    "str named": lambda: pd.Index(list("abcde"), name="k"),
    "object str": lambda: pd.Index(list("abcde"), dtype=object),
    "object with None": lambda: pd.Index(["a", None, "c", "d", "e"], dtype=object),
    "bytes": lambda: pd.Index([b"a", b"b", b"c", b"d", b"e"], dtype=object),
    "date": lambda: pd.Index([dt.date(2020, 1, day) for day in range(1, 6)], dtype=object),
    "tuples": lambda: pd.Index([(1, 2), (3,), (), (4,), (5,)], tupleize_cols=False, dtype=object),
    "named by a number": lambda: pd.Index([1, 2, 3, 4, 5], name=7),
    "named by a tuple": lambda: pd.Index([1, 2, 3, 4, 5], name=("a", 1)),
    "named like a column": lambda: pd.Index([1, 2, 3, 4, 5], name="number"),
    "named like SQL's own": lambda: pd.Index([1, 2, 3, 4, 5], name="__index_level_0__"),
    "string": lambda: pd.Index(list("abcde"), dtype="string"),
    "Int64": lambda: pd.Index([1, None, 2, 3, 4], dtype="Int64"),
    "int8[pyarrow]": lambda: pd.Index([1, 2, None, 4, 5], dtype="int8[pyarrow]"),
    "datetime": lambda: pd.DatetimeIndex(["2020-01-05", "2020-01-01", None, "2020-01-02", "2020-01-02"]),
    "datetime daily": lambda: pd.date_range("2020", periods=5, freq="D"),
    "datetime hourly with zone": lambda: pd.date_range("2020-03-29", periods=5, freq="h", tz="Europe/Paris", name="t"),
    "datetime business month end": lambda: pd.date_range("2020", periods=5, freq="BME"),
    "datetime by DateOffset": lambda: pd.date_range("2020", periods=5, freq=pd.DateOffset(months=1, days=1)),
    "datetime by custom business days": lambda: pd.date_range(
        "2020", periods=5, freq=pd.offsets.CustomBusinessDay(holidays=["2020-01-03"])
    ),
    "timedelta": lambda: pd.TimedeltaIndex([1, 3, None, 2, 2], dtype="m8[ns]"),
    "timedelta by seconds": lambda: pd.timedelta_range("1s", periods=5, freq="s"),
    "period": lambda: pd.period_range("2020", periods=5, freq="Q"),
    "category": lambda: pd.CategoricalIndex(list("abaca"), categories=list("cab"), ordered=True, name="c"),
    "interval": lambda: pd.IntervalIndex.from_breaks(range(6), closed="left", name="i"),
    "interval of datetimes": lambda: pd.interval_range(pd.Timestamp("2020", tz="UTC"), periods=5),
    "multi": lambda: pd.MultiIndex.from_product([["a", "b", "c"], [1, 2]], names=["x", None])[:5],
    "multi unused levels": lambda: pd.MultiIndex.from_product([["a", "b", "c"], [1, 2]])[[0, 1, 0, 1, 0]],
    "multi with missing": lambda: pd.MultiIndex.from_arrays(
        [["a", None, "b", "a", "c"], pd.date_range("2020", periods=5, tz="UTC")]
    ),
    "multi same names": lambda: pd.MultiIndex.from_arrays([list("abcde"), [1.5, 2.5, 3.5, 4.5, 5.5]], names=["n", "n"]),
    "multi of category and interval": lambda: pd.MultiIndex.from_arrays(
        [pd.Categorical(list("abcab")), pd.interval_range(0, 5)], names=["number", 3]
    ),
    "multi of three": lambda: pd.MultiIndex.from_arrays(
        [pd.period_range("2020", periods=5, freq="M"), pd.timedelta_range("1D", periods=5), [True, False] * 2 + [True]]
    ),
}

LABELS: dict[str, Callable[[], Any]] = {
    "int": lambda: pd.Index([1, 2, 3]),
    "range": lambda: pd.RangeIndex(3),
    "range with step": lambda: pd.RangeIndex(5, 11, 2, name="q"),
    "float": lambda: pd.Index([0.5, np.nan, 2]),
    "bool": lambda: pd.Index([True, False, True]),
    "duplicates": lambda: pd.Index(["a", "a", "b"]),
    "duplicates of made names": lambda: pd.Index(["a", "a_1", "a"]),
    "mixed": lambda: pd.Index(["a", 1, None], dtype=object),
    "int and its text": lambda: pd.Index([1, "1", "1_1"], dtype=object),
    "object str": lambda: pd.Index(["a", "b", "c"], dtype=object),
    "string": lambda: pd.Index(["a", "b", "c"], dtype="string"),
    "named": lambda: pd.Index(["a", "b", "c"], name="names"),
    "named by a number": lambda: pd.Index(["a", "b", "c"], dtype=object, name=5),
    "empty and odd text": lambda: pd.Index(["", "a\0b", 'é "x"']),
    "half a surrogate": lambda: pd.Index(["\ud800", "b", "c"], dtype=object),
    "case": lambda: pd.Index(["A", "a", "A_1"]),
    "bytes": lambda: pd.Index([b"a", b"b", b"c"], dtype=object),
    "dates": lambda: pd.Index([dt.date(2020, 1, day) for day in (1, 2, 3)], dtype=object),
    "tuples": lambda: pd.Index([("a", 1), ("a", 2), ("b",)], tupleize_cols=False, dtype=object),
    "Timestamps": lambda: pd.Index([pd.Timestamp("2020"), "x", pd.NaT], dtype=object),
    "multi": lambda: pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["x", "y"]),
    "multi with empty level": lambda: pd.MultiIndex.from_tuples([("a", ""), ("a", "x"), ("", "x")]),
    "datetime daily": lambda: pd.date_range("2020", periods=3, freq="D", tz="UTC"),
    "timedelta": lambda: pd.timedelta_range("1s", periods=3),
    "period": lambda: pd.period_range("2020", periods=3, freq="M"),
    "category": lambda: pd.CategoricalIndex(["a", "b", "a"], categories=["b", "a", "z"]),
    "interval": lambda: pd.interval_range(0, 3),
    "int8[pyarrow]": lambda: pd.Index([1, 2, 3], dtype="int8[pyarrow]"),
}

#: Columns that are refused, and words of the message.
