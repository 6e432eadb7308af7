"""What the documentation of the earlier package shows, as it is written there."""

import concurrent.futures
import warnings

import numpy as np
import pandas as pd
from pandas.testing import assert_frame_equal

from arrow_cache import ArrowCache, ArrowCacheConfig


def test_quick_start():
    cache = ArrowCache()
    df = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    cache.put("my_dataframe", df)
    result_df = cache.query("SELECT * FROM _cache_my_dataframe WHERE a > 1")
    assert_frame_equal(result_df, pd.DataFrame({"a": [2, 3], "b": ["y", "z"]}))
    cached_df = cache.get("my_dataframe")
    assert_frame_equal(cached_df, df)
    cache.close()


def test_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # every key has its effect
        config = ArrowCacheConfig(
            memory_limit=1024 * 1024 * 1024,
            memory_spill_threshold=0.8,
            auto_partition=True,
            partition_size_rows=100_000,
            partition_size_bytes=50 * 1024 * 1024,
            enable_compression=True,
            compression_type="lz4",
            dictionary_encoding=True,
            thread_count=4,
            cache_query_plans=True,
            spill_to_disk=True,
            spill_directory=".arrow_cache_spill",
            persistent_storage=True,
            storage_path=".arrow_cache_storage",
            delete_files_on_close=True,
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache = ArrowCache(config=config)
        cache.put("k", pd.DataFrame({"a": [1]}))
        assert cache.query("SELECT a FROM _cache_k")["a"][0] == 1
        cache.close()
    assert list(tmp_path.iterdir()) == []


def test_storing_and_retrieving(cache):
    df = pd.DataFrame({"n": range(5000), "s": [str(n) for n in range(5000)]})
    cache.put("my_dataframe", df, ttl=3600)
    cache.put("my_dataframe", df, metadata={"source": "database", "version": 2})
    assert_frame_equal(cache.get("my_dataframe"), df)
    df_slice = cache.get("my_dataframe", offset=1000, limit=100)
    assert_frame_equal(df_slice, df.iloc[1000:1100])
    arrow_table = cache.get("my_dataframe", target_type="arrow")
    assert arrow_table.num_rows == 5000
    assert cache.get_metadata("my_dataframe")["metadata"] == {"source": "database", "version": 2}


def test_sql(cache):
    cache.put("my_dataframe", pd.DataFrame({"a": [1, 1, 2]}))
    result = cache.query("""
        SELECT
            a,
            COUNT(*) as count
        FROM _cache_my_dataframe
        GROUP BY a
    """)
    assert sorted(map(tuple, result.values)) == [(1, 2), (2, 1)]
    assert isinstance(cache.explain("SELECT * FROM _cache_my_dataframe WHERE a > 10"), str)


def test_memory_management(cache):
    cache.put("k", pd.DataFrame({"a": range(1000)}))
    status = cache.status()
    assert f"Cache size: {status['current_size_bytes'] / 1024 / 1024:.2f} MB" == "Cache size: 0.01 MB"
    assert f"Entries: {status['entry_count']}" == "Entries: 1"
    assert status["memory"]["allocated_bytes"] >= status["current_size_bytes"]
    cache.clear()
    assert cache.status()["entry_count"] == 0


def test_large_data(cache):
    large_df = pd.DataFrame({"a": np.arange(1_200_000), "b": np.random.default_rng(0).random(1_200_000)})
    cache.put("large_data", large_df)
    assert cache.get_metadata("large_data")["partition_count"] == 12
    slice_df = cache.get("large_data", offset=1_000_000, limit=1000)
    assert_frame_equal(slice_df, large_df.iloc[1_000_000:1_001_000])

    def process_batch(batch_id):
        return cache.get("large_data", offset=batch_id * 1000, limit=1000)["a"].sum()

    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as executor:
        results = list(executor.map(process_batch, range(10)))
    assert results == [large_df["a"].iloc[low : low + 1000].sum() for low in range(0, 10_000, 1000)]


def test_resources():
    with ArrowCache() as cache:
        cache.put("temp_data", pd.DataFrame({"a": [1]}))
    cache = ArrowCache()
    try:
        cache.put("my_data", pd.DataFrame({"a": [1]}))
        result = cache.query("SELECT * FROM _cache_my_data")
    finally:
        cache.close()
    assert result["a"].tolist() == [1]
