"""Whatever is generated comes back equal, whole and cut anywhere, or is refused by name; nothing is altered silently."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from arrow_cache.errors import UnsupportedTypeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from .conftest import Stored, assert_same, same_objects
from .samples import PANDAS_3, PARIS, objects

pytestmark = pytest.mark.filterwarnings("ignore")
SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
missing = st.sampled_from([None, np.nan, pd.NA, pd.NaT])
decimals = st.decimals().filter(lambda value: not value.is_snan())  # pandas cannot compare those
moments = st.datetimes(min_value=dt.datetime(1700, 1, 1), max_value=dt.datetime(2200, 1, 1))
scalars: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "bytes": st.binary(max_size=6),
    "bool": st.booleans(),
    "int": st.integers(-(2**70), 2**70),
    "float": st.floats(width=64),
    "decimal": decimals,
    "date": st.dates(),
    "time": st.times(),
    "datetime": st.datetimes(),
    "zoned": st.datetimes(
        min_value=dt.datetime(1900, 1, 1), max_value=dt.datetime(2100, 1, 1), timezones=st.just(dt.timezone.utc)
    ),
    "paris": st.datetimes(
        min_value=dt.datetime(1900, 1, 1),
        max_value=dt.datetime(2100, 1, 1),
        timezones=st.just(PARIS),
        allow_imaginary=False,
    ),
    "timedelta": st.timedeltas(),
    "uuid": st.uuids(),
    "complex": st.complex_numbers(),
    "timestamp": moments.map(pd.Timestamp),
    "numpy": st.integers(-100, 100).map(np.int16),
}
anything = st.recursive(
    st.one_of(st.none(), *scalars.values()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(texts, st.integers(0, 3)), inner, max_size=3),
    ),
    max_leaves=6,
)


@st.composite
def of_one_shape(draw: st.DrawFn, depth: int = 2) -> st.SearchStrategy[Any]:
    """A strategy for values of one nested type, None among them."""
    kind = draw(st.sampled_from(["leaf", "leaf", "list", "tuple", "struct", "map", "variants"] if depth else ["leaf"]))
    if kind == "leaf":
        return scalars[draw(st.sampled_from(["text", "bytes", "bool", "float", "date", "time", "datetime"]))]
    inner = st.one_of(st.none(), draw(of_one_shape(depth - 1)))
    if kind == "list":
        return st.lists(inner, max_size=3)
    if kind == "tuple":
        return st.lists(inner, max_size=3).map(tuple)
    if kind == "map":
        return st.dictionaries(st.integers(0, 9), inner, max_size=3)
    other = st.one_of(st.none(), draw(of_one_shape(depth - 1)))
    if kind == "variants":
        return st.fixed_dictionaries({}, optional={"a": inner, "b": other})
    return st.fixed_dictionaries({"a": inner, "b": other})


def columns(rows: int) -> st.SearchStrategy[Any]:
    """A column of any dtype."""
    dtypes = st.one_of(
        hnp.boolean_dtypes(),
        hnp.integer_dtypes(endianness="="),
        hnp.floating_dtypes(endianness="=", sizes=(16, 32, 64)),
        hnp.complex_number_dtypes(endianness="=", sizes=(64, 128)),
        st.sampled_from([np.dtype(f"{kind}8[{unit}]") for kind in "mM" for unit in ("s", "ms", "us", "ns")]),
    )
    plain = dtypes.flatmap(lambda dtype: hnp.arrays(dtype, rows))
    integers = st.lists(st.one_of(st.none(), st.integers(-100, 100)), min_size=rows, max_size=rows)
    strings = st.lists(st.one_of(st.none(), texts), min_size=rows, max_size=rows)
    return st.one_of(
        plain,
        st.builds(
            lambda values, name: pd.array(values, dtype=name),
            integers,
            st.sampled_from(["Int8", "Int64", "Float32", "int16[pyarrow]"]),
        ),
        st.builds(
            lambda values, name: pd.array(values, dtype=name),
            strings,
            st.sampled_from(["string[python]", "string[pyarrow]", *(["str"] if PANDAS_3 else [])]),
        ),
        st.builds(
            lambda values, ordered: pd.Categorical(values, ordered=ordered), st.one_of(integers, strings), st.booleans()
        ),
        integers.map(
            lambda values: pd.arrays.SparseArray(
                np.array([0 if v is None else v for v in values], dtype="int64"), fill_value=0
            )
        ),
        st.builds(
            lambda values, freq: pd.PeriodIndex.from_ordinals([v or 0 for v in values], freq=freq).array,
            integers,
            st.sampled_from(["D", "M", "Q", "h", "us"]),
        ),
        integers.map(
            lambda values: pd.arrays.IntervalArray.from_arrays([v or 0 for v in values], [(v or 0) + 1 for v in values])
        ),
        integers.map(
            lambda values: (
                pd.to_datetime(pd.Series(values, dtype="Int64"), unit="D", utc=True).dt.tz_convert("Europe/Paris").array
            )
        ),
        st.sampled_from(sorted(scalars)).flatmap(lambda name: object_columns(rows, scalars[name])),
        of_one_shape().flatmap(lambda values: object_columns(rows, values)),
    )


def object_columns(rows: int, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.one_of(values, values, values, missing), min_size=rows, max_size=rows).map(
        lambda found: objects(*found)
    )


def indexes(rows: int) -> st.SearchStrategy[Any]:
    names = st.one_of(st.none(), texts, st.integers(0, 3))
    flat = st.one_of(
        st.builds(
            lambda start, step, name: pd.RangeIndex(start, start + rows * step, step, name=name),
            st.integers(-9, 9),
            st.sampled_from([-3, -1, 1, 2]),
            names,
        ),
        st.builds(
            lambda values, name: pd.Index(values, name=name),
            st.lists(st.integers(), min_size=rows, max_size=rows).map(lambda v: np.array(v, dtype=object)),
            names,
        ),
        st.builds(
            lambda values, name: pd.Index(values, dtype=object, name=name),
            st.lists(texts, min_size=rows, max_size=rows),
            names,
        ),
        st.builds(
            lambda freq, name: pd.date_range("2020-03-28", periods=rows, freq=freq, tz="Europe/Paris", name=name),
            st.sampled_from(["D", "h", "ME", "W-TUE", "15min"]),
            names,
        ),
        hnp.arrays(np.float64, rows).map(pd.Index),
        st.lists(st.sampled_from("abc"), min_size=rows, max_size=rows).map(pd.CategoricalIndex),
    )
    return st.one_of(flat, st.lists(flat, min_size=2, max_size=3).map(lambda levels: pd.MultiIndex.from_arrays(levels)))


labels = st.one_of(
    texts,
    st.integers(-3, 3),
    st.tuples(st.sampled_from("ab"), st.integers(0, 2)),
    st.sampled_from(["a", "A", "a_1", ""]),
)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(0, 12))
    count = draw(st.integers(0, 4))
    arrays = [draw(columns(rows)) for _ in range(count)]
    frame = pd.DataFrame({position: array for position, array in enumerate(arrays)}, index=pd.RangeIndex(rows))
    frame.index = draw(indexes(rows))
    found = draw(st.lists(labels, min_size=count, max_size=count))
    if count:
        frame.columns = pd.Index(found, tupleize_cols=draw(st.booleans()))
        frame.columns.names = [draw(st.sampled_from([None, "names"])) for _ in frame.columns.names]
    return frame


@SETTINGS
@given(frames(), st.integers(0, 13), st.integers(0, 13), st.randoms(use_true_random=False))
def test_frames(frame: pd.DataFrame, offset: int, limit: int, random: Any) -> None:
    try:
        stored = Stored(frame)
    except UnsupportedTypeError as error:
        assert ": " in str(error)
        return
    assert_same(stored.get(), frame)
    assert_same(stored.get(offset=offset, limit=limit), frame.iloc[offset : offset + limit])
    wanted = [label for label in frame.columns if random.random() < 0.5]
    if len(frame.columns):
        assert_same(stored.get(columns=wanted, offset=offset, limit=limit), frame[wanted].iloc[offset : offset + limit])
    assert_same(Stored(frame, preserve_index=False).get(), frame.reset_index(drop=True))


@SETTINGS
@given(st.lists(anything, min_size=1, max_size=5))
def test_any_objects_come_back_exactly_or_are_refused(values: list[Any]) -> None:
    column = objects(*values)
    try:
        stored = Stored(pd.DataFrame({"x": column}))
    except UnsupportedTypeError as error:
        assert str(error).startswith("column 'x'")
        return
    back = stored.get()["x"]
    for found, value in zip(back, values, strict=True):
        assert same_objects(found, value), f"{found!r} is not {value!r}"
    for found, value in zip(stored.get(offset=1)["x"], values[1:], strict=True):
        assert same_objects(found, value)


@SETTINGS
@given(st.dictionaries(texts, anything, max_size=3))
def test_any_attrs_come_back_exactly_or_are_refused(attrs: dict[str, Any]) -> None:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs = attrs
    assert same_objects(Stored(frame).get().attrs, attrs)


arrow_leaves = st.sampled_from(
    [
        pa.null(),
        pa.bool_(),
        pa.int8(),
        pa.uint64(),
        pa.float32(),
        pa.float64(),
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.binary_view(),
        pa.date32(),
        pa.time64("us"),
        pa.timestamp("ms"),
        pa.timestamp("us", "Europe/Paris"),
        pa.duration("us"),
        pa.decimal128(20, 3),
        pa.dictionary(pa.int8(), pa.string()),
    ]
)
arrow_types = st.recursive(
    arrow_leaves.filter(lambda kind: not pa.types.is_dictionary(kind)),
    lambda inner: st.one_of(
        inner.map(pa.list_),
        inner.map(pa.large_list),
        inner.map(pa.list_view),
        inner.map(lambda kind: pa.list_(kind, 2)),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda kinds: pa.struct([(f"f{i}", kind) for i, kind in enumerate(kinds)])
        ),
        inner.map(lambda kind: pa.map_(pa.string(), kind)),
    ),
    max_leaves=3,
)


def arrow_values(kind: pa.DataType) -> st.SearchStrategy[Any]:
    """Python values that pyarrow takes for a type, None among them."""
    types = pa.types
    if types.is_null(kind):
        return st.none()
    if types.is_struct(kind):
        found: st.SearchStrategy[Any] = st.fixed_dictionaries(
            {kind.field(i).name: arrow_values(kind.field(i).type) for i in range(kind.num_fields)}
        )
    elif types.is_map(kind):
        found = st.lists(st.tuples(texts, arrow_values(kind.item_type)), max_size=2)
    elif types.is_fixed_size_list(kind):
        found = st.lists(arrow_values(kind.value_type), min_size=2, max_size=2)
    elif types.is_nested(kind):
        found = st.lists(arrow_values(kind.value_type), max_size=3)
    elif types.is_dictionary(kind) or "string" in str(kind):
        found = texts
    elif "binary" in str(kind):
        found = st.binary(max_size=4)
    elif types.is_boolean(kind):
        found = st.booleans()
    elif types.is_floating(kind):
        found = st.floats(width=32, allow_nan=False)
    elif types.is_decimal(kind):
        found = st.decimals(-1000, 1000, places=3).map(lambda value: decimal.Decimal(value))
    elif types.is_date(kind):
        found = st.dates()
    elif types.is_time(kind):
        found = st.times()
    else:
        found = st.integers(0, 100)
    return st.one_of(st.none(), found)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(st.integers(0, 8))
    kinds = draw(st.lists(st.one_of(arrow_types, arrow_leaves), min_size=1, max_size=3))
    names = draw(st.lists(texts.filter(lambda text: "\0" not in text), min_size=len(kinds), max_size=len(kinds)))
    arrays = []
    for kind in kinds:
        array = pa.array(draw(st.lists(arrow_values(kind), min_size=rows + 2, max_size=rows + 2)), kind)
        cut = draw(st.integers(0, rows))
        arrays.append(pa.chunked_array([array.slice(1, cut), array.slice(1 + cut, rows - cut)], kind))
    metadata = draw(st.one_of(st.none(), st.dictionaries(texts.filter(bool), texts, min_size=1, max_size=2)))
    fields = [
        pa.field(name, kind, metadata={"k": name} if draw(st.booleans()) else None)
        for name, kind in zip(names, kinds, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=metadata))


@SETTINGS
@given(tables(), st.integers(0, 9), st.integers(0, 9))
def test_arrow_tables(table: pa.Table, offset: int, limit: int) -> None:
    stored = Stored(table)
    assert stored.get().equals(table, check_metadata=True)
    assert stored.get(offset=offset, limit=limit).equals(table.slice(offset, limit), check_metadata=True)
    assert len(stored.get("pandas", offset=offset)) == max(0, table.num_rows - offset)


@SETTINGS
@given(tables())
def test_arrow_tables_in_every_other_form(table: pa.Table) -> None:
    stored = Stored(table)
    frame = stored.get("pandas")
    for position, column in enumerate(table.columns):
        nulls = [value is None for value in column.to_pylist()]
        found = [bool(pd.api.types.is_scalar(value) and pd.isna(value)) for value in frame.iloc[:, position]]
        assert found == nulls
    assert len(stored.get("pandas_arrow")) == table.num_rows
    if len(set(table.column_names)) == table.num_columns:
        assert stored.get("dict") == {
            name: column.to_pylist() for name, column in zip(table.column_names, table.columns, strict=True)
        }
        try:
            assert stored.get("polars").height == table.num_rows
        except UnsupportedTypeError as error:
            assert "list_view" in str(error)
