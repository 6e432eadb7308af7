"""How a configuration becomes an open cache."""

from pathlib import Path

import numpy as np
import pytest

from arrow_cache import DEFAULT_CONFIG, ArrowCache, ArrowCacheConfig, ConfigurationError, opening
from arrow_cache.config_keys import EVICTION_POLICIES
from arrow_cache.opening import engine_options, merged_config
from arrow_cache.sizes import machine_bytes

quiet = pytest.mark.filterwarnings("ignore:without effect")


@pytest.mark.parametrize("config", [None, ArrowCacheConfig(), {}, DEFAULT_CONFIG | {"spill_to_disk": False}])
def test_overrides_come_before_the_configuration(config):
    assert merged_config(config, {"thread_count": 7}).thread_count == 7


@pytest.mark.parametrize("first", [1_000_000, np.int64(1_000_000), "1MB"])
def test_the_first_argument_may_be_the_memory_limit(first):
    with ArrowCache(first) as cache:
        assert cache.status()["max_size_bytes"] == 1_000_000


def test_names_of_before():
    with ArrowCache(max_size_bytes=2_000_000, eviction_policy="lfu", policy_args=None or {}) as cache:
        assert cache.config.memory_limit == cache.config["max_size_bytes"] == 2_000_000
        assert cache.config.eviction_policy == "lfu"


@pytest.mark.parametrize("config", [True, 1.5, b"x", [1], object(), ArrowCache])
def test_what_is_no_configuration_is_refused(config):
    with pytest.raises(ConfigurationError, match="ArrowCacheConfig, a mapping"):
        ArrowCache(config)


def test_the_memory_limit_is_given_once():
    with pytest.raises(ConfigurationError, match="twice"):
        ArrowCache(1000, memory_limit=2000)
    with pytest.raises(ConfigurationError, match="twice"):
        ArrowCache(max_size_bytes=1000, memory_limit=2000)


def test_policies_that_take_no_arguments_say_so():
    with pytest.raises(ConfigurationError, match="'lru' takes no arguments"):
        ArrowCache(policy_args={"lru_weight": 1.0})


@pytest.mark.parametrize("policy", EVICTION_POLICIES)
def test_every_policy_opens(policy):
    with ArrowCache(eviction_policy=policy.upper()) as cache:
        assert cache.config.eviction_policy == policy


def test_weights():
    with ArrowCache(eviction_policy="weighted", policy_args={"lru_weight": 0.5, "cost_weight": 2}):
        pass
    with pytest.raises(ConfigurationError, match="'weight'.*lru_weight, lfu_weight, size_weight, age_weight, cost_weight"):
        ArrowCache(eviction_policy="weighted", policy_args={"weight": 1})
    with pytest.raises(ConfigurationError, match="lru_weight is -1"):
        ArrowCache(eviction_policy="weighted", policy_args={"lru_weight": -1})


def test_what_concerns_the_disk_reaches_the_engine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = engine_options(ArrowCacheConfig(disk_limit="1GB", memory_spill_threshold=0.5, check_interval=5))
    assert options["spill_directory"] == str(tmp_path / ".arrow_cache_spill")
    assert (options["disk_limit"], options["memory_spill_threshold"], options["check_interval"]) == (10**9, 0.5, 5.0)
    assert (options["spill_to_disk"], options["compression_type"]) == (True, "none")
    options = engine_options(ArrowCacheConfig(enable_compression=True, compression_level=9, spill_to_disk=False))
    assert (options["spill_to_disk"], options["compression_type"], options["compression_level"]) == (False, "zstd", 9)


def test_limits_are_resolved_for_the_engine():
    assert engine_options(ArrowCacheConfig())["memory_limit"] == int(0.5 * machine_bytes())
    options = engine_options(ArrowCacheConfig(memory_limit=0.25, query_memory_limit=0.5, thread_count=3))
    assert options["memory_limit"] == int(0.25 * machine_bytes())
    assert options["query_memory_limit"] == int(0.5 * machine_bytes())
    assert options["thread_count"] == 3
    assert engine_options(ArrowCacheConfig())["thread_count"] >= 1
    assert engine_options(ArrowCacheConfig())["query_memory_limit"] == int(0.3 * machine_bytes())


def test_limits_follow_the_container(monkeypatch):
    monkeypatch.setattr(opening, "machine_bytes", lambda: 1_000_000_000)
    options = engine_options(ArrowCacheConfig())
    assert (options["memory_limit"], options["query_memory_limit"]) == (500_000_000, 300_000_000)
    assert engine_options(ArrowCacheConfig(memory_limit=0.1))["memory_limit"] == 100_000_000
    assert engine_options(ArrowCacheConfig(memory_limit="2GB"))["memory_limit"] == 2_000_000_000


@quiet
def test_query_settings_reach_duckdb(tmp_path):
    with ArrowCache(thread_count=3, query_memory_limit="512MiB", spill_to_disk=True, spill_directory=tmp_path / "spill") as cache:
        sql = "SELECT current_setting('threads'), current_setting('memory_limit'), current_setting('temp_directory')"
        threads, memory, folder = cache.query(sql).iloc[0]
        assert (threads, memory) == (3, "512.0 MiB")
        assert Path(folder).is_relative_to(tmp_path / "spill") and folder != str(tmp_path / "spill")
    assert not (tmp_path / "spill").exists()


def test_without_spilling_duckdb_has_no_temporary_directory():
    with ArrowCache(spill_to_disk=False) as cache:
        assert cache.query("SELECT current_setting('temp_directory') AS t")["t"][0] == ""
