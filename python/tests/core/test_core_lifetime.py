"""Closing, forking, and the end of the interpreter."""

import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from core_support import ENDLESS_QUERY, Core, Stream

import arrow_cache
from arrow_cache import _core
from arrow_cache.duckdb_library import library_path

ClosedError = arrow_cache.errors.ClosedError
ForkError = arrow_cache.errors.ForkError


def every_call(handle: Any) -> dict[str, Callable[[], object]]:
    """Each function that takes a cache, except close_cache."""
    table = pa.table({"a": [1]})
    return {
        "put": lambda: _core.put(handle, "new", table.__arrow_c_stream__(), "arrow", "{}", None, True, None, False, None, None),
        "lookup": lambda: _core.lookup(handle, "k"),
        "peek": lambda: _core.peek(handle, "k"),
        "remove": lambda: _core.remove(handle, "k"),
        "clear": lambda: _core.clear(handle),
        "contains": lambda: _core.contains(handle, "k"),
        "keys": lambda: _core.keys(handle),
        "update_ttl": lambda: _core.update_ttl(handle, "k", 1.0),
        "query": lambda: _core.query(handle, "SELECT 1", None, False, None),
        "explain": lambda: _core.explain(handle, "SELECT 1", None, False, None),
        "status": lambda: _core.status(handle),
    }


def test_no_call_after_close(core: Core, numbers: pa.Table) -> None:
    core.put("k", numbers)
    _core.close_cache(core.handle)
    _core.close_cache(core.handle)
    for name, call in every_call(core.handle).items():
        with pytest.raises(ClosedError, match="the cache is closed: open a new one"):
            call()
            pytest.fail(name)


def test_what_was_handed_out_outlives_the_cache(core: Core, numbers: pa.Table) -> None:
    entry = core.put("k", numbers)
    _core.set_memo(entry, "m", "kept", 0)
    scan = Stream(_core.scan(entry, 2, 3, None))
    result = Stream(_core.query(core.handle, "SELECT sum(n) AS s FROM _cache_k", None, False, None))
    _core.close_cache(core.handle)
    assert pa.table(scan).equals(numbers.slice(2, 3))
    assert pa.table(result).to_pylist() == [{"s": 45}]
    assert core.rows(entry).equals(numbers)
    assert _core.describe(entry)["row_count"] == 10
    assert _core.memo(entry, "m") == "kept"


def test_stream_that_is_half_read_outlives_the_cache(core: Core) -> None:
    core.put("k", pa.table({"n": range(1_000_000)}))
    reader = pa.RecordBatchReader.from_stream(Stream(_core.query(core.handle, "SELECT n FROM _cache_k ORDER BY n", None, True, None)))
    first = reader.read_next_batch()
    _core.close_cache(core.handle)
    rest = reader.read_all()
    assert first.num_rows + rest.num_rows == 1_000_000
    assert first.column(0)[0].as_py() == 0
    assert rest.column(0)[-1].as_py() == 999_999


def test_cache_dies_with_its_handle(numbers: pa.Table) -> None:
    core = Core(_core.open_cache({}, library_path()))
    entry = core.put("k", numbers)
    del core
    assert pa.table(Stream(_core.scan(entry, 0, None, None))).equals(numbers)


def test_close_interrupts_queries_of_other_threads(core: Core) -> None:
    errors: list[BaseException] = []
    started = threading.Barrier(4)

    def query() -> None:
        started.wait()
        try:
            core.query(ENDLESS_QUERY)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=query) for _ in range(3)]
    for thread in threads:
        thread.start()
    started.wait()
    time.sleep(0.2)
    begin = time.monotonic()
    _core.close_cache(core.handle)
    assert time.monotonic() - begin < 30
    for thread in threads:
        thread.join()
    assert [type(error) for error in errors] == [ClosedError] * 3


def test_close_while_queries_are_about_to_start(open_core: Callable[..., Core]) -> None:
    for pause in (0, 0.0001, 0.001, 0.003):
        core = open_core()
        threads = [threading.Thread(target=lambda core=core: pytest.raises(ClosedError, core.query, ENDLESS_QUERY)) for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(pause)
        _core.close_cache(core.handle)
        for thread in threads:
            thread.join(timeout=10)
            assert not thread.is_alive()


def test_close_from_inside_a_put(core: Core) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"n": [1]})
        _core.close_cache(core.handle)
        yield pa.record_batch({"n": [2]})

    with pytest.raises(ClosedError):
        core.put("k", pa.RecordBatchReader.from_batches(pa.schema({"n": pa.int64()}), batches()))


def in_child(check: Callable[[], None]) -> None:
    """Runs `check` in a forked child, which must get through it within some seconds."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            check()
            status = 0
        except BaseException:
            os.write(writing, traceback.format_exc().encode()[-4000:])
        finally:
            os._exit(status)
    os.close(writing)
    words = bytearray()
    deadline = time.monotonic() + 30
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            os.kill(child, 9)
            os.waitpid(child, 0)
            pytest.fail("the child hangs")
        time.sleep(0.01)
    while part := os.read(reading, 4096):
        words += part
    os.close(reading)
    assert status == 0, words.decode() or f"the child ended with {status}"


pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def test_child_of_a_fork_gets_a_clear_error(core: Core, numbers: pa.Table) -> None:
    entry = core.put("k", numbers)
    core.query("SELECT sum(n) FROM _cache_k")
    parent = os.getpid()

    def check() -> None:
        assert os.getpid() != parent
        calls = every_call(core.handle) | {
            "describe": lambda: _core.describe(entry),
            "schema": lambda: _core.schema(entry),
            "scan": lambda: _core.scan(entry, 0, None, None),
            "memo": lambda: _core.memo(entry, "m"),
            "set_memo": lambda: _core.set_memo(entry, "m", None, 0),
        }
        for call in calls.values():
            with pytest.raises(ForkError, match=rf"made in another process \({parent}; this is {os.getpid()}\): open a new cache"):
                call()
        _core.close_cache(core.handle)

    in_child(check)
    assert core.query("SELECT sum(n) AS s FROM _cache_k") == [{"s": 45}]


def test_child_of_a_fork_lets_go_of_everything(open_core: Callable[..., Core], numbers: pa.Table) -> None:
    core = open_core()
    entry = core.put("k", numbers)
    _core.set_memo(entry, "m", object(), 0)
    kept: list[Any] = [
        entry,
        _core.scan(entry, 0, None, None),
        core.rows(entry),
        _core.query(core.handle, "SELECT * FROM _cache_k", None, False, None),
        _core.query(core.handle, "SELECT * FROM _cache_k", None, True, None),
        pa.RecordBatchReader.from_stream(Stream(_core.query(core.handle, "SELECT * FROM range(10000000)", None, True, None))),
        pa.table(Stream(_core.query(core.handle, "SELECT * FROM _cache_k", None, False, None))),
    ]
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            core.query("SELECT count(*) FROM range(1000)")
            core.put("other", numbers)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()

    def check() -> None:
        nonlocal entry
        kept.clear()
        del entry
        core.handle = None

    try:
        for _ in range(10):
            in_child(check)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_stream_is_not_read_in_a_child(core: Core) -> None:
    stream = Stream(_core.query(core.handle, "SELECT * FROM range(10)", None, False, None))

    def check() -> None:
        with pytest.raises(Exception, match="made in another process"):
            pa.table(stream)

    in_child(check)
    assert pa.table(stream).num_rows == 10


def test_child_of_a_fork_can_open_its_own(core: Core, numbers: pa.Table) -> None:
    core.put("k", numbers)
    core.query("SELECT sum(n) FROM _cache_k")

    def check() -> None:
        mine = Core(_core.open_cache({}, library_path()))
        mine.put("k", numbers)
        assert mine.query("SELECT sum(n) AS s FROM _cache_k") == [{"s": 45}]
        _core.close_cache(mine.handle)

    in_child(check)


SCRIPT = """
import threading, time
import pyarrow as pa
from arrow_cache import _core
from arrow_cache.duckdb_library import library_path
cache = _core.open_cache({}, library_path())
entry = _core.put(cache, "k", pa.table({"n": range(100000)}).__arrow_c_stream__(), "arrow", "{}", None, True, None, False, None, None)
class Kept:
    def __del__(self): pass
_core.set_memo(entry, "m", Kept(), 0)
half_read = _core.query(cache, "SELECT * FROM range(100000000)", None, True, None)
def forever():
    while True:
        _core.query(cache, "SELECT sum(n) FROM _cache_k", None, False, None)
        _core.put(cache, "other", pa.table({"n": range(1000)}).__arrow_c_stream__(), "arrow", "{}", None, True, None, False, None, None)
for _ in range(THREADS):
    threading.Thread(target=forever, daemon=True).start()
time.sleep(0.2)
print("the end")
"""


@pytest.mark.parametrize("threads", [0, 2])
def test_interpreter_ends_with_an_open_cache(threads: int) -> None:
    for _ in range(5):
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT.replace("THREADS", str(threads))], capture_output=True, text=True, timeout=60,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        assert (run.returncode, run.stdout, run.stderr) == (0, "the end\n", "")
