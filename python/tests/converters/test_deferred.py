"""Frames that are converted in pieces: the same tables and the same frames as in one piece, whatever lies at the borders."""

import datetime
import decimal
import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from arrow_cache import ArrowCache, StorageError, UnsupportedTypeError, converters
from arrow_cache.converters import deferred, geometry_columns, pandas_in
from converters.conftest import Stored, assert_same

ROWS = 37
BLOCK = 8
DAY = datetime.date(2024, 1, 31)


def objects(values):
    """Of dtype object, which pandas 3 makes of no text by itself."""
    return pd.Series(values, dtype=object)


def spread(values):
    """As many rows as there are, the given values first in each block but one: types must not be guessed from a piece."""
    column = np.empty(ROWS, dtype=object)
    column[:] = [values[row % len(values)] if row // BLOCK != 1 else None for row in range(ROWS)]
    return column


COLUMNS = {
    "text": spread(["", "a", "ünï", "x" * 100]),
    "late text": np.array([None] * (ROWS - 1) + ["late"], dtype=object),
    "text, each kind of missing": spread(["a", None, float("nan"), pd.NA, pd.NaT]),
    "text, missing of another kind in the last block": np.array(["a"] * 20 + [None] + ["b"] * 15 + [np.nan], dtype=object),
    "bytes": spread([b"", b"\0\xff"]),
    "small integers, one large": np.array([1] * (ROWS - 1) + [2**63], dtype=object),
    "integers beyond 64 bits": np.array([None] + [1] * (ROWS - 2) + [2**80], dtype=object),
    "decimals of one scale": spread([decimal.Decimal("1.50"), decimal.Decimal("123456.00")]),
    "decimals of several": spread([decimal.Decimal("1.5"), decimal.Decimal("1.5000")]),
    "booleans": spread([True, False]),
    "floats": spread([1.5, float("inf")]),
    "dates": spread([DAY, datetime.date(1, 1, 1)]),
    "datetimes": spread([datetime.datetime(2024, 1, 31, 1, 2, 3, 4)]),
    "times": spread([datetime.time(1, 2, 3)]),
    "durations": spread([datetime.timedelta(days=-1, microseconds=1)]),
    "lists": spread([[1, 2], [], None]),
    "dicts": spread([{"a": 1}, {"a": None}]),
    "nothing": np.array([None] * ROWS, dtype=object),
    "python strings": pd.array(["a", pd.NA] * 18 + ["b"], dtype=pd.StringDtype("python")),
    "arrow strings": pd.array(["a", pd.NA] * 18 + ["b"], dtype=pd.StringDtype("pyarrow")),
    "nullable": pd.array([1, None] * 18 + [2], dtype="Int64"),
    "category": pd.Categorical(["a", None] * 18 + ["b"]),
    "zoned": pd.date_range("2024", periods=ROWS, tz="Europe/Zurich"),
    "intervals": pd.interval_range(0, ROWS),
    "numbers": np.arange(ROWS) * 1.5,
    "rows apart": np.arange(ROWS * 2, dtype=np.float32)[::2],
    "rows apart, with NaN": np.where(np.arange(ROWS * 2) % 5, np.nan, 1.0)[::2],
    "rows apart, times": np.arange(ROWS * 2).astype("M8[s]")[::2],
    "rows apart, durations": np.where(np.arange(ROWS * 2) % 7, 5, np.iinfo(np.int64).min).astype("m8[s]")[::2],
    "rows apart, half precision": np.arange(ROWS * 2, dtype=np.float16)[::2],
    "rows apart, complex": (np.arange(ROWS * 2) * 1j)[::2],
    "rows apart, booleans": (np.arange(ROWS * 2) % 3 == 0)[::2],
    "rows backward": np.arange(ROWS)[::-1],
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    for module in (deferred, geometry_columns, converters.columns.numpy_columns):
        monkeypatch.setattr(module, "BLOCK_ROWS", BLOCK)


@pytest.fixture
def always(monkeypatch):
    """Every frame counts as large."""
    monkeypatch.setattr(pandas_in, "_is_large", lambda arrays, most_bytes: most_bytes is not None)




@pytest.mark.parametrize("most_bytes", [1, 8 * 300, 10**9])
@pytest.mark.parametrize("name", COLUMNS)
def test_pieces_are_the_whole(name, most_bytes, always):
    column = COLUMNS[name]
    column = objects(column) if column.dtype == object else pd.Series(column, copy=False)
    frame = pd.DataFrame({"x": column, "n": np.arange(ROWS)}, copy=False)
    whole, pieces = Stored(frame), Stored(frame, most_bytes=most_bytes)
    assert pieces.table.schema.equals(whole.table.schema, check_metadata=True)
    assert pieces.table.equals(whole.table)
    assert_same(pieces.get(), frame)
    for offset, limit in ((0, 5), (7, 2), (8, 8), (15, 20), (36, 9), (37, 1)):
        assert_same(pieces.get(offset=offset, limit=limit), whole.get(offset=offset, limit=limit))


def test_pieces_are_of_bounded_bytes(always):
    frame = pd.DataFrame({"t": objects(["x" * 100] * ROWS), "n": objects(range(ROWS))})
    batches = pa.RecordBatchReader.from_stream(converters.to_arrow(frame, most_bytes=8 * 1400).stream).read_all().to_batches()
    assert [batch.num_rows for batch in batches] == [8, 8, 8, 8, 5]
    batches = pa.RecordBatchReader.from_stream(converters.to_arrow(frame, most_bytes=8 * 2000).stream).read_all().to_batches()
    assert [batch.num_rows for batch in batches] == [16, 16, 5]


@pytest.mark.parametrize("values", [COLUMNS["text"], COLUMNS["rows apart"], COLUMNS["numbers"]], ids=["text", "apart", "numbers"])
def test_series_and_an_index_of_text(values, always):
    series = pd.Series(values, dtype=values.dtype, index=pd.Index([f"row {row}" for row in range(ROWS)], dtype=object, name="i"), name="s", copy=False)
    assert_same(Stored(series, most_bytes=1).get(), series)
    assert_same(Stored(series.to_frame(), most_bytes=1).get(offset=6, limit=4), series.to_frame().iloc[6:10])


def test_no_rows(always):
    for frame in (pd.DataFrame({"t": np.empty(0, dtype=object)}), pd.DataFrame({"t": pd.array([], dtype="str")})):
        assert_same(Stored(frame, most_bytes=1).get(), frame)


def test_rows_that_lie_apart_are_never_lent(always):
    """Rows in one piece by chance, as the last one of 33, are no different."""
    base = np.arange(33 * 2, dtype=float)
    incoming = converters.to_arrow(pd.DataFrame({"x": base[::2]}, copy=False), most_bytes=1)
    assert incoming.copy == []
    table = pa.RecordBatchReader.from_stream(incoming.stream).read_all()
    base[:] = -1
    assert table["x"].to_pylist() == [float(number) for number in range(0, 66, 2)]


def test_only_what_is_large_is_taken_in_pieces():
    text = pd.DataFrame({"t": objects(["x" * 96] * 100)})
    assert isinstance(converters.to_arrow(text, most_bytes=20_000).stream, pa.Table)
    assert isinstance(converters.to_arrow(text, most_bytes=9_000).stream, deferred.RowChunks)
    assert isinstance(converters.to_arrow(text).stream, pa.Table)
    numbers = pd.DataFrame({"n": np.arange(100_000)})
    assert isinstance(converters.to_arrow(numbers, most_bytes=1).stream, pa.Table)  # shown as they are, without new memory
    apart = pd.DataFrame(np.zeros((1000, 4)), copy=False)
    assert isinstance(converters.to_arrow(apart, most_bytes=8_000).stream, deferred.RowChunks)


@pytest.mark.parametrize(
    ("value", "error"), [("\ud800", "not valid Unicode"), (object(), "mixed types"), (1, "mixed types")], ids=["surrogate", "object", "mixed"]
)
def test_what_is_refused_is_refused_before_anything_is_read(value, error, always):
    values = np.array(["a"] * (ROWS - 1) + [value], dtype=object)
    with pytest.raises(UnsupportedTypeError, match=f"column 'x'.*{error}"):
        converters.to_arrow(pd.DataFrame({"x": objects(values)}), most_bytes=1)


def test_an_error_while_the_rows_are_read_is_told_as_it_is(always, monkeypatch):
    incoming = converters.to_arrow(pd.DataFrame({"x": objects(COLUMNS["text"])}), most_bytes=1)

    def fail(rows):
        raise StorageError("the disk is gone")

    monkeypatch.setattr(incoming.stream._columns[0], "_make", fail)
    with ArrowCache(memory_limit="10MB", spill_to_disk=False) as cache:
        with pytest.raises(StorageError, match="^the disk is gone$"):
            cache._keep("x", incoming, ttl=None)
        assert "x" not in cache


def test_converting_a_large_frame_takes_bounded_memory():
    """What numpy, pyarrow and Python allocate while batches are read and let go, against the frame's own size."""
    frame = pd.DataFrame({"t": objects([f"{row:0100d}" for row in range(200_000)])})
    stream = converters.to_arrow(frame, most_bytes=2_000_000).stream
    pool = pa.system_memory_pool()
    assert isinstance(stream, deferred.RowChunks)
    before, most, rows = pool.bytes_allocated(), 0, 0
    tracemalloc.start()
    for batch in pa.RecordBatchReader.from_stream(stream):
        most, rows = max(most, pool.bytes_allocated() - before), rows + batch.num_rows
        del batch
    _, traced = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows == len(frame)
    assert most < 2_000_000 and traced < 2_000_000  # the whole column is 20 MB


# --- geometry ----------------------------------------------------------------------------------------------------------------


def test_geometry(always):
    gpd, shapely = pytest.importorskip("geopandas"), pytest.importorskip("shapely")
    shapes = [
        shapely.Point(1, 2),
        shapely.Point(1, 2, 3),
        None,
        shapely.LinearRing([(0, 0), (1, 0), (1, 1)]),
        shapely.Point(np.nan, np.nan),
        shapely.Point(),
        shapely.GeometryCollection([shapely.Point(0, 0)]),
        shapely.box(0, 0, 1, 1),
    ]
    values = np.empty(ROWS, dtype=object)
    values[:] = [shapes[row * 3 % 8] for row in range(ROWS)]
    frame = gpd.GeoDataFrame({"n": range(ROWS)}, geometry=gpd.GeoSeries(values, crs="EPSG:4326"))
    whole, pieces = Stored(frame), Stored(frame, most_bytes=1)
    assert isinstance(pieces.incoming.stream, deferred.RowChunks)
    assert pieces.table.schema.equals(whole.table.schema, check_metadata=True) and pieces.table.equals(whole.table)
    for offset, limit in ((0, None), (5, 7), (36, 1)):
        got, expected = pieces.get(offset=offset, limit=limit), whole.get(offset=offset, limit=limit)
        assert got.crs == expected.crs and shapely.to_wkt(got.geometry.array).tolist() == shapely.to_wkt(expected.geometry.array).tolist()
    assert deferred.byte_estimate(frame.geometry.array) > 16 * 100


def test_through_the_cache():
    frame = pd.DataFrame({"t": objects([f"text {row}" * 20 for row in range(20_000)]), "n": np.arange(20_000)})
    with ArrowCache(memory_limit="8MB", spill_to_disk=False) as cache:
        cache.put("f", frame)
        assert cache.get_metadata("f")["num_rows"] == 20_000
        assert_same(cache.get("f"), frame)
        assert_same(cache.get("f", offset=16_380, limit=10), frame.iloc[16_380:16_390])
        assert int(cache.query("SELECT sum(length(t)) AS n FROM _cache_f")["n"][0]) == int(frame["t"].str.len().sum())
