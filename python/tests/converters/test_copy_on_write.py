"""Frames that are given back: writing to them changes nothing that is kept, and works."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from arrow_cache.converters import copy_on_write

from .conftest import Stored
from .samples import EXTENSIONS, NUMPY, PANDAS_3

pytestmark = pytest.mark.filterwarnings("ignore:PeriodDtype:FutureWarning")
WRITES: dict[str, Callable[[Any], Any]] = {
    "iloc": lambda frame: frame.iloc.__setitem__((0, 0), 9),
    "loc rows": lambda frame: frame.loc.__setitem__((frame["a"] > 1, "b"), -1.5),
    "mask": lambda frame: frame.mask(frame > 1, 0, inplace=True),
    "replace": lambda frame: frame.replace(2, 7, inplace=True),
    "fillna": lambda frame: frame.fillna(0, inplace=True),
    "iadd": lambda frame: frame.__iadd__(1),
    "at": lambda frame: frame.at.__setitem__((0, "a"), 5),
    "new column": lambda frame: frame.__setitem__("c", frame["a"] * 2),
    "sort": lambda frame: frame.sort_values("a", ascending=False, inplace=True),
    "drop": lambda frame: frame.drop(columns="b", inplace=True),
    "interpolate": lambda frame: frame.interpolate(inplace=True),
    "clip": lambda frame: frame.clip(1, 2, inplace=True),
    "where": lambda frame: frame.where(frame["a"] > 1, other=0, inplace=True),
    "shallow copy": lambda frame: frame.copy(deep=False).iloc.__setitem__((1, 1), 0),
    "column then write": lambda frame: frame["a"].iloc.__setitem__(0, 4),
}


def numbers() -> pd.DataFrame:
    return pd.DataFrame({"a": np.arange(4), "b": np.arange(4.0)})


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.filterwarnings("ignore")
def test_writing_to_what_was_given_back(name: str) -> None:
    stored = Stored(numbers())
    kept = stored.table.to_pydict()
    expected, given = numbers(), stored.get()
    WRITES[name](expected)
    WRITES[name](given)
    pd.testing.assert_frame_equal(given, expected)
    assert stored.table.to_pydict() == kept
    pd.testing.assert_frame_equal(stored.get(), numbers())


@pytest.mark.parametrize("name", [name for name in {**NUMPY, **EXTENSIONS} if "[pyarrow]" not in name])
def test_every_dtype_can_be_written_to(name: str) -> None:
    build = {**NUMPY, **EXTENSIONS}[name]
    frame = pd.DataFrame({"x": build()})
    stored = Stored(frame)
    given = stored.get()
    if name.startswith("Sparse"):
        pytest.skip("pandas has no assignment into sparse columns")
    given.iloc[0, 0] = given.iloc[2, 0]
    pd.testing.assert_frame_equal(stored.get(), frame)


def test_series_can_be_written_to() -> None:
    stored = Stored(pd.Series(np.arange(4), name="x"))
    given = stored.get()
    given.iloc[0] = 9
    assert given.tolist() == [9, 1, 2, 3]
    assert stored.get().tolist() == [0, 1, 2, 3]


def test_views_that_outlive_the_frame_stay_guarded() -> None:
    stored = Stored(numbers())
    column = stored.get()["a"]
    gc.collect()
    column.iloc[0] = 9
    assert stored.get()["a"].tolist() == [0, 1, 2, 3]
    two = stored.get()[["a", "b"]]
    two.iloc[0, 0] = 9
    rows = stored.get().iloc[1:3]
    rows.iloc[0, 0] = 9
    assert stored.get()["a"].tolist() == [0, 1, 2, 3]


@pytest.mark.skipif(not PANDAS_3, reason="pandas 2 gets copies")
def test_pandas_3_gets_the_memory_itself() -> None:
    assert copy_on_write.is_available()
    stored = Stored(numbers())
    for name in ("a", "b"):
        address = stored.table.column(name).chunk(0).buffers()[1].address
        assert stored.get()[name].to_numpy().ctypes.data == address
        assert stored.get(offset=1)[name].to_numpy().ctypes.data == address + 8


@pytest.mark.skipif(not PANDAS_3, reason="pandas 2 gets copies")
def test_first_write_copies_and_the_second_does_not() -> None:
    given = Stored(numbers()).get()
    given.iloc[0, 0] = 1
    address = given["a"].to_numpy().ctypes.data
    given.iloc[1, 0] = 2
    assert given["a"].to_numpy().ctypes.data == address


def test_buffers_live_as_long_as_the_frame_and_no_longer() -> None:
    class Owner(bytearray):
        """Memory whose end can be watched."""

    owner = Owner(np.arange(100).tobytes())
    watch = weakref.ref(owner)
    buffer = pa.py_buffer(owner)
    column = pa.chunked_array([pa.Array.from_buffers(pa.int64(), 100, [None, buffer])])
    lent = copy_on_write.lend(column, np.dtype(np.int64))
    assert lent is not None
    frame = pd.DataFrame({0: lent}, copy=False)
    if copy_on_write.is_available():
        copy_on_write.guard(frame)
    del owner, buffer, column, lent
    assert frame[0].sum() == 4950
    assert watch() is not None
    rest = frame[0].iloc[:3]
    del frame
    assert rest.tolist() == [0, 1, 2]
    del rest
    assert watch() is None  # no cycle that waits for the collector


def test_neighbouring_chunks_are_one_piece() -> None:
    whole = pa.array(range(10))
    pieces = pa.chunked_array([whole.slice(0, 3), whole.slice(3, 0), whole.slice(3, 7)])
    lent = copy_on_write.lend(pieces, np.dtype(np.int64))
    assert lent is not None
    assert lent.tolist() == list(range(10))
    assert lent.ctypes.data == whole.buffers()[1].address


@pytest.mark.parametrize(
    "column",
    [
        pa.chunked_array([pa.array([1, None])]),
        pa.chunked_array([[1], [2]]),
        pa.chunked_array([pa.array([1, 2, 3]).slice(0, 1), pa.array([1, 2, 3]).slice(2, 1)]),
        pa.chunked_array([], pa.int64()),
    ],
    ids=["null", "two buffers", "gap", "empty"],
)
def test_what_cannot_be_lent(column: pa.ChunkedArray) -> None:
    assert copy_on_write.lend(column, np.dtype(np.int64)) is None


def test_pandas_that_does_not_copy_on_write_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    copy_on_write.is_available.cache_clear()
    try:
        monkeypatch.setattr(copy_on_write, "guard", lambda data: data)
        assert not copy_on_write.is_available()
    finally:
        monkeypatch.undo()
        copy_on_write.is_available.cache_clear()
