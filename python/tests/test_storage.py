"""`persistent_storage`: what a cache has after a restart, after being killed, and who may open what."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from arrow_cache import ArrowCache
from arrow_cache.errors import CacheError, KeyExists, StorageError


def stored(folder, *, delete=False, **options):
    return ArrowCache(
        spill_to_disk=False, persistent_storage=True, storage_path=folder, delete_files_on_close=delete, partition_size_rows=1000, **options
    )


def run(program, *arguments):
    done = subprocess.run([sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_new_process_opens_the_cache_warm(tmp_path):
    program = """
import os, sys, signal
import numpy as np, pandas as pd, polars as pl, pyarrow as pa
from arrow_cache import ArrowCache
cache = ArrowCache(spill_to_disk=False, persistent_storage=True, storage_path=sys.argv[1], partition_size_rows=1000)
cache.put("pandas", pd.DataFrame({"n": np.arange(5000)}, index=np.arange(5000) * 2), metadata={"source": "here"}, ttl=1000)
cache.put("polars", pl.DataFrame({"a": [1, None], "s": ["x", "y"]}))
cache.put("arrow", pa.table({"a": pa.array(["x", "y", "x"]).dictionary_encode()}))
cache.put("gone", pd.DataFrame({"a": [1]}))
cache.remove("gone")
cache.put("brief", pd.DataFrame({"a": [1]}), ttl=0.05)
cache.put("changed", pd.DataFrame({"a": [1]}))
cache.put("changed", pd.DataFrame({"a": [2]}))
cache.update_ttl("changed", 500)
cache.query("SELECT count(*) FROM _cache_pandas WHERE n > 4500")
print(repr(cache.get_metadata("pandas")["expires_at"]), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    time.sleep(0.06)
    with stored(tmp_path) as cache:
        assert sorted(cache.get_keys()) == ["arrow", "changed", "pandas", "polars"]
        assert cache.status()["memory"]["allocated_bytes"] == 0
        facts = cache.get_metadata("pandas")
        assert facts["metadata"] == {"source": "here"} and facts["num_rows"] == 5000 and facts["partition_count"] == 5
        assert facts["expires_at"] == float(done.stdout)
        assert 400 < cache.get_metadata("changed")["ttl"] < 500
        assert_frame_equal(cache.get("pandas"), pd.DataFrame({"n": np.arange(5000)}, index=np.arange(5000) * 2))
        assert cache.get("polars").equals(pl.DataFrame({"a": [1, None], "s": ["x", "y"]}))
        assert cache.get("arrow").equals(pa.table({"a": pa.array(["x", "y", "x"]).dictionary_encode()}))
        assert cache.query("SELECT a FROM _cache_changed")["a"].tolist() == [2]
        with pytest.raises(KeyExists):
            cache.put("changed", pd.DataFrame({"a": [3]}), overwrite=False)


def test_closing_deletes_or_keeps(tmp_path, frame):
    with stored(tmp_path / "kept") as cache:
        cache.put("k", frame)
    with stored(tmp_path / "kept", delete=True) as cache:
        assert_frame_equal(cache.get("k"), frame)
        held = cache.get("k", target_type="arrow")
        cache.put("by name", frame)
        assert cache.persist("by name")
    assert held.num_rows == 3
    with stored(tmp_path / "kept", delete=True) as cache:
        assert cache.get_keys() == ["by name"], "closing leaves what was persisted by name"
        assert cache.clear() == 1
    assert list((tmp_path / "kept").iterdir()) == []
    with stored(tmp_path / "made" / "here", delete=True) as cache:
        cache.put("k", frame)
    assert not (tmp_path / "made" / "here").exists()


def test_a_cache_that_cannot_be_opened_deletes_nothing(tmp_path, frame):
    with stored(tmp_path) as cache:
        cache.put("a", frame)
    with pytest.raises(CacheError):
        stored(tmp_path, delete=True, duckdb_extensions=["no_such_extension"])
    with stored(tmp_path) as cache:
        assert_frame_equal(cache.get("a"), frame)


def test_another_cache_does_not_write_into_an_open_storage(tmp_path, frame):
    with stored(tmp_path) as cache, ArrowCache(spill_to_disk=False) as other:
        cache.put("a", frame)
        other.put("a", frame.head(1))
        with pytest.raises(StorageError, match=f"process {os.getpid()}"):
            other.persist("a", tmp_path)
        assert_frame_equal(cache.get("a"), frame)
    with stored(tmp_path) as cache:
        assert_frame_equal(cache.get("a"), frame)
    with ArrowCache(spill_to_disk=False) as other:
        other.put("b", frame.head(1))
        assert other.persist("b", tmp_path)
    with stored(tmp_path) as cache:
        assert set(cache.get_keys()) == {"a", "b"}


@pytest.mark.parametrize("durability", ["full", "relaxed"])
def test_what_was_persisted_by_name_stays_after_a_later_put(tmp_path, frame, durability):
    with stored(tmp_path, delete=True, durability=durability) as cache:
        cache.put("a", frame.head(1))
        cache.put("b", frame)
        cache.persist("a")
        cache.put("a", frame)
    with ArrowCache(spill_to_disk=False) as other:
        assert other.load("a", tmp_path) and not other.load("b", tmp_path)
        assert_frame_equal(other.get("a"), frame)


def test_two_processes_and_one_folder(tmp_path, frame):
    with stored(tmp_path) as cache:
        cache.put("k", frame)
        with pytest.raises(StorageError, match=f"in use .process {os.getpid()} "):
            stored(tmp_path)
        program = """
import sys
import threading
from arrow_cache import ArrowCache
from arrow_cache.errors import StorageError
try:
    ArrowCache(spill_to_disk=False, persistent_storage=True, storage_path=sys.argv[1])
except StorageError as error:
    print(error)
with ArrowCache(spill_to_disk=False) as cache:
    print(cache.load("k", sys.argv[1]), cache.get("k").shape)
"""
        said = run(program, tmp_path)
        assert f"process {os.getpid()}" in said and str(tmp_path) in said and "True (3, 3)" in said
    with stored(tmp_path) as cache:
        assert_frame_equal(cache.get("k"), frame)


def test_what_is_loaded_from_elsewhere_is_stored(tmp_path, frame):
    with ArrowCache(spill_to_disk=False) as cache:
        cache.put("k", frame)
        cache.persist("k", tmp_path / "elsewhere")
    with stored(tmp_path / "store") as cache:
        assert cache.load("k", tmp_path / "elsewhere")
    with stored(tmp_path / "store") as cache:
        assert_frame_equal(cache.get("k"), frame)


def test_what_fails_is_not_stored(tmp_path, frame):
    with stored(tmp_path, memory_limit=100_000) as cache:
        cache.put("k", frame)
        with pytest.raises(MemoryError):
            cache.put("k", pd.DataFrame({"n": np.arange(1_000_000)}))
    with stored(tmp_path) as cache:
        assert_frame_equal(cache.get("k"), frame)


def test_reopening_does_not_need_the_memory(tmp_path):
    table = pa.table({"n": np.arange(100_000)})
    with stored(tmp_path) as cache:
        for number in range(10):
            cache.put(f"k{number}", table)
    with ArrowCache(
        memory_limit=1_000_000, spill_directory=tmp_path / "spill", persistent_storage=True, storage_path=tmp_path, delete_files_on_close=False
    ) as cache:
        assert len(cache) == 10
        assert sum(int(cache.query(f"SELECT sum(n) AS s FROM _cache_k{number}")["s"][0]) for number in range(10)) == 10 * 4999950000
        assert cache.status()["memory"]["peak_bytes"] <= 1_000_000


def test_ctrl_c_stops_a_durable_put_between_parts(tmp_path):
    """The version of before stays, in the cache and in the files, and nothing half-written beside it."""
    with stored(tmp_path / "s") as cache:
        cache.put("k", pd.DataFrame({"n": [1]}))
        files = {path.name for path in (tmp_path / "s").glob("k-*/*")}
        table = pa.table({"n": np.arange(4_000_000)})  # 4,000 parts
        with interrupted_soon(), pytest.raises(KeyboardInterrupt):
            cache.put("k", table)
        assert cache.get("k")["n"].tolist() == [1]
        assert {path.name for path in (tmp_path / "s").glob("k-*/*")} == files
        cache.put("k", table.slice(0, 5000))
    with stored(tmp_path / "s") as cache:
        assert cache.get("k").num_rows == 5000


def test_ctrl_c_stops_loading_and_waiting(tmp_path):
    with ArrowCache(spill_to_disk=False, partition_size_rows=1000) as cache:
        cache.put("k", pa.table({"n": np.arange(1_500_000), "x": np.random.default_rng(1).random(1_500_000)}))
        cache.persist("k", tmp_path / "a")
        cache.put("k", pd.DataFrame({"n": [1]}))
        with interrupted_soon(0.02), pytest.raises(KeyboardInterrupt):
            while True:
                assert cache.load("k", tmp_path / "a", verify=True)
                cache.put("k", pd.DataFrame({"n": [1]}))
        assert len(cache.get("k")) in (1, 1_500_000)
    cache = stored(tmp_path / "s", durability="relaxed")
    cache.put("k", pa.table({"n": np.arange(4_000_000)}))
    with interrupted_soon(), pytest.raises(KeyboardInterrupt):
        cache.flush()
    assert cache.status()["pending_count"] <= 1, "it is written in the background, or has been"
    cache.close()
    with stored(tmp_path / "s") as cache:
        assert cache.get("k").num_rows == 4_000_000


@contextlib.contextmanager
def interrupted_soon(seconds=0.3):
    """A real SIGINT; what it stops has ended soon after."""
    started = time.monotonic()
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.join()
        assert time.monotonic() - started < seconds + 30
