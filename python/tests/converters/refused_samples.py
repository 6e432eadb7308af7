"""What is refused, by name, with words of the error; as `samples`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from .samples import PARIS, objects

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "mixed int and str": (lambda: objects(1, None, "a", 2, 3), "mixed types (int in row 0, str in row 2)"),
    "mixed int and float": (lambda: objects(1, 2.5, None, 3, 4), "mixed types (int in row 0, float in row 1)"),
    "mixed bool and int": (lambda: objects(True, 1, None, 3, 4), "mixed types"),
    "mixed str and NaN-like": (lambda: objects("a", 1.5, None, "b", "c"), "mixed types"),
    "mixed list and str": (lambda: objects([1], "a", None, [2], [3]), "mixed types"),
    "mixed date and datetime": (
        lambda: objects(dt.date(2020, 1, 1), dt.datetime(2020, 1, 1), None, None, None),
        "mixed types",
    ),
    "any object": (lambda: objects(*[object()] * 5), "objects of builtins.object"),
    "functions": (lambda: objects(*[len] * 5), "builtin_function_or_method"),
    "a str subclass": (lambda: objects(*[type("Text", (str,), {})("a")] * 5), "Text"),
    "frames": (lambda: objects(*[pd.DataFrame({"a": [1]})] * 5), "DataFrame"),
    "range objects": (lambda: objects(*[range(3)] * 5), "range"),
    "shapely geometries": (lambda: objects(*[__import__("shapely").Point(0, 0)] * 5), "geopandas.GeoSeries"),
    "datetimes of several zones": (
        lambda: objects(
            dt.datetime(2020, 1, 1, tzinfo=PARIS), dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc), None, None, None
        ),
        "several time zones",
    ),
    "datetimes with and without zone": (
        lambda: objects(dt.datetime(2020, 1, 1, tzinfo=PARIS), dt.datetime(2020, 1, 1), None, None, None),
        "several time zones",
    ),
    "datetime with fold": (lambda: objects(dt.datetime(2020, 1, 1, fold=1), None, None, None, None), "fold=1"),
    "Timestamp with fold": (
        lambda: objects(pd.Timestamp(dt.datetime(2020, 1, 1, fold=1)), None, None, None, None),
        "fold=1",
    ),
    "time with zone": (lambda: objects(*[dt.time(1, tzinfo=dt.timezone.utc)] * 5), "time zone"),
    "time with fold": (lambda: objects(*[dt.time(1, fold=1)] * 5), "fold=1"),
    "timedelta beyond 64 bits": (
        lambda: objects(dt.timedelta(999_999_999), None, None, None, None),
        "106 million days",
    ),
    "Timestamps of several units": (
        lambda: objects(pd.Timestamp("2020").as_unit("s"), pd.Timestamp("2020").as_unit("ns"), None, None, None),
        "2 units",
    ),
    "Periods of several frequencies": (
        lambda: objects(pd.Period("2020", "M"), pd.Period("2020", "D"), None, None, None),
        "2 frequencies",
    ),
    "Intervals closed differently": (
        lambda: objects(pd.Interval(0, 1), pd.Interval(0, 1, closed="both"), None, None, None),
        "2 closed sides",
    ),
    "numpy datetime64 objects": (lambda: objects(*[np.datetime64("2020")] * 5), "datetime64"),
    "lists with sets and strs": (lambda: objects([{1}], ["a"], None, [], []), "mix the types"),
    "list holding itself": (lambda: objects(*[_endless()] * 5), "nested more than"),
    "numpy arrays of two dimensions": (lambda: objects(*[np.zeros((2, 2))] * 5), "more than one dimension"),
    "numpy arrays of several dtypes": (
        lambda: objects(np.zeros(1), np.zeros(1, int), None, None, None),
        "different dtypes",
    ),
    "text that is no Unicode": (lambda: objects("\ud800", None, "a", "b", "c"), "not valid Unicode"),
    "float128": (lambda: np.zeros(5, np.longdouble), "float64"),
    "complex256": (lambda: np.zeros(5, np.clongdouble), "complex128"),
}


def _endless() -> list[Any]:
    endless: list[Any] = []
    endless.append(endless)
    return endless
