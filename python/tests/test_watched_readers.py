"""Readers of queries with a time limit or progress: closed, and read by others than their caller."""

import threading

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import dataset

from arrow_cache import ArrowCache, QueryError, QueryInterrupted
from arrow_cache.watched_reader import WatchedReader

ROWS = 400_000
OPTIONS = [{}, {"timeout": 60}, {"progress": lambda share: None}]
#: Minutes of work, as DuckDB sees it.
ENDLESS = "SELECT a.n FROM _cache_t a, _cache_t b WHERE a.v * b.v > 0.5"


@pytest.fixture
def filled():
    with ArrowCache(memory_limit="1GiB", cache_query_results=False) as cache:  # a kept result has nothing to watch
        cache.put("t", pa.table({"n": np.arange(ROWS), "v": np.random.default_rng(1).random(ROWS)}))
        yield cache


def is_usable(cache):
    return cache.query("SELECT count(*) AS c, max(n) AS m FROM _cache_t", target_type="dict") == {"c": [ROWS], "m": [ROWS - 1]}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("is_begun", [False, True])
def test_closing_a_reader_ends_its_query(filled, options, is_begun):
    reader = filled.query("SELECT n, n + 1 AS m FROM _cache_t, range(10)", target_type="reader", **options)
    if is_begun:
        assert reader.read_next_batch().num_rows > 0
    stream = reader.__arrow_c_stream__() if is_begun else None
    reader.close()
    assert filled.interrupt() == 0
    for read in (reader.read_next_batch, reader.read_all, lambda: list(reader), reader.read_next_batch):
        with pytest.raises(pa.ArrowInvalid, match="already been closed"):
            read()
    reader.close()
    del stream
    with filled.query("SELECT n + 1 AS m FROM _cache_t, range(10)", target_type="reader", **options) as reader:
        assert next(reader).num_rows > 0 and filled.interrupt() == 1
    with pytest.raises(pa.ArrowInvalid, match="already been closed"):
        next(reader)
    assert is_usable(filled)


@pytest.mark.parametrize("options", OPTIONS)
def test_a_watched_reader_is_one_of_pyarrow(filled, options):
    filled.put("d", pa.table({"n": pa.array(range(50_000)), "s": pa.array([f"text {n % 7}" if n % 11 else None for n in range(50_000)]).dictionary_encode()}))
    sql = "SELECT n + 0 AS n, s, [n, n + 1] AS l FROM _cache_d"
    rows = filled.query(sql, target_type="arrow")

    def ask():
        reader = filled.query(sql, target_type="reader", **options)
        assert isinstance(reader, pa.RecordBatchReader) and reader.schema == rows.schema
        assert isinstance(reader, WatchedReader) == bool(options)
        return reader

    def halves(reader):
        first = reader.read_next_batch()
        return pa.Table.from_batches([first, *reader])

    ways = [
        lambda reader: reader.read_all(),
        halves,
        lambda reader: pa.RecordBatchReader.from_stream(reader).read_all(),
        lambda reader: pa.table(reader),
        lambda reader: reader.cast(rows.schema).read_all(),
        lambda reader: dataset.Scanner.from_batches(reader).to_table(),  # C++ reads it
        lambda reader: pa.Table.from_batches([reader.read_next_batch(), *dataset.Scanner.from_batches(reader).to_table().to_batches()]),
        lambda reader: duckdb.sql("FROM reader").to_arrow_table().cast(rows.schema),
    ]
    for way in ways:
        assert way(ask()).sort_by("n").equals(rows.sort_by("n"))
    assert ask().read_pandas().sort_values("n")["s"].tolist() == filled.query(sql).sort_values("n")["s"].tolist()
    empty = filled.query(f"{sql} WHERE n < 0", target_type="reader", **options)
    assert dataset.Scanner.from_batches(empty).to_table().schema == rows.schema
    if options:
        reader = filled.query(ENDLESS, target_type="reader", **options)
        threading.Timer(0.3, filled.interrupt).start()
        with pytest.raises(QueryInterrupted):
            dataset.Scanner.from_batches(reader).to_table()
    assert filled.interrupt() == 0 and is_usable(filled)


def test_progress_is_shown_while_a_batch_is_waited_for(filled):
    if filled.status()["duckdb"]["engine"] == "v1":
        pytest.skip("the stable API makes the first batch before there is a reader")
    class EnoughError(Exception):
        pass

    shown = []

    def show(share):
        shown.append(share)
        if len(shown) > 3:
            raise EnoughError

    sql = "SELECT count(*) FROM _cache_t a, _cache_t b WHERE a.v * b.v > 0.5"
    with pytest.raises(EnoughError):
        filled.query(sql, target_type="reader", progress=show).read_all()
    assert shown == sorted(shown) and len(shown) == 4
    assert is_usable(filled)


@pytest.mark.parametrize(("options", "error"), [({}, OSError), ({"timeout": 60}, QueryError), ({"progress": lambda share: None}, QueryError)])
def test_errors_of_a_reader_have_their_classes(filled, options, error):
    try:
        found = filled.query("SELECT CASE WHEN n = 300000 THEN error('my own words') END FROM _cache_t", target_type="reader", **options)
    except QueryError as early:  # DuckDB 1 may come to the row before there is a reader
        assert filled.status()["duckdb"]["engine"] == "v1" and "my own words" in str(early)
        return
    for _ in range(2):
        with pytest.raises(error, match="my own words"):
            found.read_all()


def test_a_progress_function_may_close_its_reader(filled):
    readers = []

    def close(share):
        if share > 0 and readers:
            readers[0].close()

    readers.append(filled.query("SELECT n, n + 1 AS m FROM _cache_t, range(10)", target_type="reader", progress=close))
    with pytest.raises(Exception, match="closed|interrupted"):
        readers[0].read_all()
    assert is_usable(filled)
