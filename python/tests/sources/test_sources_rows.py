"""Rows of Python values as Arrow: types as wide as the values need, never changed."""

import datetime as dt
import decimal
import sqlite3
import tracemalloc
import uuid
import zoneinfo

import pandas as pd
import pyarrow as pa
import pytest

from arrow_cache import QueryError, UnsupportedTypeError
from arrow_cache.sources import spool
from arrow_cache.sources.row_batches import batches_of_rows

D = decimal.Decimal
UTC = dt.timezone.utc


def fetching(rows):
    """Rows as a cursor gives them, with the counts that it was asked for."""
    left, counts = list(rows), []

    def fetch(count):
        counts.append(count)
        taken, left[:] = left[:count], left[count:]
        return taken

    fetch.counts = counts
    return fetch


def column(*pieces):
    """One column whose values come in these pieces, each in a batch of its own."""
    pieces = [list(piece) for piece in pieces]
    return batches_of_rows(lambda count: [(value,) for value in pieces.pop(0)] if pieces else [], ["c"], [None]).read_all()


@pytest.mark.parametrize(
    ("pieces", "kind"),
    [
        ([[None, None]], pa.null()),
        ([[None], [1]], pa.int64()),
        ([[1], [None]], pa.int64()),
        ([[1], [2.5]], pa.float64()),
        ([[2.5], [1]], pa.float64()),
        ([[2**53, 0.5]], pa.float64()),
        ([[1], [2**63]], pa.decimal128(19, 0)),
        ([[-(2**63)], [2**63 - 1]], pa.int64()),
        ([[2**64, -1]], pa.decimal128(20, 0)),
        ([[D("1.5")], [D("100")], [None]], pa.decimal128(4, 1)),
        ([[D("1.50")], [7]], pa.decimal128(21, 2)),
        ([[D("1E+3")]], pa.decimal128(4, 0)),
        ([[D("0.001")]], pa.decimal128(3, 3)),
        ([[D("0")]], pa.decimal128(1, 0)),
        ([[D("9" * 38)], [D("0.5")]], pa.decimal256(39, 1)),
        ([["x"], [None]], pa.string()),
        ([[b"x", None]], pa.binary()),
        ([[True, None]], pa.bool_()),
        ([[dt.date(2020, 1, 1)]], pa.date32()),
        ([[dt.time(1, 2, 3, 4)]], pa.time64("us")),
        ([[dt.timedelta(days=-1)]], pa.duration("us")),
        ([[dt.datetime(2020, 1, 1)]], pa.timestamp("us")),
        ([[dt.datetime(2020, 1, 1, tzinfo=UTC)]], pa.timestamp("us", "UTC")),
        ([[dt.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Paris"))]], pa.timestamp("us", "Europe/Paris")),
        ([[dt.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Paris"))], [dt.datetime(2020, 1, 1, tzinfo=UTC)]], pa.timestamp("us", "UTC")),
        ([[dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=2)))]], pa.timestamp("us", "UTC")),
        ([[[1, None]], [[]], [[2.5]]], pa.list_(pa.float64())),
        ([[["a"], None]], pa.list_(pa.string())),
    ],
)
def test_types_are_as_wide_as_the_values(pieces, kind):
    table = column(*pieces)
    assert table.schema.field("c").type == kind
    assert table.column("c").to_pylist() == [value for piece in pieces for value in piece]


def test_uuids_stay_uuids():
    values = [uuid.UUID(int=5), None]
    assert column(values).column("c").to_pylist() == values


def test_bytes_of_every_class():
    assert column([bytearray(b"a")], [memoryview(b"b")], [b"c"]).column("c").to_pylist() == [b"a", b"b", b"c"]


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([[1], ["x"]], "values of both int64 and string"),
        ([["x", 1]], "values of both int64 and string"),
        ([[True, 1]], "values of both bool and int64"),
        ([[1, True]], "values of both bool and int64"),
        ([[1.5, D("1.5")]], "both"),
        ([[2**53 + 1, 0.5]], "double"),
        ([[2**53 + 1], [0.5]], "double"),
        ([[0.5], [2**53 + 1]], "double"),
        ([["x", b"x"]], "both"),
        ([[dt.date(2020, 1, 1)], [dt.datetime(2020, 1, 1)]], "both"),
        ([[dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=UTC)]], "with and without a time zone"),
        ([[dt.datetime(2020, 1, 1)], [dt.datetime(2020, 1, 1, tzinfo=UTC)]], "both"),
        ([[dt.time(1, tzinfo=UTC)]], "times of day with a time zone"),
        ([[D("NaN")]], "NaN"),
        ([[D("Infinity")]], "Infinity"),
        ([[10**76]], "77 digits"),
        ([[D("1E-77")]], "77 digits"),
        ([[{"a": 1}]], "builtins.dict"),
        ([[object()]], "builtins.object"),
        ([[[1, "x"]]], "both"),
        ([[1], [[1]]], "both"),
        ([[dt.timedelta.max]], "fit"),
        ([["\ud800"]], "fit"),
    ],
)
def test_what_has_no_common_type_is_refused_by_name(pieces, words):
    with pytest.raises(UnsupportedTypeError, match="column 'c' ") as caught:
        column(*pieces)
    assert words in str(caught.value)
    assert "SQL" in str(caught.value)


def test_declared_types_stream_at_once_and_are_checked():
    fetch = fetching([(n,) for n in range(1000)])
    reader = batches_of_rows(fetch, ["n"], [pa.int32()])
    assert fetch.counts == []
    assert reader.read_next_batch().schema == pa.schema([("n", pa.int32())])
    assert len(fetch.counts) == 1
    for bad in (1.5, "x", 2**31):
        with pytest.raises(Exception, match="column 'n' "):
            batches_of_rows(fetching([(1,), (bad,)]), ["n"], [pa.int32()]).read_all()


def test_batches_grow_until_they_are_large():
    small = fetching([(n,) for n in range(300_000)])
    batches_of_rows(small, ["n"], [None]).read_all()
    assert small.counts[:4] == [64, 256, 1024, 4096] and max(small.counts) == 65_536
    large = fetching([(b"x" * 1_000_000,) for _ in range(200)])
    batches_of_rows(large, ["n"], [None]).read_all()
    assert max(large.counts) <= 64


def test_what_waits_goes_to_disk(monkeypatch):
    monkeypatch.setattr(spool, "_IN_MEMORY_BYTES", 1 << 20)
    rows = ((n, "x" * 1000) for n in range(30_000))
    tracemalloc.start()
    try:
        reader = batches_of_rows(lambda count: [row for _, row in zip(range(min(count, 500)), rows)], ["n", "s"], [None, None])
        total = 0
        for batch in reader:
            assert batch.column(0).to_pylist() == list(range(total, total + batch.num_rows))
            total += batch.num_rows
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 30_000
    assert peak < 8 << 20, peak  # of 30 MB


def test_no_rows_keep_the_columns(cache):
    connection = sqlite3.connect(":memory:")
    cache.import_query("none", "SELECT 1 AS a, 'x' AS b WHERE false", connection)
    assert list(cache.get("none").columns) == ["a", "b"] and len(cache.get("none")) == 0


def test_every_row_arrives_once(cache):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199999) SELECT i, 'row ' || i AS s FROM n")
    cache.import_data("t", connection, table_name="t")
    frame = cache.get("t")
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"i": range(200_000), "s": [f"row {i}" for i in range(200_000)]}))
    assert cache.query("SELECT sum(i) AS s, count(DISTINCT s) AS n FROM _cache_t").iloc[0].tolist() == [sum(range(200_000)), 200_000]


def test_a_failure_half_way_leaves_what_was_there(cache):
    connection = sqlite3.connect(":memory:")
    cache.put("t", pd.DataFrame({"a": [1]}))

    def fail(n):
        if n == 5000:
            raise ValueError("five thousand")
        return n

    connection.create_function("fail", 1, fail)
    sql = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) SELECT fail(i) AS i FROM n"
    with pytest.raises(QueryError, match="user-defined function"):
        cache.import_query("t", sql, connection)
    assert cache.get("t")["a"].tolist() == [1]
