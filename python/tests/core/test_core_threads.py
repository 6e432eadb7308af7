"""Many Python threads on one cache, and the interpreter's lock given away while the engine works."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest

from arrow_cache import _core


def constant(value: int, rows: int = 1000) -> pa.Table:
    return pa.table({"v": [value] * rows, "w": [value] * rows})


def together(*jobs: Callable[[], Any]) -> list[Any]:
    """Runs the jobs in a thread each and hands out what they return, or raises what one of them raised."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(job) for job in jobs]]


def test_readers_see_whole_versions_while_writers_replace_them(core: Any) -> None:
    core.put("k", constant(0))
    stop = threading.Event()

    def write(first: int) -> int:
        puts = 0
        while not stop.is_set():
            core.put("k", constant(first + puts % 100))
            puts += 1
        return puts

    def read() -> int:
        reads = 0
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            values = set(core.read("k").to_pandas().to_numpy().ravel().tolist())
            assert len(values) == 1
            (row,) = core.query("SELECT min(v) AS low, max(w) AS high, count(*) AS rows FROM _cache_k")
            assert row["low"] == row["high"]
            assert row["rows"] == 1000
            reads += 1
        return reads

    def until_read() -> int:
        try:
            return min(together(read, read))
        finally:
            stop.set()

    reads, *puts = together(until_read, lambda: write(1000), lambda: write(2000))
    assert reads > 0
    assert min(puts) > 0


def test_other_threads_run_while_a_query_runs(core: Any) -> None:
    done = threading.Event()

    def query() -> None:
        try:
            core.query("SELECT sum(i * j) AS s FROM range(6000) a(i), range(6000) b(j)")
        finally:
            done.set()

    thread = threading.Thread(target=query)
    thread.start()
    steps = 0
    while not done.is_set():
        steps += 1
    thread.join()
    assert steps > 10_000


@pytest.mark.parametrize("in_main", [True, False])
def test_producer_written_in_python_is_called_back(core: Any, in_main: bool) -> None:
    threads = set()

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(5):
            threads.add(threading.get_ident())
            yield pa.record_batch({"n": [number], "seen": [len(_core.keys(core.handle))]})

    reader = pa.RecordBatchReader.from_batches(pa.schema({"n": pa.int64(), "seen": pa.int64()}), batches())
    if in_main:
        core.put("k", reader)
        assert threads == {threading.get_ident()}, "a producer may work in the thread alone that made it"
    else:
        together(lambda: core.put("k", reader))
    assert core.read("k").to_pydict() == {"n": [0, 1, 2, 3, 4], "seen": [0] * 5}


def test_producer_that_puts_into_the_same_cache(core: Any) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(3):
            core.put(f"inner {number}", constant(number, 1))
            yield pa.record_batch({"n": core.query(f'SELECT v FROM "_cache_inner {number}"')[0].values()})

    core.put("outer", pa.RecordBatchReader.from_batches(pa.schema({"n": pa.int64()}), batches()))
    assert core.read("outer").to_pydict() == {"n": [0, 1, 2]}
    assert set(_core.keys(core.handle)) == {"outer", "inner 0", "inner 1", "inner 2"}


def test_queries_run_side_by_side(core: Any) -> None:
    core.put("k", pa.table({"n": range(10_000)}))
    results = together(*[lambda i=i: core.query("SELECT sum(n) + $1 AS s FROM _cache_k", [("int", i)]) for i in range(8)])
    assert [rows[0]["s"] for rows in results] == [49_995_000 + i for i in range(8)]


def test_memo_is_dropped_in_another_thread(core: Any) -> None:
    dropped = threading.Event()

    class Kept:
        def __del__(self) -> None:
            dropped.set()

    _core.set_memo(core.put("k", constant(1)), "m", Kept(), 0)
    together(lambda: _core.remove(core.handle, "k"))
    assert dropped.is_set()
