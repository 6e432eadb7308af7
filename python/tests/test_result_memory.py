"""Memory of results in the ledger, and streams of rows."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache, QueryError

TIMES = 3


def test_results_are_counted_while_they_are_held(full: ArrowCache) -> None:
    def held() -> int:
        gc.collect()
        return int(full.status()["memory"]["results_bytes"])

    sql = "SELECT * FROM range(1_000_000) r(i)"
    assert held() == 0
    for target in ("arrow", "pandas", "polars", "pandas_arrow", "numpy"):
        result = full.query(sql, target_type=target)
        assert target not in ("arrow", "pandas_arrow") or held() >= 7_900_000, target
        assert result is not None
        del result
        assert held() == 0, target
    table = full.query(sql, target_type="arrow")
    part = table.slice(10, 5)
    del table
    assert held() > 0
    full.close()
    assert part["i"].to_pylist() == [10, 11, 12, 13, 14]


@pytest.mark.parametrize(("column", "is_counted"), [("repeat('x', 20) || i", True), ("i + 1", False), ("CASE WHEN i % 2 = 0 THEN i END", False), ("i > 5", False)])
def test_frames_count_what_they_hold_of_ours(full: ArrowCache, column: str, is_counted: bool) -> None:
    frame = full.query(f"SELECT {column} AS v FROM range(50_000) r(i)")
    gc.collect()
    held = full.status()["memory"]["results_bytes"]
    assert held > 50_000 if is_counted else held == 0, frame.dtypes
    del frame
    gc.collect()
    assert full.status()["memory"]["results_bytes"] == 0


def test_streams_count_what_is_on_its_way(full: ArrowCache) -> None:
    def held() -> int:
        return int(full.status()["memory"]["results_bytes"])

    reader = full.query("SELECT i, repeat('x', 20) AS s FROM range(2_000_000) r(i)", target_type="reader")
    most = 0
    for _ in reader:
        most = max(most, held())
    assert 0 < most < 40_000_000
    del reader, _
    gc.collect()
    assert held() == 0
    reader = full.query("SELECT i FROM range(2_000_000) r(i)", target_type="reader")
    batch = reader.read_next_batch()
    reader.close()
    assert held() > 0
    assert batch.num_rows > 0 and full.query("SELECT count(*) AS n FROM _cache_y")["n"][0] == 7
    del batch, reader
    gc.collect()
    assert held() == 0


def test_a_stream_that_fails_midway_says_so_and_leaves_the_cache(full: ArrowCache) -> None:
    sql = "SELECT i, CASE WHEN i = 1_900_000 THEN error('too far') ELSE i::VARCHAR END AS s FROM range(2_000_000) r(i)"
    reader = full.query(sql, target_type="reader")
    rows = 0
    with pytest.raises(Exception, match="too far"):
        for batch in reader:
            rows += batch.num_rows
            del batch
    assert 0 <= rows < 2_000_000
    del reader
    gc.collect()
    assert full.status()["memory"]["results_bytes"] == 0
    for _ in range(TIMES):
        with pytest.raises(QueryError, match="too far"):
            full.query("SELECT error('too far') FROM _cache_y")


def test_kept_results_go_before_entries_do(tmp_path: Path) -> None:
    with ArrowCache(memory_limit="64MiB", spill_directory=tmp_path) as cache:
        cache.put("x", pa.table({"a": np.arange(1_000_000)}))  # 8 MB
        for number in range(3):
            for _ in range(TIMES):
                cache.query(f"SELECT a + {number} AS a FROM _cache_x WHERE a < 300_000", target_type="arrow")
        kept = cache.status()["query_results"]
        assert 0 < kept["count"] and kept["bytes"] <= 8 << 20
        assert cache.status()["memory"]["memo_bytes"] >= kept["bytes"]
        for _ in range(TIMES):
            cache.query("SELECT a FROM _cache_x", target_type="arrow")  # more than a sixteenth of the limit
        assert cache.status()["query_results"]["bytes"] == kept["bytes"]
        cache.put("big", pa.table({"a": np.arange(6_400_000)}))  # 51 MB: beyond the threshold with the results
        for _ in range(100):
            status = cache.status()
            if status["query_results"]["count"] == 0:
                break
            threading.Event().wait(0.05)
        assert status["query_results"] | {"hits": 0, "misses": 0} == {"hits": 0, "misses": 0, "count": 0, "bytes": 0}


def test_a_kept_result_keeps_no_entry(full: ArrowCache) -> None:
    for _ in range(TIMES):
        full.query("SELECT * FROM _cache_y", target_type="arrow")
    full.remove("y")
    gc.collect()
    assert full.status()["memory"]["leased_bytes"] == 0


def test_explain_says_what_is_used_again(cache: ArrowCache) -> None:
    cache.put("t", pa.table({"a": list(range(1000))}))
    sql = "SELECT a % 7 AS b, count(*) AS n FROM _cache_t WHERE a > $1 GROUP BY b"
    assert "is kept" not in cache.explain(sql, [5])
    hits = [cache.query(sql, [5], target_type="arrow") and cache.status()["query_results"]["hits"] for _ in range(3)]
    assert "The result is kept" in cache.explain(sql, [5]) and "The result is kept" in cache.explain(sql, [5], analyze=True)
    assert "is kept" not in cache.explain(sql, [6])
    assert cache.status()["query_results"]["hits"] == hits[-1]
    cache.put("t", pa.table({"a": [1]}))
    assert "is kept" not in cache.explain(sql, [5])


def test_explain_says_whether_a_plan_is_used_again() -> None:
    with ArrowCache(cache_query_results=False) as cache:
        cache.put("t", pa.table({"a": list(range(1000))}))
        sql = "SELECT a % 7 AS b, count(*) AS n FROM _cache_t GROUP BY b"
        assert "is kept" not in cache.explain(sql)
        for _ in range(3):
            cache.query(sql)
        assert "The plan is kept" in cache.explain(sql)
        before = cache.status()["query_plans"]["hits"]
        cache.query(sql)
        assert cache.status()["query_plans"]["hits"] == before + 1
        cache.put("t", pa.table({"a": [1]}))
        assert "is kept" not in cache.explain(sql)
