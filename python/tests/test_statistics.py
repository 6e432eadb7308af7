"""The SQL tables arrow_cache.statistics and arrow_cache.block_statistics: what they tell is what DuckDB finds."""

import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache, StorageError

ROWS = 5000


def thirds(values):
    """The values over and over, every third row null."""
    return [None if row % 3 == 2 else values[row % len(values)] for row in range(ROWS)]


def moments(unit, zone=None):
    last = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}[unit]
    return pa.array([-1 if row == 0 else None if row % 3 == 2 else row * 86_400 * last + row % last for row in range(ROWS)], pa.timestamp(unit, zone))


COLUMNS = {
    "int": pa.array(thirds(range(-7, 90))), "unsigned": pa.array(thirds([0, 2**64 - 1]), pa.uint64()), "single": pa.array(thirds([0.1, 1e20]), pa.float32()),
    "date": pa.array(thirds([datetime.date(1969, 12, 31), datetime.date(2024, 2, 29)])),
    "before": pa.array(thirds([-800_000, 5]), pa.int32()).view(pa.date32()), "date64": pa.array(thirds([datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]), pa.date64()),
    "s": moments("s"), "ms": moments("ms"), "us": moments("us"), "ns": moments("ns"), "zoned": moments("us", "Europe/Berlin"), "zoned_s": moments("s", "+05:30"),
    "old": pa.array(thirds([-80_000_000_000_000_000, 1]), pa.timestamp("us", "UTC")),
    "time_s": pa.array(thirds([0, 86_399]), pa.time32("s")), "time_ms": pa.array(thirds([1, 86_399_100]), pa.time32("ms")), "time_us": pa.array(thirds([1, 86_399_100_000]), pa.time64("us")),
    "flag": pa.array(thirds([True, False])), "yes": pa.array(thirds([True])), "money": pa.array(thirds([Decimal("-0.05"), Decimal("12.30")]), pa.decimal128(20, 2)),
    "text": pa.array(thirds([f"text {number} ü" for number in range(100)])), "view": pa.array(thirds(["a", "bc"]), pa.string_view()), "none": pa.nulls(ROWS, pa.int32()),
}  # fmt: skip
WITHOUT_BOUNDS = {
    "binary": pa.array(thirds([b"a", b"\xff"])), "list": pa.array(thirds([[1], []])), "struct": pa.array(thirds([{"a": 1}, {"a": 2}])), "span": pa.array(thirds([1, 2]), pa.duration("us")),
}  # fmt: skip
TABLE = pa.table({**COLUMNS, **WITHOUT_BOUNDS})


def told(cache, table, columns="min, max, null_count, row_count, distinct_estimate", condition="true"):
    return cache.query(f"SELECT column_name, {columns} FROM arrow_cache.{table} WHERE {condition} ORDER BY ALL", target_type="arrow").to_pylist()


def damage(folder):
    for path in [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size > 1000]:
        path.write_bytes(bytes(byte ^ 255 for byte in path.read_bytes()))


def found(cache, name, first, count):
    """What DuckDB finds in these rows."""
    part = f'(SELECT * FROM (SELECT "{name}" AS v, row_number() OVER () - 1 AS r FROM _cache_t) WHERE r >= {first} AND r < {first + count})'
    sql = f"SELECT min(v)::VARCHAR, max(v)::VARCHAR, count(*) - count(v), count(*), count(DISTINCT v) FROM {part}"
    return tuple(cache.query(sql, target_type="arrow").to_pylist()[0].values())


@pytest.mark.parametrize("place", ["memory", "disk", "encoded"])
def test_blocks_are_as_duckdb_finds_them(tmp_path, place):
    options = {"memory_limit": 300_000} if place == "disk" else {"dictionary_encoding": place == "encoded"}
    with ArrowCache(partition_size_rows=3000, spill_directory=str(tmp_path), **options) as cache:
        cache.put("t", TABLE)
        cache.put("other", pa.table({"x": range(10)}))
        cache.query("SET TimeZone = 'UTC'")
        rows = cache.query("SELECT * FROM arrow_cache.block_statistics WHERE key = 't' ORDER BY column_index, first_row", target_type="arrow").to_pylist()
        assert [(row["partition"], row["block"], row["first_row"], row["row_count"]) for row in rows if row["column_name"] == "int"] == [
            (0, 0, 0, 2048), (0, 1, 2048, 952), (1, 0, 3000, 2000),
        ]  # fmt: skip
        assert [row["column_name"] for row in rows[::3]] == TABLE.column_names
        for row in rows:
            name = row["column_name"]
            expected = found(cache, name, row["first_row"], row["row_count"])
            assert (row["null_count"], row["row_count"]) == expected[2:4], row
            if name in WITHOUT_BOUNDS:
                assert (row["min"], row["max"], row["exact"]) == (None, None, None), row
            else:
                assert (row["min"], row["max"], row["distinct_estimate"]) == (expected[0], expected[1], expected[4]), row
        assert told(cache, "block_statistics", "min, max", "key = 'other'") == [{"column_name": "x", "min": "0", "max": "9"}]


def test_every_column_of_a_partition_has_a_row():
    with ArrowCache(partition_size_rows=3000) as cache:
        cache.put("t", TABLE)
        cache.query("SET TimeZone = 'UTC'")
        rows = told(cache, "statistics", "partition, min, max, null_count, row_count, distinct_estimate")
        assert sorted((row["column_name"], row["partition"]) for row in rows) == sorted((name, part) for name in TABLE.column_names for part in (0, 1))
        for row in rows:
            expected = found(cache, row["column_name"], 3000 * row["partition"], row["row_count"])
            assert (row["null_count"], row["row_count"]) == expected[2:4], row
            if row["column_name"] not in WITHOUT_BOUNDS:
                assert (row["min"], row["max"]) == expected[:2] and abs(row["distinct_estimate"] - expected[4]) <= 0.1 * expected[4], row


def test_a_filter_on_the_key_reads_no_other_entry(tmp_path):
    with ArrowCache(memory_limit=2_000_000, spill_directory=str(tmp_path)) as cache:
        cache.put("large", pa.table({"x": np.arange(1_000_000)}))
        cache.put("small", pa.table({"x": [3, 1]}))
        if cache.status()["duckdb"]["engine"] != "v2":
            pytest.skip("DuckDB 1 tells scans no filters")
        damage(tmp_path)
        for table in ("block_statistics", "statistics"):
            assert told(cache, table, "min, max", "key = 'small'") == [{"column_name": "x", "min": "1", "max": "3"}]
            assert told(cache, table, "row_count", "key = 'large'")
        assert cache.contains("large"), "its lost rows have not been met"
        told(cache, "statistics")
        assert not cache.contains("large")


def test_of_lost_rows_nothing_is_told(tmp_path):
    with ArrowCache(memory_limit=2_000_000, spill_directory=str(tmp_path)) as cache:
        cache.put("t", pa.table({"x": np.arange(1_000_000)}))
        damage(tmp_path)
        rows = told(cache, "block_statistics", "min, null_count, row_count")
        assert sum(row["row_count"] for row in rows) == 1_000_000
        assert None in {row["min"] for row in rows}
        with pytest.raises((StorageError, KeyError, RuntimeError)):
            cache.query("SELECT sum(x) FROM _cache_t")


def test_tables_without_rows_or_columns_have_no_statistics():
    with ArrowCache() as cache:
        cache.put("empty", pa.table({"x": pa.array([], pa.int64())}))
        cache.put("bare", pa.table({"a": [1, 2]}).select([]))
        assert told(cache, "statistics") == told(cache, "block_statistics") == []


@pytest.mark.parametrize("change", ["DROP VIEW arrow_cache.entries", "CREATE OR REPLACE VIEW arrow_cache.entries AS SELECT 1 AS key", "ALTER VIEW arrow_cache.entries RENAME TO e2", "DROP SCHEMA arrow_cache CASCADE"])
def test_the_views_of_the_state_come_back(cache, change):
    cache.put("t", pa.table({"a": [1]}))
    cache.query(change)
    assert cache.query("SELECT key FROM arrow_cache.entries", target_type="dict") == {"key": ["t"]}
    assert len(cache.query("SELECT * FROM arrow_cache.statistics")) == 1
