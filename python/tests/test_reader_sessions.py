"""A reader that is open while its thread goes on: temporary tables, settings, prepared statements and transactions stay with the thread."""

import threading

import numpy as np
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache, QueryError

ROWS = 1_000_000


@pytest.fixture
def cache():
    with ArrowCache(memory_limit="500MB", query_target_type="dict", cache_query_results=False) as cache:
        cache.put("x", pa.table({"id": np.arange(ROWS)}))
        cache.put("small", pa.table({"id": [1, 2, 3]}))
        yield cache


def reader(cache):
    found = cache.query("SELECT id FROM _cache_x WHERE id >= 0", target_type="reader")
    return found, found.read_next_batch()


def rest(found, first):
    return np.concatenate([first["id"].to_numpy(), *(batch["id"].to_numpy() for batch in found)])


def test_temporary_tables_and_prepared_statements_are_there(cache):
    cache.query("CREATE TEMP TABLE _cache_small AS SELECT 9 AS id")
    cache.query("CREATE TABLE p AS SELECT 'main' AS w")
    cache.query("CREATE TEMP TABLE p AS SELECT 'temp' AS w")
    cache.query("PREPARE one AS SELECT 1 AS n")
    found, first = reader(cache)
    assert cache.query("SELECT w FROM p") == {"w": ["temp"]}
    assert cache.query("SELECT id FROM _cache_small") == {"id": [9]}
    assert cache.query("EXECUTE one") == {"n": [1]}
    assert np.array_equal(np.sort(rest(found, first)), np.arange(ROWS))


def test_a_transaction_stays_one(cache):
    cache.query("CREATE TABLE acc AS SELECT 100 AS m")
    cache.query("BEGIN")
    cache.query("UPDATE acc SET m = m - 50")
    found, first = reader(cache)
    assert cache.query("SELECT m FROM acc") == {"m": [50]}
    cache.query("CREATE TABLE logged AS SELECT 1 AS i")
    cache.query("ROLLBACK")
    assert cache.query("SELECT m FROM acc") == {"m": [100]}
    with pytest.raises(QueryError, match="logged"):
        cache.query("SELECT * FROM logged")
    assert len(rest(found, first)) == ROWS


def test_without_anything_of_its_own_the_reader_keeps_producing(cache):
    found, first = reader(cache)
    assert cache.query("SELECT count(*) AS n FROM _cache_small WHERE id > 1") == {"n": [2]}
    other, second = reader(cache)
    assert len(rest(found, first)) == len(rest(other, second)) == ROWS


def test_another_thread_reads_meanwhile(cache):
    cache.query("CREATE TEMP TABLE mine AS SELECT 7 AS n")
    for _ in range(5):
        found, first = reader(cache)
        counts = []
        thread = threading.Thread(target=lambda found=found, first=first: counts.append(len(rest(found, first))))
        thread.start()
        for _ in range(5):
            assert cache.query("SELECT n FROM mine") == {"n": [7]}
        thread.join()
        assert counts == [ROWS]


def test_more_than_fits_is_refused_and_goes_on():
    with ArrowCache(memory_limit="200MB", query_memory_limit="8MB", query_target_type="dict") as cache:
        cache.put("x", pa.table({"id": np.arange(5 * ROWS)}))
        cache.query("CREATE TEMP TABLE mine AS SELECT 7 AS n")
        found = cache.query("SELECT id FROM _cache_x WHERE id >= 0", target_type="reader")
        with pytest.raises(QueryError, match="a reader of this thread is open"):
            cache.query("SELECT n FROM mine")
        assert sum(batch.num_rows for batch in found) == 5 * ROWS
        assert cache.query("SELECT n FROM mine") == {"n": [7]}


def test_the_cache_can_be_asked_for_its_state_and_for_plans(cache):
    """Neither makes the thread's session one of its own, nor has the rows of an open reader produced."""
    cache.explain("SELECT 1")
    cache.explain("SELECT count(*) FROM _cache_small", analyze=True)
    found, first = reader(cache)
    before = cache.status()["memory"]["results_bytes"]
    assert cache.query("SELECT id FROM _cache_small")["id"] == [1, 2, 3]
    assert cache.status()["memory"]["results_bytes"] <= before + 1000
    assert np.array_equal(np.sort(rest(found, first)), np.arange(ROWS))


def test_what_is_produced_ahead_is_counted_and_kept_within_one_limit():
    with ArrowCache(memory_limit="500MB", query_memory_limit="64MB", cache_query_results=False) as cache:
        cache.put("x", pa.table({"id": np.arange(ROWS)}))
        cache.query("SET TimeZone = 'UTC'")
        found = cache.query("SELECT a.id, b.range FROM _cache_x a, range(100) b", target_type="reader")
        found.read_next_batch()
        for _ in range(4):
            with pytest.raises(QueryError, match="a reader of this thread is open"):
                cache.query("SELECT 1")
            assert 32e6 < cache.status()["memory"]["results_bytes"] < 100e6
        found.close()
        assert cache.query("SELECT 1 AS one", target_type="dict") == {"one": [1]}
