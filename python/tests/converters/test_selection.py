"""Columns by name: found as the user's own frame has them, or refused with the nearest."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from arrow_cache.errors import InvalidArgument

from .conftest import Stored, assert_same


def test_order_and_repetition() -> None:
    frame = pd.DataFrame({"a": [1], "b": [2], "c": [3]})
    for columns in (["c", "a"], ["b", "b"], [], ["a", "b", "c"]):
        assert_same(Stored(frame).get(columns=columns), frame[columns])


def test_duplicate_labels_come_together() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"])
    assert_same(Stored(frame).get(columns=["a"]), frame[["a"]])


def test_names_of_sql_are_taken_too() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)]))
    assert Stored(frame).get(columns=["a_2"]).iloc[0, 0] == 2


@pytest.mark.parametrize(
    ("data", "columns", "words"),
    [
        (pd.DataFrame({"alpha": [1], "beta": [2]}), ["alhpa"], "did you mean 'alpha'"),
        (pd.DataFrame({"alpha": [1]}), ["alpha", 5], "no column 5"),
        (pd.DataFrame({1: [1]}), ["x"], "The columns are '1'"),
        (pa.table({"alpha": [1]}), ["alpho"], "did you mean 'alpha'"),
        (pa.table({"alpha": [1]}), [0], "no column 0"),
        (pd.DataFrame({f"c{i}": [1] for i in range(30)}), ["zzz"], "and 20 more"),
        (pd.DataFrame(), ["x"], "The columns are none"),
        (pd.DataFrame({"a": [1]}, index=pd.Index([1], name="i")), ["i"], "no column 'i'"),
    ],
)
def test_unknown(data: object, columns: list[object], words: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Stored(data).get(columns=columns)
    assert words in str(caught.value)


def test_arrow_duplicates_come_together() -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "b", "a"])
    assert Stored(table).get(columns=["a"]).to_pylist() != []
    assert Stored(table).get(columns=["a", "b"]).column_names == ["a", "a", "b"]
