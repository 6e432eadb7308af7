"""Which columns the engine is told to copy: those whose buffers the caller can still write to, and no others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from .conftest import Stored
from .samples import EXTENSIONS, NUMPY, OBJECTS

pytestmark = pytest.mark.filterwarnings("ignore:PeriodDtype:FutureWarning")
COPIED = {
    **{name: True for name in NUMPY},
    **{name: False for name in NUMPY if name in ("bool", "float16", "complex64", "complex128") or "endian" in name},
    **{f"timedelta64[{unit}]": False for unit in ("s", "ms")},  # converted to microseconds where one is missing
    "Int8 nullable": True,
    "Float64 with NaN and NA": True,
    "boolean": False,
    "string[python]": False,
    "string[pyarrow]": False,
    "int64[pyarrow]": False,
    "struct[pyarrow]": False,
    "category of str": True,
    "category of int": True,
    "Interval int": True,
    "Period[D]": False,
    "Period[h]": False,
    "Sparse[int]": True,
    **{f"object: {name}": False for name in OBJECTS},
}
BUILD = {**NUMPY, **EXTENSIONS, **{f"object: {name}": build for name, build in OBJECTS.items()}}


@pytest.mark.parametrize("name", COPIED)
def test_what_is_copied(name: str, names_of_copies: Any) -> None:
    frame = pd.DataFrame({"text": list("abcde"), "x": BUILD[name]()})
    stored = Stored(frame)
    if name.startswith("Sparse"):
        assert "x" not in names_of_copies(stored) or COPIED[name]  # dense is fresh unless nothing was sparse
    else:
        assert ("x" in names_of_copies(stored)) == COPIED[name]


@pytest.mark.parametrize("name", {**NUMPY, **EXTENSIONS})
def test_what_is_not_copied_shares_nothing_with_numpy_memory(name: str) -> None:
    """Independently of the codecs' own claims: no buffer of an uncopied column lies in an array of the frame."""
    values = BUILD[name]()
    frame = pd.DataFrame({"x": values})
    stored = Stored(frame)
    if stored.incoming.copy:
        return
    spans = [
        (array.ctypes.data, array.ctypes.data + array.nbytes)
        for array in _arrays_inside(frame["x"].array)
        if array.nbytes
    ]
    table = stored.incoming.stream
    assert isinstance(table, pa.Table)
    for chunk in table.column("x").chunks:
        for buffer in chunk.buffers():
            if buffer is not None and buffer.size:
                assert not any(low <= buffer.address < high for low, high in spans)


def _arrays_inside(array: Any, depth: int = 3) -> list[np.ndarray[Any, Any]]:
    """All numpy arrays that an extension array is made of."""
    if isinstance(array, np.ndarray):
        return [array]
    if depth == 0 or not hasattr(array, "__dict__"):
        return []
    return [inner for value in vars(array).values() for inner in _arrays_inside(value, depth - 1)]


def test_strided_and_reversed_columns(names_of_copies: Any) -> None:
    square = np.arange(100.0).reshape(10, 10)
    stored = Stored(pd.DataFrame(square, columns=list("abcdefghij"), copy=False))
    before = stored.get().copy()
    assert names_of_copies(stored) == []  # pyarrow gathers strided columns into memory of their own
    square[:] = -1
    pd.testing.assert_frame_equal(stored.get(), before)
    backwards = np.arange(10)[::-1]
    stored = Stored(pd.DataFrame({"a": backwards}, copy=False))
    assert stored.get()["a"].tolist() == list(range(9, -1, -1))


def test_one_block_of_many_columns(names_of_copies: Any) -> None:
    frame = pd.DataFrame(np.arange(30.0).reshape(3, 10).T.copy(order="F"), columns=list("abc"))
    assert names_of_copies(Stored(frame)) == ["a", "b", "c"]


def test_index_is_copied_too(names_of_copies: Any) -> None:
    frame = pd.DataFrame({"text": ["a", "b"]}, index=pd.Index([1.5, 2.5], name="k"))
    assert names_of_copies(Stored(frame)) == ["k"]
    levels = pd.MultiIndex.from_arrays([[1, 2], ["a", "b"]], names=["m", "n"])
    assert names_of_copies(Stored(pd.DataFrame({"text": ["a", "b"]}, index=levels))) == ["m", "n"]


def test_categories_are_not_shared_either(names_of_copies: Any) -> None:
    codes = np.array([0, 1], dtype="int8")
    column = pd.Categorical.from_codes(codes, categories=[10, 20])
    assert names_of_copies(Stored(pd.DataFrame({"x": column}))) == ["x"]


def test_arrow_data_is_never_copied() -> None:
    table = pa.table({"a": [1, 2], "b": ["x", "y"]})
    incoming = Stored(table).incoming
    assert incoming.copy is False
    assert incoming.stream is table


def test_cost_of_numbers_is_that_of_pyarrow() -> None:
    """No pass over the values of our own: every column but those with NaN is handed over at its own address."""
    frame = pd.DataFrame({"i": np.arange(1000), "f": np.arange(1000.0), "t": np.arange(1000).astype("M8[us]")})
    table = Stored(frame).incoming.stream
    assert isinstance(table, pa.Table)
    for name in frame:
        assert table.column(name).chunk(0).buffers()[1].address == frame[name].to_numpy().ctypes.data
