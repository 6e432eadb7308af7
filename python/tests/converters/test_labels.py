"""Column labels of every kind, and the names that SQL knows the columns by."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from arrow_cache.errors import UnsupportedTypeError

from .conftest import Stored, assert_comes_back, assert_same
from .index_samples import LABELS


def frame_with(labels: pd.Index) -> pd.DataFrame:
    return pd.DataFrame(np.arange(15).reshape(5, 3), columns=labels)


@pytest.mark.parametrize("name", LABELS)
def test_labels_come_back(name: str) -> None:
    assert_comes_back(frame_with(LABELS[name]()))


@pytest.mark.parametrize("name", LABELS)
def test_no_rows(name: str) -> None:
    assert_comes_back(frame_with(LABELS[name]()).iloc[:0])


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("chosen", [[0], [2, 0], [1, 1]])
def test_column_subset_as_pandas_has_it(name: str, chosen: list[int]) -> None:
    frame = frame_with(LABELS[name]())
    columns = [frame.columns[position] for position in chosen]
    if any(column != column or column is None for column in columns) or name in ("bool", "half a surrogate"):
        pytest.skip("pandas takes these as no labels")
    assert_same(Stored(frame).get(columns=columns), frame[columns])


@pytest.mark.parametrize("name", LABELS)
def test_names_for_sql_are_texts_and_unique(name: str) -> None:
    names = Stored(frame_with(LABELS[name]())).table.column_names
    assert len(set(names)) == 3
    assert all(isinstance(text, str) and text and "\0" not in text for text in names)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([1, 2, 3], ["1", "2", "3"]),
        (["a", "a", "a"], ["a", "a_1", "a_2"]),
        (["a", "a_1", "a"], ["a", "a_1", "a_2"]),
        ([1, "1", None], ["1", "1_1", "None"]),
        ([("x", 1), ("x", ""), "y"], ["x_1", "x", "y"]),
        (["", "b", ""], ["column_0", "b", "column_2"]),
        ([datetime.date(2020, 1, 1), 1.5, True], ["2020-01-01", "1.5", "True"]),
    ],
)
def test_name_for_sql(labels: list[object], names: list[str]) -> None:
    index = pd.Index(labels, dtype=object, tupleize_cols=False)
    assert Stored(frame_with(index)).table.column_names == names


def test_first_level_of_several_labels() -> None:
    frame = frame_with(pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["x", "y"]))
    stored = Stored(frame)
    assert_same(stored.get(columns=["a"]), frame[["a"]])
    assert_same(stored.get(columns=[("b", 1), ("a", 2)]), frame[[("b", 1), ("a", 2)]])


def test_label_that_cannot_be_stored() -> None:
    with pytest.raises(UnsupportedTypeError, match=r"a label of df\.columns is a builtins\.object"):
        Stored(pd.DataFrame([[1]], columns=pd.Index([object()], dtype=object)))
