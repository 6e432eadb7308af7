"""Rows and columns of what is kept."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from arrow_cache import InvalidArgument, InvalidArgumentType


# --- rows ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0, 1, 4, 5, 9, 10, 11, 10**6, 2**63 - 1, 2**70])
@pytest.mark.parametrize("limit", [None, 0, 1, 3, 10, 11, 2**63 - 1, 2**70])
@pytest.mark.parametrize("is_whole_kept", [False, True])
def test_rows_of_an_arrow_table(cache, table, offset, limit, is_whole_kept):
    cache.put("t", table)
    if is_whole_kept:
        cache.get("t")
    expected = list(range(10))[offset:] if limit is None else list(range(10))[offset:][:limit]
    got = cache.get("t", offset=offset, limit=limit)
    assert got["n"].to_pylist() == expected
    assert got.schema == table.schema


@pytest.mark.parametrize(("offset", "limit"), [(np.int64(2), np.uint8(3)), (np.int32(2), 3)])
def test_integers_of_numpy_count_rows(cache, table, offset, limit):
    cache.put("t", table)
    assert cache.get("t", offset=offset, limit=limit)["n"].to_pylist() == [2, 3, 4]


@pytest.mark.parametrize("wrong", [-1, -(2**70), np.int64(-5)])
def test_negative_rows_are_refused(cache, table, wrong):
    cache.put("t", table)
    for name in ("offset", "limit"):
        with pytest.raises(InvalidArgument, match=f"{name}: {int(wrong)} is negative"):
            cache.get("t", **{name: wrong})


@pytest.mark.parametrize("wrong", [1.0, "1", True, [1], pd.NA, 1 + 0j])
def test_rows_that_are_no_integer_are_refused(cache, table, wrong):
    cache.put("t", table)
    for name in ("offset", "limit"):
        with pytest.raises(InvalidArgumentType, match=f"{name}: give a number of rows"):
            cache.get("t", **{name: wrong})
    with pytest.raises(InvalidArgumentType, match="offset"):
        cache.get("t", offset=None)


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(10),
        pd.RangeIndex(5, 35, 3),
        pd.RangeIndex(9, -1, -1),
        pd.Index(list("abcdefghij"), name="letter"),
        pd.date_range("2020-01-01", periods=10),
        pd.MultiIndex.from_product([[1, 2], list("abcde")], names=["n", None]),
    ],
    ids=lambda index: type(index).__name__,
)
def test_rows_of_a_frame_keep_their_index(cache, index):
    frame = pd.DataFrame({"v": np.arange(10.0)}, index=index)
    cache.put("f", frame)
    for offset, limit in ((0, None), (0, 3), (4, 3), (9, 5), (3, None), (10, 1), (99, None), (2, 0)):
        part = frame.iloc[offset:] if limit is None else frame.iloc[offset : offset + limit]
        assert_frame_equal(cache.get("f", offset=offset, limit=limit), part, check_freq=False)


def test_past_the_end_there_are_columns_and_no_rows(cache, frame):
    cache.put("f", frame)
    got = cache.get("f", offset=100)
    assert got.shape == (0, 3) and list(got.columns) == ["a", "b", "c"]
    assert list(got.dtypes) == list(frame.dtypes)


# --- columns ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [["a"], ["c", "a"], ("b",), [], np.array(["a", "b"]), pd.Index(["c"])])
@pytest.mark.parametrize("is_whole_kept", [False, True])
def test_columns_come_in_the_order_asked_for(cache, frame, columns, is_whole_kept):
    cache.put("f", frame)
    if is_whole_kept:
        cache.get("f")
    got = cache.get("f", columns=columns, offset=1, limit=1)
    assert_frame_equal(got, frame[list(columns)].iloc[1:2])


def test_a_pandas_index_comes_along(cache, frame):
    cache.put("f", frame.set_index("b"))
    assert_frame_equal(cache.get("f", columns=["c"]), frame.set_index("b")[["c"]])
    assert cache.get("f", columns=["c"], target_type="arrow").column_names == ["c"]
    assert_frame_equal(cache.get("f", columns=["c", "a"], offset=1), frame.set_index("b")[["c", "a"]].iloc[1:])


@pytest.mark.parametrize("wrong", ["carier", "", "__index_level_0__", 5, None, ("a", "b")])
@pytest.mark.parametrize("kind", [pd.DataFrame, pa.table])
def test_an_unknown_column_names_the_key_the_nearest_and_the_columns(cache, wrong, kind):
    cache.put("the key", kind({"a": [1], "carrier": ["x"]}))
    with pytest.raises(InvalidArgument) as caught:
        cache.get("the key", columns=["a", wrong])
    message = str(caught.value)
    assert "'the key'" in message and repr(wrong) in message and "'a', 'carrier'" in message
    assert wrong != "carier" or "did you mean 'carrier'?" in message


def test_columns_of_a_frame_are_its_labels(cache):
    frame = pd.DataFrame(np.arange(8).reshape(2, 4), columns=[1, "b", ("c", 2), 1.5])
    cache.put("f", frame)
    for labels in ([1, "b"], [1.5], [1.5, 1]):
        assert_frame_equal(cache.get("f", columns=labels), frame[labels])


def test_columns_of_one_label_come_together(cache):
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"])
    cache.put("f", frame)
    assert_frame_equal(cache.get("f", columns=["a"]), frame[["a"]])


def test_columns_of_a_series_and_an_index(cache):
    series = pd.Series([1, 2], index=pd.Index(["x", "y"], name="k"), name="v")
    cache.put("s", series)
    pd.testing.assert_series_equal(cache.get("s", columns=["v"]), series)
    assert cache.get("s", "arrow", columns=["v"]).to_pydict() == {"v": [1, 2]}
    cache.put("i", pd.Index([3, 1], name="z"))
    assert cache.get("i", "arrow", columns=["z"]).to_pydict() == {"z": [3, 1]}
    assert cache.get_metadata("i")["column_names"] == ["z"]
    for key, columns in (("s", []), ("i", ["z"]), ("i", [])):
        with pytest.raises(InvalidArgument, match=f"entry '{key}' is a pandas .*, which comes whole"):
            cache.get(key, columns=columns)


@pytest.mark.parametrize("columns", ["a", b"a"])
def test_a_single_name_says_to_pass_a_list(cache, frame, columns):
    cache.put("f", frame)
    with pytest.raises(InvalidArgumentType, match="give a list of names"):
        cache.get("f", columns=columns)


@pytest.mark.parametrize("columns", [5, {"a"}, {"a": 1}, [["a"]], [{}], ["a", []], object()])
def test_columns_that_are_no_names_are_refused(cache, frame, columns):
    cache.put("f", frame)
    with pytest.raises(InvalidArgumentType, match="columns:"):
        cache.get("f", columns=columns)


def test_a_column_is_named_once(cache, frame):
    cache.put("f", frame)
    with pytest.raises(InvalidArgument, match="'a' is named 2 times"):
        cache.get("f", columns=["a", "b", "a"])


def test_no_columns_are_rows_without_values(cache, table):
    cache.put("t", table)
    got = cache.get("t", columns=[], offset=2)
    assert got.num_columns == 0 and got.num_rows == 8
