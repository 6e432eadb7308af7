"""The same through the cache itself: partitions, private copies, SQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from arrow_cache import ArrowCache, converters
from arrow_cache.errors import UnsupportedTypeError
from hypothesis import given
from hypothesis import strategies as st

from .conftest import assert_same
from .samples import EXTENSIONS, NUMPY, OBJECTS
from .test_properties import SETTINGS, frames, tables

pytestmark = pytest.mark.filterwarnings("ignore")
PARTITION_ROWS = 4


@pytest.fixture(scope="module")
def cache() -> Iterator[ArrowCache]:
    with ArrowCache(memory_limit="1GiB", spill_to_disk=False, partition_size_rows=PARTITION_ROWS) as opened:
        yield opened


def memory_of(array: Any, depth: int = 4) -> Iterator[np.ndarray[Any, Any]]:
    """All numpy arrays that an array of pandas is made of, and what those are views of."""
    if isinstance(array, np.ndarray):
        yield array
        yield from memory_of(array.base, depth)
    elif depth and hasattr(array, "__dict__"):
        for inner in vars(array).values():
            yield from memory_of(inner, depth - 1)


def overwrite(array: np.ndarray[Any, Any]) -> None:
    try:
        array.flags.writeable = True
    except ValueError:
        return  # nobody can write to it
    array[...] = None if array.dtype == object else np.zeros(1, array.dtype)


@pytest.mark.parametrize("name", {**NUMPY, **EXTENSIONS, **OBJECTS})
def test_writing_to_what_was_put_changes_nothing(cache: ArrowCache, name: str) -> None:
    build = {**NUMPY, **EXTENSIONS, **OBJECTS}[name]
    if "pyarrow" in name:
        pytest.skip("Arrow memory, which nobody writes to")
    frame, expected = (
        pd.DataFrame({"x": build()}, index=np.arange(5) * 2.0),
        pd.DataFrame({"x": build()}, index=np.arange(5) * 2.0),
    )
    cache.put("entry", frame)
    for array in (*memory_of(frame["x"].array), *memory_of(frame.index._data)):
        overwrite(array)
    assert_same(cache.get("entry"), expected)


@pytest.mark.parametrize("name", {**NUMPY, **EXTENSIONS})
def test_writing_to_what_was_given_back_changes_nothing(cache: ArrowCache, name: str) -> None:
    build = {**NUMPY, **EXTENSIONS}[name]
    if "Sparse" in name or "pyarrow" in name:
        pytest.skip("cannot be written to in place")
    cache.put("entry", pd.DataFrame({"x": build()}))
    given = cache.get("entry")
    given.iloc[0, 0] = given.iloc[2, 0]
    given.loc[:, "x"] = given["x"].iloc[2]
    assert_same(cache.get("entry"), pd.DataFrame({"x": build()}))


@SETTINGS
@given(frame=frames())
def test_frames_at_every_partition_border(cache: ArrowCache, frame: pd.DataFrame) -> None:
    try:
        cache.put("entry", frame)
    except UnsupportedTypeError:
        return
    assert_same(cache.get("entry"), frame)
    for offset in {0, 1, PARTITION_ROWS - 1, PARTITION_ROWS, PARTITION_ROWS + 1, len(frame), len(frame) + 1}:
        for limit in (0, 1, PARTITION_ROWS, 2 * PARTITION_ROWS, None):
            stop = None if limit is None else offset + limit
            assert_same(cache.get("entry", offset=offset, limit=limit), frame.iloc[offset:stop])


@SETTINGS
@given(table=tables(), offset=st.integers(0, 9), limit=st.integers(0, 9))
def test_arrow_tables_at_any_border(cache: ArrowCache, table: pa.Table, offset: int, limit: int) -> None:
    cache.put("entry", table)
    assert cache.get("entry").equals(table, check_metadata=True)
    assert cache.get("entry", offset=offset, limit=limit).equals(table.slice(offset, limit), check_metadata=True)


@pytest.mark.parametrize(
    "name", {**NUMPY, **EXTENSIONS, **{f"object: {name}": build for name, build in OBJECTS.items()}}
)
def test_select_all_has_the_values(cache: ArrowCache, name: str, request: pytest.FixtureRequest) -> None:
    """What SQL gives is what Arrow has, dictionaries decoded, and moments told in the session's zone."""
    if name == "category of bool" and duckdb.__version__ < "2":
        reason = "the scan does not decode dictionaries of booleans with missing ones for DuckDB 1.5"
        request.applymarker(pytest.mark.xfail(reason=reason, strict=False))
    build = NUMPY.get(name) or EXTENSIONS.get(name) or OBJECTS[name.removeprefix("object: ")]
    cache.put("entry", pd.DataFrame({"x": build(), "n": range(5)}))
    kept = cache.get("entry", target_type="arrow").column("x")
    seen = cache.query("SELECT x FROM _cache_entry ORDER BY n", target_type="arrow").column("x")
    assert [value is None for value in plain(seen)] == [value is None for value in plain(kept)]
    if any(word in str(kept.type) for word in ("duration", "uuid", "tz=")):
        return  # told otherwise by SQL: intervals, text, the session's zone
    assert repr(plain(seen)) == repr(plain(kept))


def plain(column: pa.ChunkedArray) -> list[Any]:
    """Python values in which two spellings of the same are equal."""
    if pa.types.is_dictionary(column.type):
        return plain(pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], column.type.value_type))
    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return list(column.cast(pa.int64() if pa.types.is_timestamp(column.type) else pa.int32()).to_pylist())
    return list(column.to_pylist())


def test_memory_is_handed_out_not_copied(cache: ArrowCache) -> None:
    whole = ArrowCache(memory_limit="1GiB", spill_to_disk=False)
    with whole:
        whole.put("entry", pd.DataFrame({"a": np.arange(1000), "b": np.arange(1000.0)}))
        if not converters.copy_on_write.is_available():
            pytest.skip("pandas 2 gets copies")
        table = whole.get("entry", target_type="arrow")
        assert whole.get("entry")["a"].to_numpy().ctypes.data == table.column("a").chunk(0).buffers()[1].address
