"""Columns of every dtype come back as they were: whole, cut, in a frame, as a Series and as an Index."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from arrow_cache import converters
from arrow_cache.errors import UnsupportedTypeError

from .conftest import Stored, assert_comes_back, assert_same
from .refused_samples import REFUSED
from .samples import EXTENSIONS, NUMPY, OBJECTS, ZONES, objects

pytestmark = pytest.mark.filterwarnings("ignore:PeriodDtype:FutureWarning")
EVERY = {**NUMPY, **EXTENSIONS, **{f"object: {name}": build for name, build in OBJECTS.items()}}


@pytest.mark.parametrize("name", EVERY)
def test_column_comes_back(name: str) -> None:
    assert_comes_back(pd.DataFrame({"x": EVERY[name](), "other": range(5)}))


@pytest.mark.parametrize("name", EVERY)
def test_series_comes_back(name: str) -> None:
    assert_comes_back(pd.Series(EVERY[name](), name="x", index=list("abcde")))


@pytest.mark.parametrize("name", EVERY)
def test_no_rows(name: str) -> None:
    assert_comes_back(pd.DataFrame({"x": EVERY[name]()}).iloc[:0])


@pytest.mark.parametrize("name", {**NUMPY, **EXTENSIONS})
def test_index_comes_back(name: str) -> None:
    values = EVERY[name]()
    if name == "float16":
        pytest.skip("pandas has no float16 index")
    if name == "double[pyarrow] with NaN and NA":
        pytest.skip("pandas finds such an index different from itself")
    assert_comes_back(pd.Index(values, name="x"))


@pytest.mark.parametrize("zone", ZONES)
def test_time_zone_comes_back_as_the_same_object(zone: str) -> None:
    try:
        instants = pd.DatetimeIndex(
            ["2020-10-25 00:30", "NaT", "1850-01-01", "2020-10-25 01:30", "2037-07-01"], tz="UTC"
        )
        column = instants.tz_convert(ZONES[zone]())
        str(column[0])
    except (ImportError, AttributeError) as error:
        pytest.skip(f"not in this environment: {error}")
    assert_comes_back(pd.DataFrame({"x": column}))
    assert_comes_back(pd.DataFrame({"x": range(5)}, index=column))
    assert_comes_back(pd.DataFrame({"x": objects(*column)}))


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name: str) -> None:
    build, words = REFUSED[name]
    frame = pd.DataFrame({"fine": range(5), "odd one": build()})
    with pytest.raises(UnsupportedTypeError) as caught:
        Stored(frame)
    message = str(caught.value)
    assert "column 'odd one'" in message
    assert words in message
    assert ": " in message  # the fact, then the remedy


def test_refused_in_series_and_index_too() -> None:
    with pytest.raises(UnsupportedTypeError, match="the series 's'"):
        Stored(pd.Series(REFUSED["any object"][0](), name="s"))
    with pytest.raises(UnsupportedTypeError, match="the index"):
        Stored(pd.DataFrame({"a": range(2)}, index=pd.Index([object(), object()])))


def test_sparse_beyond_its_dtype_is_refused_or_kept() -> None:
    column = pd.arrays.SparseArray(np.array([1, 2, 3]), fill_value=0)
    assert_comes_back(pd.DataFrame({"x": column.take([0, 1, 2, 0, 1])}))


def test_missing_kinds_follow_the_slice() -> None:
    column = objects(*["x", None, np.nan, pd.NA, pd.NaT] * 40)
    stored = Stored(pd.DataFrame({"x": column}))
    for offset in range(0, 200, 7):
        assert_same(stored.get(offset=offset, limit=11), pd.DataFrame({"x": column}).iloc[offset : offset + 11])


@pytest.mark.parametrize("distinct", [1, 50, 40_000])
def test_many_texts(distinct: int) -> None:
    texts = [f"text {number % distinct}" for number in range(30_000)]
    texts[7::100] = [None] * 300
    column = objects(*texts)
    stored = Stored(pd.DataFrame({"x": column}))
    assert stored.get()["x"].tolist() == texts
    assert stored.get(offset=19_000)["x"].tolist() == texts[19_000:]
    halves = pa.concat_tables([stored.table.slice(0, 9_000), stored.table.slice(9_000)])
    assert converters.from_arrow(halves, None, "pandas")["x"].tolist() == texts
    if distinct == 50:
        given = stored.get()["x"]
        assert given[0] is given[50]


def test_str_subclasses() -> None:
    """The documented fallback: one among plain strings comes back plain; a column of numpy's comes back as it was."""
    mixed = Stored(pd.DataFrame({"x": objects("a", np.str_("b"))})).get()["x"]
    assert mixed.tolist() == ["a", "b"]
    assert_comes_back(pd.DataFrame({"x": objects(np.str_("a"), None, np.str_("b"), np.str_(""), np.str_("c"))}))
    with pytest.raises(UnsupportedTypeError, match="mixed types"):
        Stored(pd.DataFrame({"x": objects(np.str_("a"), "b")}))


def test_columns_of_several_chunks() -> None:
    parts = [pd.DataFrame({"s": pd.array(["a", None], dtype="string[pyarrow]"), "n": [1, 2]}) for _ in range(3)]
    assert_comes_back(pd.concat(parts, ignore_index=True))


class Celsius(pd.api.extensions.ExtensionDtype):
    """A dtype of another package, which does not speak Arrow."""

    name = "celsius"
    type = float

    @classmethod
    def construct_array_type(cls) -> Any:
        return CelsiusArray


class CelsiusArray(pd.api.extensions.ExtensionArray):
    """Its array."""

    def __init__(self, values: Any) -> None:
        self._values = np.asarray(values, dtype=float)

    dtype = Celsius()

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, item: Any) -> Any:
        found = self._values[item]
        return found if np.isscalar(found) else CelsiusArray(found)

    @property
    def nbytes(self) -> int:
        return self._values.nbytes

    def isna(self) -> Any:
        return np.isnan(self._values)

    def copy(self) -> Any:
        return CelsiusArray(self._values.copy())

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> Any:
        return CelsiusArray(pd.api.extensions.take(self._values, indices, allow_fill=allow_fill, fill_value=np.nan))

    @classmethod
    def _from_sequence(cls, scalars: Any, *, dtype: Any = None, copy: bool = False) -> Any:
        return CelsiusArray(scalars)


def test_foreign_dtype_without_arrow_is_refused() -> None:
    with pytest.raises(UnsupportedTypeError, match="dtype celsius"):
        Stored(pd.DataFrame({"x": CelsiusArray([1.0, 2.0])}))
