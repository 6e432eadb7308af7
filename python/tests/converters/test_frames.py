"""What a frame has beside its columns: attributes, flags, shape, class."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from typing import Any

import numpy as np
import pandas as pd
import pytest
from arrow_cache.errors import UnsupportedTypeError

from .conftest import Stored, assert_comes_back, same_objects

ATTRS: dict[str, Any] = {
    "text": "é\ud800",
    "numbers": [1, 2**100, 1.5, float("inf"), float("nan"), True, None],
    "tuple": (1, ("a", [2.5])),
    "set": {1, 2},
    "dict": {"a": {"b": 1}, "$": 2},
    "dict of odd keys": {1: "a", (1, 2): "b", None: "c"},
    "bytes": b"\x00\xff",
    "complex": 1 + 2j,
    "Decimal": decimal.Decimal("1.500"),
    "UUID": uuid.UUID(int=5),
    "date": dt.date(2020, 1, 1),
    "datetime": dt.datetime(2020, 1, 1, 2, 3, 4, 5),
    "datetime zone": dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc),
    "time": dt.time(1, 2, 3, fold=1),
    "timedelta": dt.timedelta(1, 2, 3),
    "Timestamp": pd.Timestamp("2020-01-01", tz="Europe/Paris"),
    "Timedelta": pd.Timedelta(5, "s"),
    "Period": pd.Period("2020-01", "M"),
    "Interval": pd.Interval(0, 1.5, closed="both"),
    "NaT": pd.NaT,
    "NA": pd.NA,
    "numpy scalars": [np.int8(1), np.float32(1.5), np.bool_(True), np.str_("x"), np.datetime64("2020-01-01", "D")],
    "array": np.arange(6.0).reshape(2, 3),
    5: "a key that is no text",
}


@pytest.mark.parametrize("key", ATTRS)
def test_attrs(key: Any) -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    frame.attrs = {key: ATTRS[key]}
    back = Stored(frame).get()
    assert same_objects(back.attrs, frame.attrs)
    assert same_objects(Stored(frame["a"]).get().attrs, frame["a"].attrs)


def test_attrs_do_not_share_memory_with_the_callers() -> None:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs = {"list": [1]}
    stored = Stored(frame)
    frame.attrs["list"].append(2)
    back = stored.get()
    back.attrs["list"].append(3)
    assert stored.get().attrs == {"list": [1]}


@pytest.mark.parametrize("value", [object(), len, pd.DataFrame({"a": [1]}), {"deep": [object()]}])
def test_attrs_that_cannot_be_stored(value: Any) -> None:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["odd"] = value
    with pytest.raises(UnsupportedTypeError, match=r"\.attrs\['odd'\].*remove it"):
        Stored(frame)


def test_flags() -> None:
    assert_comes_back(pd.DataFrame({"a": range(5)}).set_flags(allows_duplicate_labels=False))
    assert_comes_back(pd.Series(range(5), name="a").set_flags(allows_duplicate_labels=False))


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame(columns=["a", "b"]),
        pd.DataFrame({"a": np.zeros(0), "b": np.zeros(0, object)}),
        pd.DataFrame(index=range(3)),
        pd.DataFrame(index=pd.Index([], dtype="str" if pd.__version__ >= "3" else object)),
        pd.DataFrame(columns=pd.MultiIndex.from_arrays([[], []])),
        pd.DataFrame({"a": [None, None]}),
        pd.DataFrame({"a": [np.nan, np.nan], "b": [pd.NaT, pd.NaT]}),
        pd.DataFrame({f"c{i}": range(3) for i in range(300)}),
    ],
    ids=[
        "nothing",
        "no rows",
        "no rows typed",
        "no columns",
        "no columns no rows",
        "multi no columns",
        "None",
        "NaN",
        "wide",
    ],
)
def test_odd_shapes(frame: pd.DataFrame) -> None:
    assert_comes_back(frame)


@pytest.mark.parametrize("name", [None, "a", 5, ("a", 1), pd.Timestamp("2020")])
def test_series_names(name: Any) -> None:
    stored = assert_comes_back(pd.Series(range(5), name=name))
    if name is None:
        assert stored.table.column_names == ["value"]


@pytest.mark.parametrize("base", [pd.DataFrame, pd.Series])
def test_subclasses_are_refused(base: Any) -> None:
    subclass = type("Special", (base,), {})
    with pytest.raises(UnsupportedTypeError, match=f"Special is a subclass of {base.__name__}"):
        Stored(subclass({"a": [1, 2]}))


def test_pyarrow_alone_reads_the_index_and_dtypes() -> None:
    frame = pd.DataFrame(
        {"a": pd.array([1, None], dtype="Int64"), "s": ["x", "y"], "c": pd.Categorical(["u", "v"])},
        index=pd.Index(["k", "l"], name="key"),
    )
    pd.testing.assert_frame_equal(Stored(frame).table.to_pandas(), frame)
    ranged = pd.DataFrame({1: [1.5, 2]}, index=pd.RangeIndex(0, 20, 10))
    pd.testing.assert_frame_equal(Stored(ranged).table.to_pandas(), ranged)
