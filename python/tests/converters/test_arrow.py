"""Arrow data goes in and out as it is: every type, chunk, name and piece of metadata."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from arrow_cache import converters
from arrow_cache.errors import UnsupportedTypeError

from .arrow_samples import TYPES
from .conftest import Stored


def with_metadata(column: Any) -> pa.Table:
    field = pa.field("x", column.type, metadata={"field": "é", "PARQUET:field_id": "7"})
    other = pa.field("n", pa.int64(), nullable=False)
    schema = pa.schema([field, other], metadata={"schema": "facts", "pandas": "not JSON", "arrow_cache": "not ours"})
    return pa.Table.from_arrays([column, pa.array(range(len(column)))], schema=schema)


@pytest.mark.parametrize("name", TYPES)
def test_table_comes_back_with_its_metadata(name: str) -> None:
    table = with_metadata(TYPES[name]())
    stored = Stored(table)
    assert stored.incoming.kind == "arrow"
    assert_same_table(stored.get(), table)
    for offset, limit in [(0, 2), (1, 3), (4, 9), (5, 1)]:
        assert_same_table(stored.get(offset=offset, limit=limit), table.slice(offset, limit))
    assert_same_table(stored.get(columns=["n"]), table.select(["n"]))


def assert_same_table(actual: pa.Table, expected: pa.Table) -> None:
    assert actual.schema.equals(expected.schema, check_metadata=True)
    if any(pa.types.is_floating(kind) for kind in expected.schema.types):
        assert repr(actual.to_pylist()) == repr(expected.to_pylist())  # Arrow finds NaN different from NaN
    else:
        assert actual.equals(expected, check_metadata=True)


def test_extension_type_that_pyarrow_does_not_know() -> None:
    metadata = {"ARROW:extension:name": "tests.nobody", "ARROW:extension:metadata": "parameters"}
    table = pa.table([[1, 2]], schema=pa.schema([pa.field("x", pa.int64(), metadata=metadata)]))
    assert_same_table(Stored(table).get(), table)
    assert Stored(table).get("pandas")["x"].tolist() == [1, 2]


@pytest.mark.parametrize("name", TYPES)
def test_every_type_has_a_pandas_form(name: str) -> None:
    column = TYPES[name]()
    values = pa.chunked_array([column]).to_pylist()
    back = Stored(pa.table({"x": column})).get("pandas")["x"]
    assert len(back) == 5
    for row, value in enumerate(values):
        assert bool(pd.api.types.is_scalar(back[row]) and pd.isna(back[row])) == (value is None or value != value)
    if name.startswith(("int", "uint", "bool")) and "uuid" not in name:
        assert [value for value in back if not pd.isna(value)] == [value for value in values if value is not None]
        assert all(type(value) is not float or not abs(value) >= 2**53 for value in back)


@pytest.mark.parametrize("name", TYPES)
def test_every_type_has_a_plain_form(name: str) -> None:
    column = TYPES[name]()
    stored = Stored(pa.table({"x": column}))
    assert repr(stored.get("dict")["x"]) == repr(pa.chunked_array([column]).to_pylist())
    assert len(stored.get("numpy")["x"]) == 5


@pytest.mark.parametrize("name", [name for name in TYPES if "union" not in name])
def test_every_type_has_an_arrow_dtype(name: str) -> None:
    back = Stored(pa.table({"x": TYPES[name]()})).get("pandas_arrow")["x"]
    assert isinstance(back.dtype, pd.ArrowDtype)
    assert len(back.dropna()) == sum(value is not None for value in pa.chunked_array([TYPES[name]()]).to_pylist())


NOT_POLARS = {"decimal256", "dense_union", "sparse_union", "month_day_nano_interval"}


@pytest.mark.parametrize("name", TYPES)
def test_every_type_in_polars_or_refused(name: str) -> None:
    stored = Stored(pa.table({"odd": TYPES[name]()}))
    if name in NOT_POLARS:
        with pytest.raises(UnsupportedTypeError, match=r"column 'odd' is .*, which Polars lacks"):
            stored.get("polars")
        return
    back = stored.get("polars")
    assert back.shape == (5, 1)
    if not any(word in name for word in ("struct", "tensor", "opaque", "extension", "json", "bool8")):
        assert back["odd"].null_count() == sum(value is None for value in pa.chunked_array([TYPES[name]()]).to_pylist())


@pytest.mark.parametrize(
    "column",
    [pa.array([7], pa.time64("ns")), pa.array([2**40], pa.timestamp("s")), pa.array([10**7], pa.date32())],
    ids=["nanoseconds", "far timestamp", "far date"],
)
def test_values_that_python_lacks(column: Any) -> None:
    stored = Stored(pa.table({"x": column}))
    assert stored.get().column("x").chunk(0).equals(column)
    with pytest.raises(UnsupportedTypeError, match="Python's own types lack"):
        stored.get("dict")
    assert isinstance(stored.get("pandas_arrow")["x"].dtype, pd.ArrowDtype)


TABLE = pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]})


class OnlyStream:
    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return TABLE.__arrow_c_stream__(requested_schema)


class OnlyArray:
    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return TABLE.to_batches()[0].__arrow_c_array__(requested_schema)


@pytest.mark.parametrize(
    "data",
    [
        TABLE,
        TABLE.to_batches()[0],
        TABLE.to_struct_array(),
        TABLE.to_struct_array().combine_chunks(),
        ds.dataset(TABLE),
        ds.dataset(TABLE).scanner(),
        OnlyStream(),
        OnlyArray(),
        ds.InMemoryDataset([TABLE, TABLE]).head(3),
    ],
    ids=lambda data: type(data).__name__,
)
def test_whatever_speaks_arrow(data: Any) -> None:
    assert Stored(data).get().equals(TABLE)


def test_reader_and_capsule_are_read_once() -> None:
    assert Stored(TABLE.to_reader()).get().equals(TABLE)
    incoming = converters.to_arrow(TABLE.__arrow_c_stream__())
    assert (incoming.kind, incoming.copy) == ("arrow", False)


def test_duplicate_names_and_no_columns() -> None:
    doubled = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert Stored(doubled).get().equals(doubled)
    bare = pa.Table.from_struct_array(pa.array([{}] * 3, pa.struct([])))
    assert Stored(bare).get().num_rows == 3


def test_dictionaries_that_differ_by_chunk() -> None:
    chunks = [pa.array(["a", "b"]).dictionary_encode(), pa.array(["c", None]).dictionary_encode()]
    table = pa.table({"d": pa.chunked_array(chunks)})
    assert Stored(table).get()["d"].to_pylist() == ["a", "b", "c", None]
    assert Stored(table).get("pandas")["d"].tolist()[:3] == ["a", "b", "c"]
    assert Stored(table).get("polars")["d"].to_list() == ["a", "b", "c", None]


def test_pandas_metadata_of_others_is_respected() -> None:
    frame = pd.DataFrame(
        {"a": pd.array([1, None, 3], dtype="Int64"), "b": [1, 2, 3]}, index=pd.RangeIndex(10, 70, 20, name="r")
    )
    stored = Stored(pa.Table.from_pandas(frame))
    pd.testing.assert_frame_equal(stored.get("pandas"), frame)
    pd.testing.assert_frame_equal(stored.get("pandas", offset=1, limit=1), frame.iloc[1:2])
    named = frame.set_index(pd.Index(["x", "y", "z"], name="key"))
    pd.testing.assert_frame_equal(Stored(pa.Table.from_pandas(named)).get("pandas", offset=1), named.iloc[1:])
    assert Stored(pa.Table.from_pandas(named)).get("pandas_arrow").index.name == "key"


@pytest.mark.parametrize(
    "content",
    ["", "5", "[]", "{}", "not JSON", '{"index_columns": 5}', '{"index_columns": ["none"]}', '{"columns": [5]}'],
)
def test_metadata_that_does_not_fit(content: str) -> None:
    table = pa.table({"a": [1, 2]}).replace_schema_metadata({"pandas": content, "geo": content})
    assert Stored(table).get("pandas")["a"].tolist() == [1, 2]
    assert Stored(table).get("pandas_arrow")["a"].tolist() == [1, 2]
    assert Stored(table).get().equals(table, check_metadata=True)


def test_integers_stay_integers_under_pandas_metadata() -> None:
    table = pa.Table.from_pandas(pd.DataFrame({"a": [0]})).append_column("big", pa.array([2**60 + 1]))
    both = pa.concat_tables([table, table.set_column(1, "big", pa.array([None], pa.int64()))])
    assert Stored(both).get("pandas")["big"].tolist() == [2**60 + 1, pd.NA]


def test_facts_of_an_entry_do_not_lie_about_a_changed_table() -> None:
    table = Stored(pd.DataFrame({"a": [1, 2]}, index=[5, 6])).get("arrow")
    changed = table.append_column("new", pa.array([7, 8])).slice(1)
    back = Stored(changed).get("pandas")
    assert back["new"].tolist() == [8]
    assert back["a"].tolist() == [2]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"a": [1]}, r"pd\.DataFrame\(data\)"),
        ([{"a": 1}], r"pd\.DataFrame\(data\)"),
        ([], r"pd\.DataFrame\(data\)"),
        (np.zeros((2, 2)), r"numpy.ndarray of shape \(2, 2\) is no table: name its columns"),
        (np.zeros(2, dtype=[("a", int)]), "name its columns"),
        (5, "int is no table"),
        (None, "NoneType is no table"),
        (b"bytes", "bytes is no table"),
        (pd.DataFrame, "type is no table"),
        (pa.array([1, 2]), r"Int64Array of int64 is no table: give it a name, .*'values'"),
        (pa.chunked_array([[1]]), "is no table"),
        (pa.scalar(1), "is no table"),
        (pa.array([{"a": 1}, None]), "1 of 2 structs are missing"),
        (pa.schema([]), "Schema is no table"),
        (iter([1]), "no table"),
        (pa.array([1]).__arrow_c_array__()[1], "no Arrow stream"),
    ],
)
def test_refused(data: Any, words: str) -> None:
    with pytest.raises(UnsupportedTypeError, match=words):
        converters.to_arrow(data)


def test_refusal_names_what_is_taken() -> None:
    with pytest.raises(UnsupportedTypeError, match=r"Taken are pandas\.DataFrame.*Polars.*__arrow_c_stream__.*Parquet"):
        converters.to_arrow(object())
