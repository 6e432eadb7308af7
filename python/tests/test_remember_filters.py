"""Filters that are asked again (``remember_filters``): the same rows, and what is remembered shows in ``status()``."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache

ROWS = 300_000


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(3)
    return pa.table(
        {
            "r": random.random(ROWS),
            "k": pa.array(random.integers(0, 1000, ROWS), mask=random.random(ROWS) < 0.1),
            "s": pa.array([f"word number {number}" for number in range(97)]).take(pa.array(random.integers(0, 97, ROWS))),
            "l": pa.array([[number, None] for number in range(ROWS)]),
        }
    )


def remembers(cache: ArrowCache) -> bool:
    return cache.status()["duckdb"]["engine"] == "v2"


@pytest.mark.parametrize("filters", ["r < 0.001", "s = 'word number 13'", "k IS NULL AND r < 0.01", "k IN (1, 2, 999) OR s >= 'word number 95'", "r < 0.7"])
@pytest.mark.parametrize("columns", ["r, k, s", "k, l", "count(*), sum(k)"])
def test_the_rows_are_the_same_each_time(table, filters, columns):
    sql = f"SELECT {columns} FROM {{}} WHERE {filters}"
    plain = duckdb.connect()
    plain.register("t", table)
    expected = plain.sql(sql.format("t")).to_arrow_table()
    with ArrowCache(cache_query_results=False) as cache:
        cache.put("t", table)
        for _ in range(4):
            assert cache.query(sql.format("_cache_t"), target_type="arrow").to_pylist() == expected.to_pylist()


@pytest.mark.parametrize("batch_rows", [ROWS, 70_000, 9_000])
@pytest.mark.parametrize("options", [{}, {"dictionary_encoding": True}, {"remember_filters": False}, {"memory_limit": 6 << 20}], ids=["memory", "encoded", "forgets", "spilled"])
def test_few_rows_here_and_there_are_the_same_each_time(table, batch_rows, options):
    """Rows of several blocks and partitions come in one chunk; some blocks have many, some none."""
    numbers = np.arange(ROWS)
    wanted = (numbers % 4999 == 7) | ((numbers > 150_000) & (numbers < 151_500)) | (numbers >= ROWS - 3)
    whole = table.append_column("w", pa.array(np.where(wanted, numbers, -1))).append_column("n", pa.array(numbers)).append_column(
        "d", table["s"].dictionary_encode()).append_column("b", pa.array(numbers % 3 == 0, mask=numbers % 5 == 0))
    cut = pa.concat_tables([whole.slice(start, batch_rows) for start in range(0, ROWS, batch_rows)])
    expected = whole.filter(pa.array(wanted))
    with ArrowCache(cache_query_results=False, query_target_type="arrow", partition_size_rows=20_000, **options) as cache:
        cache.put("t", cut)
        for _ in range(4):
            found = cache.query("SELECT * FROM _cache_t WHERE w >= 0 ORDER BY n")
            for name in expected.column_names:
                assert found[name].to_pylist() == expected[name].to_pylist(), name
            assert cache.query("SELECT n, s, d, b, k FROM _cache_t WHERE w >= 0")["n"].to_pylist() == expected["n"].to_pylist()
            assert cache.query("SELECT n + 1 AS m, upper(s) AS u FROM _cache_t WHERE w >= 0")["m"].to_pylist() == [n + 1 for n in expected["n"].to_pylist()]
            [totals] = cache.query("SELECT count(*) AS n, sum(n) AS total, count(b) AS b FROM _cache_t WHERE w >= 0 AND n > 1000").to_pylist()
            rest = wanted & (numbers > 1000)
            assert totals == {"n": int(rest.sum()), "total": int(numbers[rest].sum()), "b": int((rest & (numbers % 5 != 0)).sum())}


@pytest.mark.parametrize("condition", ["c NOT IN (0, 1, 2)", "c IS DISTINCT FROM 0 AND c > 2", "c >= 3 AND c < 90", "c NOT IN (0, 1, 2) OR c IS DISTINCT FROM 0 AND c = 3"])
def test_conditions_that_leave_few_rows_are_tested_here(condition):
    numbers = np.arange(ROWS)
    values = np.where(numbers % 500 == 17, 3 + numbers % 90, numbers % 3)
    table = pa.table({"c": values, "n": numbers})
    expected = np.flatnonzero((values > 2) & ((values < 90) | ("90" not in condition))).tolist()
    with ArrowCache(cache_query_results=False, query_target_type="arrow") as cache:
        cache.put("t", table)
        assert cache.query(f"SELECT n FROM _cache_t WHERE {condition} ORDER BY n")["n"].to_pylist() == expected
        if remembers(cache):
            assert cache.status()["scans"]["rows_left_out"] > ROWS * 0.9


def test_status_shows_what_is_remembered(table):
    with ArrowCache() as cache, ArrowCache(remember_filters=False) as forgetful:
        for each in (cache, forgetful):
            each.put("t", table)
            for column in ("sum(r)", "max(k)", "min(s)", "count(*)"):
                each.query(f"SELECT {column} FROM _cache_t WHERE r < 0.001")
        scans = cache.status()["scans"]
        if remembers(cache):
            assert scans["remembered_hits"] > 0 and scans["remembered_bytes"] > 0 and scans["rows_left_out"] > 3 * ROWS * 0.99
            assert cache.status()["memory"]["memo_bytes"] >= scans["remembered_bytes"]
            assert forgetful.status()["scans"]["rows_left_out"] > 0
        scans = forgetful.status()["scans"]
        assert scans["remembered_hits"] == scans["remembered_bytes"] == 0
        cache.remove("t")
        cache.query("SELECT 1")
        assert cache.status()["scans"]["remembered_bytes"] == 0
