"""Ctrl-C and other signals while the engine works."""

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pyarrow as pa
import pytest
from core_support import ENDLESS_QUERY, Stream
from promptness import assert_prompt

import arrow_cache
from arrow_cache import _core


class Signal:
    """Sends this process a signal some seconds after the block has begun, as a terminal does."""

    def __init__(self, wait: float, number: int = signal.SIGINT) -> None:
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._send, args=(wait, number))
        self._thread.start()
        self.sent = 0.0
        #: From the signal to the end of the block.
        self.seconds = 0.0

    def _send(self, wait: float, number: int) -> None:
        self._begun.wait()
        time.sleep(wait)
        self.sent = time.monotonic()
        os.kill(os.getpid(), number)

    def __enter__(self) -> "Signal":
        self._begun.set()
        return self

    def __exit__(self, *exception: object) -> None:
        self.seconds = time.monotonic() - self.sent
        self._thread.join()


def assert_stops(act: Callable[[], object], wait: float = 0.2) -> None:
    """Ctrl-C ends it with a KeyboardInterrupt, at once."""

    def attempt() -> float:
        stop = Signal(wait)
        with pytest.raises(KeyboardInterrupt), stop:
            act()
        return stop.seconds

    assert_prompt(attempt, 0.1)


@pytest.fixture(autouse=True)
def watchdog() -> Iterator[None]:
    """Ends the process where a query cannot be stopped: nothing else would."""
    faulthandler.dump_traceback_later(600, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def handler() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Sets what SIGUSR1 does during the test."""
    before = signal.getsignal(signal.SIGUSR1)

    def install(act: Callable[[], None]) -> None:
        def handle(number: int, frame: FrameType | None) -> None:
            act()

        signal.signal(signal.SIGUSR1, handle)

    yield install
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("wait", [0.0, 0.05, 0.5])
def test_interrupt_stops_a_query(core: Any, wait: float) -> None:
    assert_stops(lambda: core.query(ENDLESS_QUERY), wait)
    assert core.query("SELECT 42 AS v") == [{"v": 42}]


def test_interrupt_while_a_result_is_read(core: Any) -> None:
    def read() -> None:
        try:
            # The work is done when the query is started, or while the result is read.
            pa.table(Stream(_core.query(core.handle, ENDLESS_QUERY, None, True, None)))
        except (OSError, pa.ArrowException):
            while True:
                pass

    core.query("SELECT 1")
    assert_stops(read)
    assert core.query("SELECT 42 AS v") == [{"v": 42}]


def test_interrupt_between_the_batches_of_a_result(core: Any) -> None:
    rows = 0

    def read() -> None:
        nonlocal rows
        reader = pa.RecordBatchReader.from_stream(Stream(_core.query(core.handle, "SELECT * FROM range(1000000000000)", None, True, None)))
        while True:
            rows += reader.read_next_batch().num_rows

    assert_stops(read)
    assert rows > 0
    assert core.query("SELECT 42 AS v") == [{"v": 42}]


def test_interrupt_stops_an_analysis(core: Any) -> None:
    assert_stops(lambda: _core.explain(core.handle, ENDLESS_QUERY, None, True, None))
    assert core.query("SELECT 42 AS v") == [{"v": 42}]


def test_interrupts_again_and_again(core: Any) -> None:
    for _ in range(20):
        with pytest.raises(KeyboardInterrupt), Signal(0.02):
            core.query(ENDLESS_QUERY)
    assert core.query("SELECT 42 AS v") == [{"v": 42}]


def test_interrupt_of_a_large_result(core: Any) -> None:
    assert_stops(lambda: core.query("SELECT i, i::VARCHAR AS s FROM range(1000000000) t(i)"))
    assert core.query("SELECT 42 AS v") == [{"v": 42}]


def test_signal_whose_handler_returns_does_not_stop_a_query(core: Any, handler: Any) -> None:
    calls: list[float] = []
    handler(lambda: calls.append(time.monotonic()))

    def attempt() -> float:
        calls.clear()
        with Signal(0.05, signal.SIGUSR1) as stop:
            rows = core.query("SELECT count(*) AS n FROM range(8000) a(i), range(8000) b(j) WHERE (i + j) % 7 = 0")
            end = time.monotonic()
        assert rows[0]["n"] > 0
        assert len(calls) == 1
        return calls[0] - stop.sent if calls[0] < end else 1.0

    assert_prompt(attempt, 0.1)


def test_exception_of_a_handler_comes_out(core: Any, handler: Any) -> None:
    class Enough(Exception):
        pass

    def stop() -> None:
        raise Enough("that was enough")

    handler(stop)
    with pytest.raises(Enough, match="that was enough"), Signal(0.1, signal.SIGUSR1):
        core.query(ENDLESS_QUERY)
    assert core.query("SELECT 42 AS v") == [{"v": 42}]


def test_handler_that_queries_the_same_cache(core: Any, handler: Any) -> None:
    seen: list[Any] = []
    handler(lambda: seen.append(core.query("SELECT 7 AS seven")))
    with Signal(0.05, signal.SIGUSR1):
        rows = core.query("SELECT count(*) AS n FROM range(8000) a(i), range(8000) b(j) WHERE (i + j) % 7 = 0")
    assert rows[0]["n"] > 0
    assert seen == [[{"seven": 7}]]


def test_handler_that_closes_the_cache(core: Any, handler: Any) -> None:
    handler(lambda: _core.close_cache(core.handle))
    with pytest.raises(arrow_cache.errors.ClosedError), Signal(0.1, signal.SIGUSR1):
        core.query(ENDLESS_QUERY)


def test_query_in_another_thread_is_not_stopped(core: Any) -> None:
    results: list[Any] = []
    done = threading.Event()

    def query() -> None:
        results.append(core.query("SELECT count(*) AS n FROM range(8000) a(i), range(8000) b(j) WHERE (i + j) % 7 = 0"))
        done.set()

    threading.Thread(target=query).start()
    with pytest.raises(KeyboardInterrupt), Signal(0.05):
        done.wait()
    assert done.wait(60)
    assert results[0][0]["n"] > 0


def slow_batches(step: float) -> Iterator[pa.RecordBatch]:
    for number in range(1000):
        time.sleep(step)
        yield pa.record_batch({"n": [number]})


def test_interrupt_inside_a_python_producer(core: Any, numbers: pa.Table) -> None:
    core.put("k", numbers)
    assert_stops(lambda: core.put("k", pa.RecordBatchReader.from_batches(pa.schema({"n": pa.int64()}), slow_batches(0.01))))
    assert core.read("k").equals(numbers)


def test_interrupt_between_batches(core: Any, numbers: pa.Table) -> None:
    core.put("k", numbers)
    assert_stops(lambda: core.put("k", pa.RecordBatchReader.from_stream(_Endless(core))))
    assert core.read("k").equals(numbers)
    assert core.query("SELECT 42 AS v") == [{"v": 42}]


ENDLESS_ROWS = "SELECT i FROM range(1000000000000) t(i)"


class _Endless:
    """Rows without end and without Python, so that only the engine can see the signal."""

    def __init__(self, core: Any, sql: str = ENDLESS_ROWS) -> None:
        self.core, self.sql = core, sql

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return _core.query(self.core.handle, self.sql, None, True, None)


def test_interrupt_inside_a_producer_of_ours(core: Any, numbers: pa.Table) -> None:
    core.put("k", numbers)
    assert_stops(lambda: core.put("k", _Endless(core, ENDLESS_QUERY)))
    assert core.read("k").equals(numbers)


def test_exception_of_a_handler_ends_a_put(core: Any, handler: Any, numbers: pa.Table) -> None:
    class Enough(Exception):
        pass

    def stop() -> None:
        raise Enough("that was enough")

    handler(stop)
    core.put("k", numbers)
    with pytest.raises(Enough, match="that was enough"), Signal(0.2, signal.SIGUSR1):
        core.put("k", pa.RecordBatchReader.from_stream(_Endless(core)))
    assert core.read("k").equals(numbers)
