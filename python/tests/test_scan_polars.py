"""`scan_polars`: what a lazy query reads, and that it gives what Polars gives over the whole frame."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache, InvalidArgumentType, KeyNotFound, UnsupportedTypeError, _core
from arrow_cache.capsules import reader_of

pl = pytest.importorskip("polars")

ROWS = 300_000
ENGINES = ["in-memory", "streaming"]


@pytest.fixture
def scans(monkeypatch):
    """What is asked of the engine: columns, and rows that went out."""
    seen = []
    scan = _core.scan

    def spy(entry, offset, limit, columns):
        capsule = scan(entry, offset, limit, columns)
        seen.append({"columns": list(columns), "limit": limit, "rows": 0})

        def batches(reader, facts):
            for batch in reader:
                facts["rows"] += batch.num_rows
                yield batch

        reader = reader_of(capsule)
        return pa.RecordBatchReader.from_batches(reader.schema, batches(reader, seen[-1])).__arrow_c_stream__()

    monkeypatch.setattr(_core, "scan", spy)
    return seen


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(1)
    return pl.DataFrame({"a": range(ROWS), "b": [f"row {n}" for n in range(ROWS)], "c": rng.random(ROWS), "d": [None if n % 3 else n for n in range(ROWS)]})


@pytest.fixture(scope="module")
def filled(frame):
    with ArrowCache(spill_to_disk=False, partition_size_rows=50_000) as opened:
        opened.put("t", frame.to_arrow(compat_level=pl.CompatLevel.newest()))
        yield opened


QUERIES = {
    "all": (lambda f: f, [0, 1, 2, 3], None),
    "one column": (lambda f: f.select("c"), [2], None),
    "another order": (lambda f: f.select("d", "a"), [0, 3], None),
    "an aggregate": (lambda f: f.select(pl.col("d").sum()), [3], None),
    "a count": (lambda f: f.select(pl.len()), [0], None),
    "a filter": (lambda f: f.filter(pl.col("a") >= ROWS - 5), [0, 1, 2, 3], None),
    "a filter on another column": (lambda f: f.filter(pl.col("a") % 1000 == 0).select("b"), [0, 1], None),
    "a filter with nulls": (lambda f: f.filter(pl.col("d") > 100).select("d"), [3], None),
    "a filter that nothing satisfies": (lambda f: f.filter(pl.col("c") > 2).select("a"), [0, 2], None),
    "head": (lambda f: f.select("a").head(10), [0], 10),
    "head, then a filter": (lambda f: f.select("a").head(100).filter(pl.col("a") > 95), [0], 100),
    "a filter, then head": (lambda f: f.select("a").filter(pl.col("a") > 95).head(3), [0], None),
    "a slice": (lambda f: f.select("a").slice(ROWS - 10, 5), [0], None),
    "groups": (lambda f: f.group_by(pl.col("a") % 7).agg(pl.col("d").max()).sort("a"), [0, 3], None),
    "a computed predicate": (lambda f: f.filter(pl.col("b").str.ends_with("77") & pl.col("d").is_not_null()).select("a"), [0, 1, 3], None),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", QUERIES)
def test_the_same_as_over_the_frame_and_no_column_too_many(filled, frame, scans, name, engine):
    query, columns, limit = QUERIES[name]
    lazy = filled.scan_polars("t")
    assert scans == []
    result = query(lazy).collect(engine=engine)
    assert result.equals(query(frame.lazy()).collect()) and result.schema == query(frame.lazy()).collect_schema()
    assert len(scans) == 1
    assert sorted(scans[0]["columns"]) == columns and scans[0]["limit"] == limit
    if limit is not None:
        assert scans[0]["rows"] == limit


def test_a_filter_works_before_rows_leave(filled, monkeypatch):
    heights = []
    import arrow_cache.scanning as scanning

    batches = scanning._batches

    def spy(*arguments):
        for batch in batches(*arguments):
            heights.append(batch.height)
            yield batch

    monkeypatch.setattr(scanning, "_batches", spy)
    filled.scan_polars("t").filter(pl.col("a") == 123_456).select("a").collect()
    assert sum(heights) == 1 and len(heights) > 1


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_batches_are_no_larger_than_asked_for(filled, rows):
    from arrow_cache.entry_view import EntryView
    from arrow_cache.scanning import _batches

    entry = _core.peek(filled._handle, "t")
    stored = EntryView.of(entry).schema
    heights = [batch.height for batch in _batches(entry, stored, ["a"], None, 300, rows)]
    assert max(heights) <= rows and sum(heights) == 300
    kept = [batch for batch in _batches(entry, stored, ["b"], pl.col("a") % 2 == 0, 300, rows)]
    assert all(batch.columns == ["b"] for batch in kept) and sum(batch.height for batch in kept) == 150


def test_the_schema_costs_no_rows(filled, frame, scans):
    assert filled.scan_polars("t").collect_schema() == frame.schema
    assert scans == []


def test_one_source_twice_in_a_query(filled, frame):
    lazy = filled.scan_polars("t")
    joined = lazy.filter(pl.col("a") < 10).join(lazy.select("a", right="c"), on="a").sort("a").collect()
    assert joined["right"].to_list() == frame["c"][:10].to_list()


def test_reads_the_version_that_was_there(cache):
    cache.put("t", pa.table({"a": [1, 2]}))
    lazy = cache.scan_polars("t")
    cache.put("t", pa.table({"a": ["x"]}))
    assert lazy.collect()["a"].to_list() == [1, 2]
    cache.remove("t")
    cache.close()
    assert lazy.collect()["a"].to_list() == [1, 2]


def test_every_kind_of_entry(cache):
    pandas_frame = pd.DataFrame({"n": [1, 2, 3], "c": pd.Categorical(["x", "y", "x"]), "t": pd.date_range("2020", periods=3, tz="UTC")}, index=[5, 6, 7])
    cache.put("pandas", pandas_frame)
    cache.put("series", pl.Series("s", [1, None, 3]))
    cache.put("polars", pl.DataFrame({"e": pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])), "l": [[1], [2, 3]], "d": [decimal.Decimal("1.5"), None], "t": [dt.time(1), None]}))
    cache.put("empty", pa.table({"a": pa.array([], pa.int8())}))
    cache.put("nothing", pd.DataFrame())
    for key in ("pandas", "polars", "empty", "nothing"):
        for engine in ENGINES:
            expected = cache.get(key, "polars")
            found = cache.scan_polars(key).collect(engine=engine)
            assert found.equals(expected) and found.schema == expected.schema, key
    assert cache.scan_polars("series").collect().to_dict(as_series=False) == {"s": [1, None, 3]}


def test_dictionaries_that_differ_between_batches(cache):
    chunks = [pa.array(values).dictionary_encode() for values in (["x", "y"], ["z", None], ["y", "x"])]
    cache.put("t", pa.table({"c": pa.chunked_array(chunks)}))
    lazy = cache.scan_polars("t")
    assert lazy.collect()["c"].to_list() == ["x", "y", "z", None, "y", "x"]
    assert lazy.filter(pl.col("c") == "y").collect()["c"].to_list() == ["y", "y"]


def test_what_is_refused(cache):
    with pytest.raises(KeyNotFound, match="no entry 'x' to scan"):
        cache.scan_polars("x")
    with pytest.raises(InvalidArgumentType):
        cache.scan_polars(None)
    cache.put("t", pa.table({"a": pa.array([1], pa.decimal256(50, 0))}))
    with pytest.raises(UnsupportedTypeError, match="column 'a' is decimal256"):
        cache.scan_polars("t")
    cache.put("t", pa.table([[1], [2]], names=["a", "a"]))
    with pytest.raises(UnsupportedTypeError, match="duplicate"):
        cache.scan_polars("t")


def test_an_error_of_the_query_comes_out(filled):
    with pytest.raises(pl.exceptions.PolarsError):
        filled.scan_polars("t").filter(pl.col("b").str.to_integer(strict=True) > 0).collect()
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        filled.scan_polars("t").select("nowhere").collect()
