"""Progress, time limits and interrupts of long queries."""

import datetime as dt
import math
import os
import pty
import signal
import sys
import threading
import time
import types
from contextlib import suppress

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache, ConfigurationError, InvalidArgument, InvalidArgumentType, QueryError, QueryInterrupted, QueryTimeoutError

ROWS = 400_000
#: Minutes of work, as DuckDB sees it.
ENDLESS = "SELECT count(*) FROM _cache_t a, _cache_t b WHERE a.v * b.v > 0.5"


@pytest.fixture
def filled(cache):
    cache.put("t", pa.table({"n": np.arange(ROWS), "v": np.random.default_rng(1).random(ROWS)}))
    return cache


def is_usable(cache):
    return cache.query("SELECT count(*) AS c, max(n) AS m FROM _cache_t", target_type="dict") == {"c": [ROWS], "m": [ROWS - 1]}


def test_a_function_is_told_the_share_that_is_done(filled):
    seen = []
    got = filled.query("SELECT sum(sin(a.v) * b.x) AS s FROM _cache_t a, range(40) b(x)", progress=seen.append)
    assert seen[0] == 0.0 and seen[-1] == 1.0 and seen == sorted(seen)
    assert got["s"][0] == pytest.approx(filled.query("SELECT sum(sin(a.v) * b.x) AS s FROM _cache_t a, range(40) b(x)")["s"][0])


def test_a_long_query_is_seen_half_way(filled):
    seen = []
    filled.query(f"SELECT sum({'+'.join(f'sin(v * {i})' for i in range(400))}) FROM _cache_t", progress=seen.append)
    assert any(0.02 < share < 0.98 for share in seen), seen


def test_what_the_function_raises_stops_the_query(filled):
    def fail(share):
        if share > -1 and threading.current_thread().name != "MainThread":
            raise ZeroDivisionError("no more")

    start = time.monotonic()
    with pytest.raises(ZeroDivisionError, match="no more"):
        filled.query(ENDLESS, progress=fail)
    assert time.monotonic() - start < 20 and is_usable(filled)


def test_a_reader_tells_its_progress_too(filled):
    seen = []
    reader = filled.query("SELECT n FROM _cache_t WHERE n % 2 = 0", target_type="reader", progress=seen.append)
    assert seen == []
    assert reader.read_all().num_rows == ROWS // 2
    assert seen[-1] == 1.0 and seen == sorted(seen)
    capsule = filled.query("SELECT n FROM _cache_t", target_type="capsule", progress=seen.append)
    assert type(capsule).__name__ == "PyCapsule"


def test_put_tells_its_progress(cache):
    seen = []
    frame = pd.DataFrame({"a": range(10)})
    cache.put("k", frame, progress=seen.append)
    assert seen == [0.0, 1.0] and cache.get("k").equals(frame)
    batches = [pa.record_batch({"a": [1, 2]}), pa.record_batch({"a": [3]})]

    def slowly():
        for batch in batches:
            time.sleep(0.15)
            yield batch

    class Told:
        def __len__(self):
            return 3

        def __arrow_c_stream__(self, requested_schema=None):
            return pa.RecordBatchReader.from_batches(batches[0].schema, slowly()).__arrow_c_stream__()

    seen.clear()
    cache.put("k", Told(), progress=seen.append)
    assert seen == [0.0, pytest.approx(2 / 3), 1.0, 1.0] and cache.get("k", target_type="dict") == {"a": [1, 2, 3]}

    def fail(share):
        if share > 0:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cache.put("k", Told(), progress=fail)
    assert cache.get("k", target_type="dict") == {"a": [1, 2, 3]}


@pytest.mark.parametrize("progress", [1, "yes", None])
def test_progress_is_a_flag_or_a_function(cache, table, progress):
    with pytest.raises(InvalidArgumentType, match="progress: give True, False, or a function"):
        cache.query("SELECT 1", progress=progress)
    with pytest.raises(InvalidArgumentType, match="progress"):
        cache.put("t", table, progress=progress)


def test_nothing_is_printed_where_nobody_looks(filled, capfd):
    filled.query("SELECT sum(v) FROM _cache_t", progress=True)
    filled.put("u", pa.table({"a": [1]}), progress=True)
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def terminal(monkeypatch):
    """Has stderr be a terminal from its first call on, and gives what was written to it since the last."""
    parent, child = pty.openpty()
    stream = os.fdopen(child, "w", encoding="utf-8")

    def written():
        if sys.stderr is not stream:
            monkeypatch.setattr(sys, "stderr", stream)
            return ""
        read = b""
        while not read.endswith(b"\n"):  # what a bar ends with
            read += os.read(parent, 1 << 16)
        return read.decode().replace("\r\n", "\n")

    yield written
    stream.close()
    os.close(parent)


def test_a_bar_in_a_terminal(filled, terminal, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    terminal()
    filled.query("SELECT sum(v) FROM _cache_t", progress=True)
    text = terminal()
    assert text.startswith("\rquery:   0%|") and "\rquery: 100%|" + "█" * 30 in text and text.endswith("\n")
    filled.put("u", pa.table({"a": [1]}), progress=True)
    assert "put 'u': 100%" in terminal()


def test_the_bar_ends_with_the_query_that_fails(filled, terminal, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    terminal()
    with pytest.raises(QueryError):
        filled.query("SELECT nope FROM _cache_t", progress=True)
    text = terminal()
    assert text.endswith("\n") and "  0%" in text and "100%" not in text
    assert not [thread for thread in threading.enumerate() if thread.name == "arrow_cache progress"]


@pytest.mark.parametrize("shell", ["terminal", "notebook"])
def test_tqdm_is_used_where_it_is_installed(filled, monkeypatch, shell, request):
    made = []

    class Bar:
        def __init__(self, total, desc, **options):
            self.total, self.desc, self.n, self.is_closed = total, desc, 0.0, False
            made.append(self)

        def update(self, step):
            self.n += step

        def refresh(self):
            pass

        def close(self):
            self.is_closed = True

    if shell == "terminal":
        request.getfixturevalue("terminal")()
    else:
        notebook = types.SimpleNamespace(config={"IPKernelApp": {}})
        monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: notebook))
    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=Bar))
    filled.query("SELECT sum(v) FROM _cache_t", progress=True)
    with pytest.raises(QueryTimeoutError):
        filled.query(ENDLESS, progress=True, timeout=0.2)
    done, stopped = made
    assert done.n == pytest.approx(done.total) and done.is_closed and stopped.is_closed and stopped.n < 1.0


def test_a_query_is_stopped_at_its_time_limit(filled):
    start = time.monotonic()
    with pytest.raises(QueryTimeoutError, match=r"stopped at its time limit of 0\.2 s: raise timeout") as caught:
        filled.query(ENDLESS, timeout=0.2)
    assert 0.2 <= time.monotonic() - start < 20
    assert isinstance(caught.value, QueryError) and isinstance(caught.value, TimeoutError) and is_usable(filled)
    with pytest.raises(QueryTimeoutError):
        filled.query(ENDLESS, timeout=dt.timedelta(seconds=0.1))
    with pytest.raises(QueryTimeoutError):
        filled.explain(ENDLESS, analyze=True, timeout=0.1)
    with pytest.raises(QueryTimeoutError, match="1e-06 s"):
        filled.query(ENDLESS, timeout=1e-6)
    assert is_usable(filled)


def test_what_is_quick_does_not_notice_its_limit(filled):
    for seconds in (60, 1e300, math.inf):
        assert filled.query("SELECT 1 AS one", timeout=seconds)["one"][0] == 1
    assert filled.query("SELECT n FROM _cache_t", target_type="reader", timeout=60).read_all().num_rows == ROWS


def test_the_configured_limit(table):
    with ArrowCache(memory_limit="1GiB", query_timeout=0.2) as cache:
        cache.put("t", pa.table({"n": np.arange(ROWS), "v": np.random.default_rng(1).random(ROWS)}))
        for run in (lambda: cache.query(ENDLESS), lambda: cache.sql(ENDLESS), lambda: cache.explain(ENDLESS, analyze=True)):
            with pytest.raises(QueryTimeoutError):
                run()
        assert cache.query("SELECT sum(sin(v)) AS s FROM _cache_t", timeout=math.inf)["s"][0] > 0
    for wrong in (0, -1, math.nan, math.inf, "1", True):
        with pytest.raises(ConfigurationError, match="query_timeout"):
            ArrowCache(query_timeout=wrong)


@pytest.mark.parametrize("wrong", [0, -1, math.nan, -math.inf, "1", True, object()])
def test_wrong_limits(cache, wrong):
    with pytest.raises(InvalidArgument, match="timeout: "):
        cache.query("SELECT 1", timeout=wrong)
    with pytest.raises(InvalidArgument, match="timeout: "):
        cache.explain("SELECT 1", timeout=wrong)


def test_a_reader_has_its_time_for_producing_alone(filled):
    reader = filled.query("SELECT n FROM _cache_t", target_type="reader", timeout=2.0)
    first = reader.read_next_batch().num_rows
    time.sleep(2.5)
    assert first + sum(batch.num_rows for batch in reader) == ROWS
    with pytest.raises(QueryTimeoutError, match="time limit"):  # some engines do the work before there is a reader
        filled.query("SELECT sum(a.v * b.v) AS s FROM _cache_t a, _cache_t b", target_type="reader", timeout=0.2).read_all()
    assert is_usable(filled)


def test_interrupt_from_another_thread(filled):
    assert filled.interrupt() == 0
    outcomes = []

    def ask():
        try:
            filled.query(ENDLESS)
        except QueryInterrupted as error:
            outcomes.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    stopped, start = 0, time.monotonic()
    while any(thread.is_alive() for thread in threads) and time.monotonic() - start < 30:
        stopped += filled.interrupt()
        time.sleep(0.05)
    assert len(outcomes) == 3 and stopped >= 3 and not any(isinstance(error, QueryTimeoutError) for error in outcomes)
    assert is_usable(filled)


@pytest.mark.parametrize("options", [{}, {"timeout": 60}, {"progress": lambda share: None}])
def test_interrupt_between_two_reads(filled, options):
    reader = filled.query("SELECT n, n + 1 AS m FROM _cache_t, range(10)", target_type="reader", **options)
    assert reader.read_next_batch().num_rows > 0
    assert filled.interrupt() == 1
    for _ in range(2):  # an end after a failure would pass for the end of the rows
        with pytest.raises(QueryInterrupted if options else OSError, match="the query was interrupted"):
            reader.read_next_batch()
    assert filled.interrupt() == 0 and is_usable(filled)


def test_interrupt_leaves_readers_alone_that_have_ended(filled):
    whole = filled.query("SELECT n FROM _cache_t", target_type="reader")
    assert whole.read_all().num_rows == ROWS and filled.interrupt() == 0
    dropped = filled.query("SELECT n FROM _cache_t", target_type="reader")
    dropped.read_next_batch()
    del dropped
    closed = filled.query("SELECT n FROM _cache_t", target_type="reader")
    closed.read_next_batch()
    closed.close()
    assert filled.interrupt() == 0
    entry = filled.get("t", target_type="reader")
    filled.interrupt()
    assert entry.read_all().num_rows == ROWS


@pytest.mark.parametrize("options", [{}, {"timeout": 60}])
def test_ctrl_c_ends_what_reads_a_reader(filled, options):
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT))
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            with suppress() if options else suppress(OSError):
                filled.query(ENDLESS, target_type="reader", **options).read_all()
            time.sleep(10)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, previous)
    assert is_usable(filled)


def test_a_watched_reader_ends_once(filled):
    shares = []
    reader = filled.query("SELECT n FROM _cache_t", target_type="reader", progress=shares.append)
    assert sum(batch.num_rows for batch in reader) == ROWS and shares[-1] == 1.0
    with pytest.raises(StopIteration):
        reader.read_next_batch()


def test_many_limits_and_interrupts_at_once(filled):
    limits, interrupts, wrong = [], [], []

    def ask(number):
        for turn in range(10):
            try:
                if (number + turn) % 3 == 0:
                    if not is_usable(filled):
                        wrong.append("rows")
                else:
                    filled.query(ENDLESS, timeout=0.01 + 0.005 * ((number + turn) % 7), progress=(number % 5 == 0) and (lambda share: None))
            except QueryTimeoutError:
                limits.append(number)
            except QueryInterrupted:
                interrupts.append(number)
            except Exception as error:
                wrong.append(repr(error))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        filled.interrupt()
        time.sleep(0.03)
    assert wrong == [] and len(limits) + len(interrupts) >= 150 and is_usable(filled)
    assert filled.query("SELECT sum(a.n) AS s FROM _cache_t a", timeout=60)["s"][0] == ROWS * (ROWS - 1) // 2


def test_explain_analyze_tells_what_each_scan_read(filled):
    filled.put("small one", pa.table({"n": np.arange(10)}))
    plan = filled.explain('SELECT count(*) FROM _cache_t JOIN "_cache_small one" USING (n) WHERE v >= 0 AND n < 1000', analyze=True)
    lines = plan[plan.index("Scans of cached tables") :].splitlines()
    assert lines[1].split() == "table rows of partitions skipped blocks skipped from memory from disk partitions on disk".split()
    rows = {line.split("  ")[0].strip(): line for line in lines[2:] if line.startswith("_cache_")}
    assert set(rows) == {"_cache_t", "_cache_small one"} and "400,000" in rows["_cache_t"]
    if filled.status()["duckdb"]["engine"] == "v2":
        assert any("n < 1000" in line for line in lines)
        read, left_out = (int(rows["_cache_t"].split()[position].replace(",", "")) for position in (5, 6))
        assert read <= 2 and left_out >= 190, plan
    else:
        assert lines[-1].endswith("nothing is skipped.")
    assert "Scans of" not in filled.explain("SELECT n FROM _cache_t")


def test_a_whole_table_is_handed_out_as_it_is(filled):
    source = filled.get("t", target_type="arrow")
    whole = filled.query("SELECT * FROM _cache_t", target_type="arrow")
    assert whole.equals(source) and whole["n"].chunk(0).buffers()[1].address == source["n"].chunk(0).buffers()[1].address
    frame = filled.query("select * from _cache_t;")
    frame.loc[0, "n"] = -1
    frame["v"] = 0.0
    assert filled.query("SELECT min(n) AS low, sum(v) > 0 AS some FROM _cache_t", target_type="dict") == {"low": [0], "some": [True]}
    assert filled.query("SELECT * FROM _cache_t")["n"][0] == 0
    filled.put("t", pa.table({"n": [1]}))
    assert filled.query("SELECT * FROM _cache_t", target_type="dict") == {"n": [1]} and whole.num_rows == ROWS


def test_a_missing_table_has_a_hint(filled):
    filled.put("my flights", pa.table({"n": [1]}))
    with pytest.raises(QueryError, match='did you mean "_cache_my flights"'):
        filled.query("SELECT * FROM _cache_my_flight")
