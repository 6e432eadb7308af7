"""Row indexes of every kind, with their names, frequencies and levels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from .conftest import Stored, assert_comes_back, assert_same
from .index_samples import INDEXES


def frame_with(index: pd.Index) -> pd.DataFrame:
    return pd.DataFrame({"number": range(5), "text": list("abcde")}, index=index)


@pytest.mark.parametrize("name", INDEXES)
def test_frame_index(name: str) -> None:
    assert_comes_back(frame_with(INDEXES[name]()))


@pytest.mark.parametrize("name", INDEXES)
def test_series_index(name: str) -> None:
    assert_comes_back(pd.Series(list("abcde"), index=INDEXES[name](), name="x"))


@pytest.mark.parametrize("name", INDEXES)
def test_index_itself(name: str) -> None:
    assert_comes_back(INDEXES[name]())


@pytest.mark.parametrize("name", INDEXES)
def test_no_columns(name: str) -> None:
    stored = assert_comes_back(pd.DataFrame(index=INDEXES[name]()))
    assert stored.table.num_columns >= 1  # a table without columns would lose its rows in SQL


@pytest.mark.parametrize("name", INDEXES)
def test_no_rows(name: str) -> None:
    assert_comes_back(frame_with(INDEXES[name]()).iloc[:0])


@pytest.mark.parametrize("name", INDEXES)
def test_column_subset_keeps_the_index(name: str) -> None:
    frame = frame_with(INDEXES[name]())
    assert_same(Stored(frame).get(columns=["text"]), frame[["text"]])


@pytest.mark.parametrize("name", INDEXES)
def test_preserve_index_false_numbers_the_rows(name: str) -> None:
    frame = frame_with(INDEXES[name]())
    stored = Stored(frame, preserve_index=False)
    assert_same(stored.get(), frame.reset_index(drop=True))
    assert stored.table.column_names == ["number", "text"]
    assert_same(stored.get(offset=2, limit=2), frame.reset_index(drop=True).iloc[2:4])


def test_slices_of_a_stepped_range() -> None:
    frame = pd.DataFrame({"a": range(100)}, index=pd.RangeIndex(500, 100, -4))
    stored = Stored(frame)
    for offset in range(0, 101, 9):
        assert_same(stored.get(offset=offset, limit=13), frame.iloc[offset : offset + 13])


def test_range_takes_no_column() -> None:
    assert Stored(pd.DataFrame({"a": [1, 2]})).table.column_names == ["a"]


def test_index_columns_have_names_for_sql() -> None:
    levels = pd.MultiIndex.from_arrays([[1, 2], [3, 4], [5, 6]], names=["a", None, "b"])
    frame = pd.DataFrame({"a": [1, 2], "x": [1, 2]}, index=levels)
    assert Stored(frame).table.column_names == ["a", "x", "a_1", "__index_level_1__", "b"]


def test_levels_that_are_not_used_stay() -> None:
    levels = pd.MultiIndex.from_product([list("abc"), [1, 2]], names=["x", "y"])
    back = Stored(pd.DataFrame({"v": range(6)}, index=levels)).get(offset=2, limit=1)
    assert back.index.levels[0].tolist() == ["a", "b", "c"]
    assert back.loc[("b", 1), "v"] == 2


def test_frequency_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    index = pd.date_range("2020", periods=1000, freq=pd.offsets.CustomBusinessDay())
    stored = Stored(pd.DataFrame({"a": np.arange(1000)}, index=index))

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("generated the whole range to compare it")

    monkeypatch.setattr(type(index.array), "_generate_range", refuse)
    assert stored.get(offset=10, limit=500).index.freq == index.freq
