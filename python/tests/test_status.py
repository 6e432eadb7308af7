import pandas as pd
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache
from arrow_cache.status import nested_status, status_html

MIB = 1024 * 1024


def test_the_documented_fields(cache, table):
    cache.put("t", table)
    status = cache.status()
    print(f"Cache size: {status['current_size_bytes'] / MIB:.2f} MB")
    print(f"Entries: {status['entry_count']}")
    print(f"Memory usage: {status['memory']['allocated_bytes'] / MIB:.2f} MB")
    assert status["entry_count"] == 1
    assert 0 < status["current_size_bytes"] <= status["memory"]["allocated_bytes"]
    assert status["memory"]["limit_bytes"] == status["max_size_bytes"] == 1024**3
    assert status["memory"]["usage_ratio"] == pytest.approx(status["memory"]["allocated_bytes"] / 1024**3)
    assert status["tiers"]["memory"]["bytes"] == status["current_size_bytes"] and status["tiers"]["disk"]["bytes"] == 0
    for counter in ("evicted", "expired", "spilled"):
        assert status[f"{counter}_count"] == status[f"{counter}_bytes"] == 0
    assert status["uptime_seconds"] > 0


def test_duckdb(cache):
    import duckdb

    status = cache.status()["duckdb"]
    assert status["version"].removeprefix("v") == duckdb.__version__
    assert status["engine"] == ("v2" if duckdb.__version__.startswith("2") else "v1")
    cache.query("CREATE TABLE big AS SELECT range AS n FROM range(1000000)")
    assert cache.status()["duckdb"]["memory_bytes"] > 0


def test_hits_and_misses(cache, table):
    assert cache.status()["hit_ratio"] == 0.0
    cache.put("t", table)
    for _ in range(3):
        cache.get("t")
    cache.get("missing")
    status = cache.status()
    assert (status["hits"], status["misses"], status["hit_ratio"]) == (3, 1, 0.75)


def test_queries_count(cache, table):
    cache.put("t", table)
    before = cache.status()["query_count"]
    cache.query("SELECT count(*) FROM _cache_t")
    assert cache.status()["query_count"] == before + 1


def test_shared_memory_counts_once(cache):
    table = pa.table({"n": range(1000)})
    cache.put("a", table)
    cache.put("b", table)
    cache.put("c", table.slice(10, 10))
    status = cache.status()
    assert status["current_size_bytes"] == 8000 and status["entry_count"] == 3


def test_what_the_engine_counts_beyond_is_there_too():
    status = nested_status({"entry_count": 2, "something_new": 5, "limit_bytes": None})
    assert status["something_new"] == 5 and status["entry_count"] == 2
    assert status["memory"]["limit_bytes"] is None and status["memory"]["usage_ratio"] == 0.0
    assert "limit_bytes" not in status


# --- for people --------------------------------------------------------------------------------------------------------------


def test_html_shows_entries_and_escapes_their_keys(cache):
    cache.put("<script>alert('x')</script>", pd.DataFrame({"a": [1, 2]}))
    cache.put("plain", pd.DataFrame({"a": range(1234)}))
    html = cache._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html
    assert "plain" in html and "1,234" in html and "2 entries" in html


def test_html_stays_small(cache):
    for number in range(100):
        cache.put(f"{number} " + "x" * 500, pd.DataFrame({"a": [number]}))
    html = cache._repr_html_()
    assert "and 80 more" in html and len(html) < 10_000
    assert cache.status()["hits"] == 0  # looking is no access


def test_html_without_a_limit():
    status = nested_status({"limit_bytes": None, "duckdb_version": "v2"})
    assert " of " not in status_html(status, [])


def test_repr(cache, table):
    cache.put("t", table)
    assert repr(cache).startswith("<ArrowCache: 1 entries, ") and repr(cache).endswith(" of 1.0 GiB>")


def test_a_closed_cache_still_has_a_repr():
    cache = ArrowCache()
    cache.close()
    assert "closed" in repr(cache) and "closed" in cache._repr_html_()


def test_what_queries_read_and_skip(cache):
    cache.put("t", pa.table({"id": range(300_000), "v": range(300_000)}), auto_partition=True)
    assert cache.status()["scans"]["skip_rate"] == 0.0
    cache.query("SELECT sum(v) FROM _cache_t")
    scans = cache.status()["scans"]
    assert scans["rows"] == 300_000 and 2_400_000 <= scans["memory_bytes"] < 2_410_000 and scans["disk_bytes"] == 0
    assert scans["blocks_read"] >= 300_000 // 4096 and scans["blocks_skipped"] == scans["partitions_skipped"] == 0
    assert cache.query("SELECT count(*) AS n FROM _cache_t WHERE id < 0")["n"][0] == 0
    after = cache.status()["scans"]
    if cache.status()["duckdb"]["engine"] == "v2":
        assert after["blocks_skipped"] == scans["blocks_read"] and after["skip_rate"] == 0.5 and after["rows"] == 300_000
