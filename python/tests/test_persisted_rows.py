"""Rows that lie in persisted files: what `status()` counts of them, and what need not be written a second time."""

import numpy as np
import pandas as pd
from pandas.testing import assert_frame_equal

from arrow_cache import ArrowCache


def stored(folder, **options):
    return ArrowCache(
        spill_to_disk=False, persistent_storage=True, storage_path=folder, delete_files_on_close=False, partition_size_rows=1000, **options
    )


def test_files_that_rows_are_in_are_counted(tmp_path):
    frame = pd.DataFrame({"n": np.arange(5000)})
    with stored(tmp_path / "s") as cache:
        cache.put("k", frame)
        assert cache.status()["tiers"]["persisted"] == {"bytes": 0, "file_count": 0}, "the rows are in memory"
        cache.put("l", frame)
    size = sum(path.stat().st_size for path in (tmp_path / "s").rglob("*.arrow")) // 2
    with stored(tmp_path / "s", disk_limit=1000) as cache:
        cache.remove("l")
        status = cache.status()
        assert status["tiers"]["persisted"] == {"bytes": size, "file_count": 5}
        assert status["current_size_bytes"] == size and status["tiers"]["disk"]["bytes"] == 0
        assert_frame_equal(cache.get("k"), frame)
        cache.put("k", frame[:1])
        assert cache.status()["tiers"]["persisted"]["file_count"] == 0
    with ArrowCache() as cache:
        assert cache.load("k", tmp_path / "s")
        assert cache.status()["tiers"]["persisted"]["file_count"] == 1
        cache.remove("k")
        assert cache.status()["tiers"]["persisted"] == {"bytes": 0, "file_count": 0}


def test_rows_that_the_storage_has_leave_memory_without_being_written(tmp_path):
    options = {"persistent_storage": True, "storage_path": tmp_path / "s", "spill_directory": tmp_path / "x", "partition_size_rows": 50_000}
    frames = {f"k{number}": pd.DataFrame({"n": np.arange(500_000) + number, "x": np.random.random(500_000)}) for number in range(6)}
    with ArrowCache(memory_limit="20MB", delete_files_on_close=False, dictionary_encoding=False, **options) as cache:
        for key, frame in frames.items():
            cache.put(key, frame)
        status = cache.status()
        assert status["spilled_count"] > 0 and status["tiers"]["disk"]["written_bytes"] == 0
        assert status["tiers"]["persisted"]["bytes"] > 20_000_000 and status["memory"]["allocated_bytes"] <= 20_000_000
        for key, frame in frames.items():
            assert_frame_equal(cache.get(key), frame)
            assert cache.query(f"SELECT sum(n) AS s FROM _cache_{key}")["s"][0] == frame["n"].sum()
        old = cache.get("k0", target_type="arrow")
        cache.put("k0", frames["k1"])
        assert_frame_equal(old.to_pandas(), frames["k0"])
    with ArrowCache(memory_limit="20MB", **options) as cache:
        assert_frame_equal(cache.get("k0"), frames["k1"])
        assert_frame_equal(cache.get("k5"), frames["k5"])
