"""Polars frames, lazy frames and series come back with their dtypes, and share memory only where they own it."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from arrow_cache.errors import UnsupportedTypeError
from polars.testing import assert_frame_equal, assert_series_equal

from .conftest import Stored

COLUMNS: dict[str, Callable[[], pl.Series]] = {
    **{
        str(kind): lambda kind=kind: pl.Series([0, None, 1], dtype=kind)
        for kind in (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
    },
    "Float32": lambda: pl.Series([1.5, float("nan"), None], dtype=pl.Float32),
    "Float64": lambda: pl.Series([1.5, float("nan"), None]),
    "Boolean": lambda: pl.Series([True, None, False]),
    "String": lambda: pl.Series(["a", None, "a text longer than twelve bytes"]),
    "Binary": lambda: pl.Series([b"a", None, b"some bytes longer than twelve"]),
    "Categorical": lambda: pl.Series(["a", None, "b"], dtype=pl.Categorical),
    "Enum": lambda: pl.Series(["a", None, "b"], dtype=pl.Enum(["z", "b", "a"])),
    "Decimal": lambda: pl.Series([decimal.Decimal("1.5"), None, decimal.Decimal("-2.25")], dtype=pl.Decimal(10, 2)),
    "Date": lambda: pl.Series([dt.date(2020, 1, 1), None, dt.date(1, 1, 1)]),
    "Time": lambda: pl.Series([dt.time(1, 2, 3, 4), None, dt.time(0)]),
    **{
        f"Datetime {unit}": lambda unit=unit: pl.Series(
            [dt.datetime(2020, 1, 1), None, dt.datetime(1900, 1, 1)], dtype=pl.Datetime(unit)
        )
        for unit in ("ms", "us", "ns")
    },
    "Datetime with zone": lambda: pl.Series(
        [dt.datetime(2020, 1, 1), None, dt.datetime(1900, 1, 1)]
    ).dt.replace_time_zone("Europe/Paris"),
    **{
        f"Duration {unit}": lambda unit=unit: pl.Series(
            [dt.timedelta(1), None, dt.timedelta(-1)], dtype=pl.Duration(unit)
        )
        for unit in ("ms", "us", "ns")
    },
    "List": lambda: pl.Series([[1], None, []]),
    "List of Categorical": lambda: pl.Series([["a"], None, []], dtype=pl.List(pl.Categorical)),
    "Array": lambda: pl.Series([[1, 2], None, [3, None]], dtype=pl.Array(pl.Int64, 2)),
    "Struct": lambda: pl.Series([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}]),
    "Struct with Enum": lambda: pl.Series([{"a": "x"}, None, {"a": "y"}], dtype=pl.Struct({"a": pl.Enum(["y", "x"])})),
    "Null": lambda: pl.Series([None, None, None]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_frame_comes_back(name: str) -> None:
    frame = pl.DataFrame({"x": COLUMNS[name](), "n": [1, 2, 3]})
    stored = Stored(frame)
    assert stored.incoming.kind == "polars"
    assert_frame_equal(stored.get(), frame, categorical_as_str=False)
    assert stored.get().schema == frame.schema
    for offset, limit in [(0, 1), (1, 5), (3, 1)]:
        assert_frame_equal(stored.get(offset=offset, limit=limit), frame.slice(offset, limit))
        assert stored.get(offset=offset, limit=limit).schema == frame.schema
    assert_frame_equal(stored.get(columns=["n"]), frame[["n"]])


@pytest.mark.parametrize("name", COLUMNS)
def test_series_comes_back(name: str) -> None:
    for title in ("x", ""):
        series = COLUMNS[name]().alias(title)
        back = Stored(series).get()
        assert_series_equal(back, series)
        assert back.dtype == series.dtype


@pytest.mark.parametrize("name", COLUMNS)
def test_pandas_form(name: str) -> None:
    back = Stored(pl.DataFrame({"x": COLUMNS[name]()})).get("pandas")
    assert back["x"].isna().tolist() == [bool(value is None or value != value) for value in COLUMNS[name]().to_list()]


def test_lazy_frame_is_collected() -> None:
    lazy = pl.LazyFrame({"a": [3, 1, 2]}).filter(pl.col("a") > 1).with_columns(b=pl.col("a") * 2)
    assert_frame_equal(Stored(lazy).get(), lazy.collect())


def test_frame_of_several_chunks() -> None:
    frame = pl.concat([pl.DataFrame({"a": [1], "s": ["x"]}), pl.DataFrame({"a": [2], "s": ["y"]})], rechunk=False)
    assert_frame_equal(Stored(frame).get(), frame)


def test_no_rows_and_no_columns() -> None:
    for frame in (pl.DataFrame(), pl.DataFrame(schema={"a": pl.Int8, "e": pl.Enum(["x"])})):
        back = Stored(frame).get()
        assert_frame_equal(back, frame)


def test_columns_that_may_be_numpys_are_copied() -> None:
    borrowed = np.arange(3.0)
    frame = pl.DataFrame(
        {"f": pl.Series(borrowed), "s": ["a", "b", "c"], "b": [True, False, True], "l": [[1], [2], [3]]}
    )
    stored = Stored(frame)
    assert stored.incoming.copy == [0]
    assert Stored(pl.DataFrame({"x": COLUMNS["Array"](), "d": COLUMNS["Date"]()})).incoming.copy == [0, 1]


def test_writing_to_the_frame_changes_nothing_that_is_kept() -> None:
    frame = pl.DataFrame({"s": ["a", "b"], "l": [[1], [2]]})
    stored = Stored(frame)
    frame[0, "s"] = "changed"
    assert stored.get()["s"].to_list() == ["a", "b"]


def test_back_without_a_copy() -> None:
    stored = Stored(pl.DataFrame({"a": np.arange(1000), "s": [f"text longer than twelve {i}" for i in range(1000)]}))
    back = stored.get()
    address = stored.table.column("a").chunk(0).buffers()[1].address
    assert back["a"].to_arrow().buffers()[1].address == address


@pytest.mark.parametrize(
    ("series", "words"),
    [
        (lambda: pl.Series([object()], dtype=pl.Object), r"column 'x' is of the Polars type Object.*pl\.String"),
        (lambda: pl.Series([1], dtype=pl.Int128), r"Int128.*pl\.Decimal\(38, 0\)"),
        (lambda: pl.Series([[1]], dtype=pl.List(pl.Int128)), r"Int128"),
    ],
)
def test_refused(series: Callable[[], Any], words: str) -> None:
    with pytest.raises(UnsupportedTypeError, match=words):
        Stored(pl.DataFrame({"x": series()}))
