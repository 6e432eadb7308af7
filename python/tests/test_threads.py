import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache

THREADS = 8
ROUNDS = 60


def run_together(work, count=THREADS):
    """Run `work(number)` in threads that start together; the first error is raised here."""
    barrier = threading.Barrier(count)

    def started(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(started, number) for number in range(count)]]


def test_the_documented_example(cache):
    cache.put("large_data", pd.DataFrame({"n": range(10_000)}))

    def process_batch(batch_id):
        return int(cache.get("large_data", offset=batch_id * 1000, limit=1000)["n"].sum())

    with ThreadPoolExecutor(max_workers=4) as executor:
        results = list(executor.map(process_batch, range(10)))
    assert results == [sum(range(low, low + 1000)) for low in range(0, 10_000, 1000)]


def test_readers_see_one_version_whole(cache):
    """Every version holds one number in all its rows and columns."""

    def version(number):
        return pa.table({"a": np.full(5000, number), "b": np.full(5000, number)})

    cache.put("t", version(0))

    def work(thread):
        for round_number in range(ROUNDS):
            if thread < 2:
                cache.put("t", version(thread * ROUNDS + round_number))
            elif thread < 5:
                got = cache.get("t", target_type="arrow", offset=round_number)
                numbers = {number for column in got.columns for number in column.unique().to_pylist()}
                assert len(numbers) == 1 and got.num_rows == 5000 - round_number
            else:
                low, high, rows = cache.query("SELECT min(a), max(b), count(*) FROM _cache_t").iloc[0]
                assert low == high and rows == 5000

    run_together(work)


def test_many_keys_from_many_threads(cache):
    def work(thread):
        for number in range(ROUNDS):
            key = f"{thread}-{number % 7}"
            cache.put(key, pd.DataFrame({"v": [thread, number]}))
            assert cache.get(key)["v"].tolist() == [thread, number]
            assert cache.get_metadata(key)["num_rows"] == 2
            assert key in cache.get_keys()
            if number % 5 == 0:
                assert cache.remove(key)
        return [key for key in cache.get_keys() if key.startswith(f"{thread}-")]

    left = run_together(work)
    assert sorted(cache.get_keys()) == sorted(key for keys in left for key in keys)
    status = cache.status()
    assert status["entry_count"] == len(cache.get_keys()) and status["hits"] == THREADS * ROUNDS


def test_first_gets_of_one_entry_at_once(cache):
    table = pa.table({"n": range(1000)})
    for _ in range(20):
        cache.put("t", table)
        assert all(got.equals(table) for got in run_together(lambda _: cache.get("t")))


def test_queries_run_side_by_side(cache):
    cache.put("t", pa.table({"n": range(10_000)}))

    def work(thread):
        return [int(cache.query("SELECT sum(n) AS s FROM _cache_t WHERE n % ? = 0", [thread + 1])["s"][0]) for _ in range(20)]

    for thread, sums in enumerate(run_together(work)):
        assert sums == [sum(range(0, 10_000, thread + 1))] * 20


def test_eviction_under_many_threads():
    with ArrowCache(memory_limit=100_000, spill_to_disk=False) as cache:

        def work(thread):
            for number in range(ROUNDS):
                cache.put(f"{thread}-{number}", pa.table({"n": np.full(1000, thread)}))
                got = cache.get(f"{thread}-{number - 1}")
                assert got is None or set(got["n"].to_pylist()) == {thread}
                assert cache.status()["current_size_bytes"] <= 100_000

        run_together(work)
        status = cache.status()
        assert status["evicted_count"] == THREADS * ROUNDS - status["entry_count"]


def test_closing_while_others_work():
    cache = ArrowCache()
    cache.put("t", pa.table({"n": range(1000)}))
    errors = []

    def work(thread):
        if thread == 0:
            cache.close()
            return
        for number in range(200):
            try:
                cache.put(f"{thread}", pa.table({"n": [number]}))
                cache.get("t")
                cache.query("SELECT count(*) FROM _cache_t")
            except Exception as error:
                errors.append(type(error).__name__)
                return

    run_together(work)
    assert set(errors) <= {"ClosedError"} and len(errors) == THREADS - 1


@pytest.mark.parametrize("kind", ["iterator", "generator"])
def test_a_stream_made_by_python_is_read_without_a_deadlock(cache, kind):
    """The producer takes the GIL from inside of the put, while other threads hold it and use the cache."""

    def batches():
        for number in range(50):
            yield pa.record_batch({"n": [number]})

    def work(thread):
        for number in range(10):
            source = batches() if kind == "generator" else iter(list(batches()))
            cache.put(f"{thread}", pa.RecordBatchReader.from_batches(pa.schema({"n": pa.int64()}), source))
            assert cache.get(f"{thread}").num_rows == 50 and number < 10

    run_together(work)
