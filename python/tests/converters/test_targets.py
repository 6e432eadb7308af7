"""The forms that data is given back in, by name and alias, for every kind that is put."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from arrow_cache import converters
from arrow_cache.errors import InvalidArgument

from .conftest import Stored, assert_same

FRAME = pd.DataFrame(
    {"n": [1, 2, 3], "f": [1.5, None, 2.5], "s": ["x", None, "z"], "c": pd.Categorical(["u", "v", "u"])},
    index=pd.Index(["k", "l", "m"], name="key"),
)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("pandas", "pandas"),
        ("pd.DataFrame", "pandas"),
        (" DataFrame ", "pandas"),
        (pd.DataFrame, "pandas"),
        ("pyarrow.Table", "arrow"),
        ("pa.Table", "arrow"),
        (pa.Table, "arrow"),
        ("ARROW", "arrow"),
        ("gpd.GeoDataFrame", "geopandas"),
        (gpd.GeoDataFrame, "geopandas"),
        ("pl.DataFrame", "polars"),
        (pl.DataFrame, "polars"),
        ("pa.RecordBatchReader", "reader"),
        (pa.RecordBatchReader, "reader"),
        ("np.ndarray", "numpy"),
        (np.ndarray, "numpy"),
        (dict, "dict"),
        ("pd.ArrowDtype", "pandas_arrow"),
        ("capsule", "capsule"),
    ],
)
def test_aliases(alias: Any, name: str) -> None:
    assert converters.normalise_target(alias) == name


@pytest.mark.parametrize(("wrong", "nearest"), [("panda", "pandas"), ("pyarow", "arrow"), ("geopanda", "geopandas")])
def test_unknown_names_the_allowed_and_the_nearest(wrong: str, nearest: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        converters.normalise_target(wrong)
    assert all(repr(kind) in str(caught.value) for kind in converters.target_kinds())
    assert f"did you mean {nearest!r}" in str(caught.value)


@pytest.mark.parametrize("wrong", ["", "xyzzy", None, 5, ["pandas"], object])
def test_unknown(wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match="unknown target type"):
        converters.normalise_target(wrong)


def test_pandas_arrow() -> None:
    back = Stored(FRAME).get("pandas_arrow")
    assert [type(dtype) for dtype in back.dtypes] == [pd.ArrowDtype] * 4
    assert back.index.equals(FRAME.index)
    assert back["n"].tolist() == [1, 2, 3]
    assert back.loc["l", "f"] is pd.NA
    part = Stored(FRAME).get("pandas_arrow", offset=1, columns=["s"])
    assert part["s"].tolist() == [pd.NA, "z"]
    assert part.index.tolist() == ["l", "m"]


def test_arrow_reader_capsule() -> None:
    stored = Stored(FRAME)
    table = stored.get("arrow")
    assert table.column_names == ["n", "f", "s", "c", "key"]
    assert stored.get("reader").read_all().equals(table)
    assert pa.RecordBatchReader.from_stream(_Capsule(stored.get("capsule"))).read_all().equals(table)


class _Capsule:
    def __init__(self, capsule: object) -> None:
        self.capsule = capsule

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.capsule


def test_polars() -> None:
    back = Stored(FRAME).get("polars")
    assert isinstance(back, pl.DataFrame)
    assert back["n"].to_list() == [1, 2, 3]
    assert back["c"].dtype == pl.Categorical
    assert back["key"].to_list() == ["k", "l", "m"]


def test_numpy() -> None:
    back = Stored(FRAME).get("numpy")
    assert back["n"].dtype == np.int64
    np.testing.assert_array_equal(back["f"], [1.5, np.nan, 2.5])
    assert back["s"].tolist() == ["x", None, "z"]
    assert back["c"].tolist() == ["u", "v", "u"]
    nullable = Stored(
        pd.DataFrame({"i": pd.array([1, None], dtype="Int64"), "b": pd.array([True, None], dtype="boolean")})
    )
    assert nullable.get("numpy")["i"].tolist() == [1, None]
    assert nullable.get("numpy")["b"].tolist() == [True, None]
    odd = Stored(pd.DataFrame({"h": np.array([1.5], "f2"), "z": [1j]})).get("numpy")
    assert (odd["h"].dtype, odd["z"].dtype) == (np.float16, np.complex128)


def test_numpy_arrays_cannot_write_into_the_cache() -> None:
    stored = Stored(pa.table({"a": [1, 2, 3]}))
    array = stored.get("numpy")["a"]
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 9
    with pytest.raises(ValueError, match="WRITEABLE"):
        array.flags.writeable = True


def test_dict() -> None:
    back = Stored(FRAME).get("dict")
    assert back == {
        "n": [1, 2, 3],
        "f": [1.5, None, 2.5],
        "s": ["x", None, "z"],
        "c": ["u", "v", "u"],
        "key": ["k", "l", "m"],
    }


def test_duplicate_names_have_no_dict_but_a_frame() -> None:
    stored = Stored(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]))
    for target in ("dict", "numpy"):
        with pytest.raises(InvalidArgument, match="'a' occurs 2 times"):
            stored.get(target)
    assert stored.get("pandas").columns.tolist() == ["a", "a"]


def test_series_and_index_as_other_forms() -> None:
    series = Stored(pd.Series([1, 2], name="x", index=["k", "l"]))
    assert_same(series.get("pandas"), pd.Series([1, 2], name="x", index=["k", "l"]))
    assert series.get("numpy").tolist() == [1, 2]
    assert series.get("arrow").column_names == ["x", "__index_level_0__"]
    assert isinstance(series.get("pandas_arrow").dtype, pd.ArrowDtype)
    index = Stored(pd.Index([1, 2], name="i"))
    assert index.get("numpy").tolist() == [1, 2]
    assert index.get("dict") == {"i": [1, 2]}
    assert_same(index.get("pandas_arrow"), pd.Index([1, 2], name="i"))


@pytest.mark.parametrize("target", converters.target_kinds())
@pytest.mark.parametrize(
    "data",
    [
        FRAME,
        FRAME["n"],
        FRAME.index,
        pa.table({"n": [1, 2, 3]}),
        pl.DataFrame({"n": [1, 2, 3]}),
        pl.Series("n", [1, 2, 3]),
    ],
    ids=["frame", "series", "index", "arrow", "polars", "polars series"],
)
def test_every_kind_in_every_form(target: str, data: Any) -> None:
    stored = Stored(data)
    if target == "geopandas":
        with pytest.raises(InvalidArgument, match="no column holds geometry"):
            stored.get(target)
        return
    back = stored.get(target)
    if target == "capsule":
        back = pa.RecordBatchReader.from_stream(_Capsule(back)).read_all()
    if target == "reader":
        back = back.read_all()
    if isinstance(back, dict):
        back = next(iter(back.values()))
    assert len(back) == 3
    empty = stored.get(target, offset=99)
    assert target in ("capsule", "reader") or len(next(iter(empty.values())) if isinstance(empty, dict) else empty) == 0


def test_default_target() -> None:
    kinds = [
        "pandas",
        "pandas_series",
        "pandas_index",
        "geopandas",
        "geopandas_series",
        "arrow",
        "polars",
        "polars_series",
    ]
    assert [converters.default_target(kind) for kind in kinds] == ["pandas"] * 3 + ["geopandas"] * 2 + ["arrow"] + [
        "polars"
    ] * 2
