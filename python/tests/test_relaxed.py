"""`durability="relaxed"`: what comes to the storage in the background, in which order, and what is said when it cannot."""

import gc
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from promptness import assert_prompt

from arrow_cache import ArrowCache, ArrowCacheConfig
from arrow_cache.errors import ClosedError, ConfigurationError, StorageError


def relaxed(folder, *, delete=False, durability="relaxed", **options):
    return ArrowCache(
        spill_to_disk=False, persistent_storage=True, storage_path=folder, delete_files_on_close=delete, durability=durability,
        partition_size_rows=1000, **options,
    )


def test_the_key_is_checked():
    assert ArrowCacheConfig().durability == "full" and ArrowCacheConfig(durability="RELAXED").durability == "relaxed"
    for wrong in ("none", True, None):
        with pytest.raises(ConfigurationError, match="durability"):
            ArrowCacheConfig(durability=wrong)


def test_flush_and_close_write_everything(tmp_path, frame):
    with relaxed(tmp_path / "s") as cache:
        for number in range(30):
            cache.put(f"k{number}", pd.DataFrame({"n": [number]}), metadata={"number": number}, ttl=1000 if number == 3 else None)
        cache.remove("k7")
        cache.update_ttl("k4", 500)
        cache.flush()
        assert cache.status()["pending_count"] == 0 == cache.status()["pending_bytes"]
        with ArrowCache(spill_to_disk=False) as other:
            assert other.load("k29", tmp_path / "s") and not other.load("k7", tmp_path / "s")
        cache.put("last", frame)
    with pytest.raises(ClosedError):
        cache.flush()
    cache.close()
    with relaxed(tmp_path / "s") as cache:
        assert cache.get_keys() == [f"k{number}" for number in range(30) if number != 7] + ["last"]
        assert cache.get_metadata("k3")["ttl"] > 900 and 400 < cache.get_metadata("k4")["ttl"] <= 500
        assert cache.get_metadata("k5")["metadata"] == {"number": 5}
        pd.testing.assert_frame_equal(cache.get("last"), frame)
    with relaxed(tmp_path / "s", delete=True) as cache:
        cache.put("more", frame)
    assert list((tmp_path / "s").iterdir()) == []
    with ArrowCache(spill_to_disk=False) as cache:
        cache.flush()


def test_a_cache_that_is_dropped_writes_what_waits(tmp_path, frame):
    cache = relaxed(tmp_path)
    cache.put("k", frame)
    del cache
    gc.collect()
    with relaxed(tmp_path) as cache:
        assert cache.get_keys() == ["k"]


def test_the_end_of_the_interpreter_writes_what_waits(tmp_path):
    program = """
import sys, pandas as pd
from arrow_cache import ArrowCache
cache = ArrowCache(spill_to_disk=False, persistent_storage=True, storage_path=sys.argv[1], delete_files_on_close=False, durability="relaxed")
for n in range(50):
    cache.put(f"k{n}", pd.DataFrame({"n": [n]}))
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    with relaxed(tmp_path) as cache:
        assert len(cache) == 50


def test_what_the_disk_does_not_take_is_told_and_kept(tmp_path):
    """The system refuses files beyond a size: a disk that is full for large tables."""
    table = pd.DataFrame({"n": np.random.default_rng(1).integers(0, 1 << 60, 500)})
    large = pd.DataFrame({"n": np.random.default_rng(2).integers(0, 1 << 60, 400_000)})
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    cache = relaxed(tmp_path, auto_partition=False)
    cache.put("before", table)
    cache.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        cache.put("large", large)
        cache.put("after", table)
        for call in (cache.flush, cache.close):
            with pytest.raises(StorageError, match="2 changes .*File too large") as caught:
                call()
            assert str(tmp_path) in str(caught.value)
        status = cache.status()
        assert status["pending_count"] == 2 and status["persist_failures"] >= 2 and "large" in status["last_persist_failure"]
        told = cache.query("SELECT key, cause FROM arrow_cache.events WHERE kind = 'persist failed'")
        assert told["key"].tolist() == ["large"] and "File too large" in told["cause"][0]
        pd.testing.assert_frame_equal(cache.get("large"), large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    deadline = time.monotonic() + 20
    while cache.status()["pending_count"] and time.monotonic() < deadline:
        time.sleep(0.05)  # it is tried again by itself
    assert cache.status()["pending_count"] == 0
    cache.close()
    with relaxed(tmp_path) as cache:
        assert cache.get_keys() == ["before", "large", "after"]
        pd.testing.assert_frame_equal(cache.get("large"), large)


def test_putting_is_much_faster_than_the_disk(tmp_path):
    """Puts return before anything is synchronised: many small ones in less time than their writes take."""
    frame = pd.DataFrame({"n": np.arange(100)})

    def put_all(folder, durability):
        with relaxed(tmp_path / folder, durability=durability) as cache:
            started = time.perf_counter()
            for number in range(200):
                cache.put(f"k{number}", frame)
            seconds = time.perf_counter() - started
            cache.flush()
            assert len(list((tmp_path / folder).glob("*/manifest.json"))) == 200
            return seconds

    assert_prompt(lambda: put_all("b", "relaxed"), put_all("a", "full"))
