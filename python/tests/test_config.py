import copy
import json
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from arrow_cache import DEFAULT_CONFIG, ArrowCache, ArrowCacheConfig, ConfigurationError, MissingFileError, StorageError, UnknownKeyError, converters
from arrow_cache.config_keys import KEYS

DOCUMENTED = {
    "memory_limit": 1024 * 1024 * 1024,
    "memory_spill_threshold": 0.8,
    "auto_partition": True,
    "partition_size_rows": 100_000,
    "partition_size_bytes": 50 * 1024 * 1024,
    "enable_compression": True,
    "compression_type": "lz4",
    "dictionary_encoding": None,
    "thread_count": 4,
    "cache_query_plans": True,
    "spill_to_disk": True,
    "spill_directory": ".arrow_cache_spill",
    "persistent_storage": True,
    "storage_path": ".arrow_cache_storage",
    "delete_files_on_close": True,
}
quiet = pytest.mark.filterwarnings("ignore:without effect")


@quiet
def test_the_documented_configuration_is_taken_and_reads_back():
    config = ArrowCacheConfig(**DOCUMENTED)
    for name, value in DOCUMENTED.items():
        assert config[name] == value and type(config[name]) is type(value), name
        assert getattr(config, name) == value
        assert config.get(name) == value
    assert config.to_dict() == DEFAULT_CONFIG | DOCUMENTED


@quiet
def test_a_cache_opens_with_the_documented_configuration():
    with ArrowCache(config=ArrowCacheConfig(**DOCUMENTED)) as cache:
        assert cache.status()["memory"]["limit_bytes"] == 1024**3
        assert cache.config == ArrowCacheConfig(**DOCUMENTED)


VALID = [
    ("memory_limit", None, None),
    ("memory_limit", 1, 1),
    ("memory_limit", np.int64(5), 5),
    ("memory_limit", "4GB", 4 * 10**9),
    ("memory_limit", 0.5, 0.5),
    ("memory_limit", 1.0, 1.0),
    ("memory_spill_threshold", 1, 1.0),
    ("memory_spill_threshold", np.float32(0.5), 0.5),
    ("partition_size_rows", 1, 1),
    ("partition_size_bytes", "1MiB", 1024**2),
    ("thread_count", 0, 0),
    ("thread_count", 1024, 1024),
    ("compression_type", "ZSTD", "zstd"),
    ("compression_type", "none", "none"),
    ("compression_level", 22, 22),
    ("eviction_policy", "LFU", "lfu"),
    ("policy_args", {"lru_weight": 1.5}, {"lru_weight": 1.5}),
    ("check_interval", 0, 0.0),
    ("query_target_type", "arrow", "arrow"),
    ("query_target_type", "pd.DataFrame", "pandas"),
    ("duckdb_extensions", ("json",), ["json"]),
    ("spill_directory", Path("/tmp/x"), "/tmp/x"),
    ("disk_limit", "1TB", 10**12),
    ("auto_partition", np.bool_(False), False),
    ("metadata_db_path", None, None),
    ("max_size_bytes", 7, 7),
]


@quiet
@pytest.mark.parametrize(("name", "value", "normal"), VALID)
def test_a_value_is_kept_in_its_normal_form(name, value, normal):
    config = ArrowCacheConfig(**{name: value})
    assert config[name] == normal and type(config[name]) is type(normal)


INVALID = [
    ("memory_limit", 0),
    ("memory_limit", -1),
    ("memory_limit", True),
    ("memory_limit", 1.5),
    ("memory_limit", 0.0),
    ("memory_limit", float("nan")),
    ("memory_limit", "four GB"),
    ("memory_limit", "0GB"),
    ("memory_limit", b"4GB"),
    ("memory_limit", [1]),
    ("memory_spill_threshold", 0),
    ("memory_spill_threshold", 1.01),
    ("memory_spill_threshold", None),
    ("memory_spill_threshold", "0.8"),
    ("memory_spill_threshold", True),
    ("auto_partition", 1),
    ("auto_partition", "yes"),
    ("auto_partition", None),
    ("partition_size_rows", 0),
    ("partition_size_rows", 1e5),
    ("partition_size_rows", "100"),
    ("partition_size_rows", 2**63),
    ("partition_size_bytes", 0),
    ("partition_size_bytes", 0.5),
    ("compression_type", "snappy"),
    ("compression_type", None),
    ("compression_type", 3),
    ("compression_level", 0),
    ("compression_level", 23),
    ("thread_count", -1),
    ("thread_count", 1025),
    ("thread_count", False),
    ("thread_count", 2.0),
    ("eviction_policy", "mru"),
    ("policy_args", [1]),
    ("policy_args", {"x": "y"}),
    ("policy_args", {1: 2}),
    ("policy_args", {"x": float("inf")}),
    ("check_interval", -1),
    ("check_interval", float("inf")),
    ("check_interval", 10**400),
    ("query_target_type", "excel"),
    ("duckdb_extensions", "spatial"),
    ("duckdb_extensions", ["a b"]),
    ("duckdb_extensions", ["x'; DROP TABLE t"]),
    ("duckdb_extensions", ["json", "json"]),
    ("duckdb_extensions", [1]),
    ("spill_directory", ""),
    ("spill_directory", None),
    ("spill_directory", 3),
    ("spill_directory", "a\0b"),
    ("storage_path", b"bytes"),
    ("disk_limit", 0.5),
    ("persistent_storage", "no"),
]


@pytest.mark.parametrize(("name", "value"), INVALID)
def test_a_wrong_value_names_the_key_the_value_and_what_is_allowed(name, value):
    with pytest.raises(ConfigurationError) as caught:
        ArrowCacheConfig(**{name: value})
    message = str(caught.value)
    assert f"'{name}'" in message
    assert repr(value)[:40] in message
    assert KEYS[name].rule.allowed in message
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [("memory_limt", "memory_limit"), ("partition_size_row", "partition_size_rows"), ("threads", "thread_count"), ("compresion_type", "compression_type"), ("Spill_Directory", "spill_directory")],
)
def test_an_unknown_key_names_the_nearest(wrong, nearest):
    for refused in (
        lambda: ArrowCacheConfig(**{wrong: 1}),
        lambda: ArrowCacheConfig.from_dict({wrong: 1}),
        lambda: ArrowCacheConfig()[wrong],
        lambda: ArrowCacheConfig().__setitem__(wrong, 1),
        lambda: setattr(ArrowCacheConfig(), wrong, 1),
        lambda: getattr(ArrowCacheConfig(), wrong),
        lambda: ArrowCache(**{wrong: 1}),
        lambda: ArrowCache({wrong: 1}),
    ):
        with pytest.raises(UnknownKeyError, match=f"'{wrong}'; the nearest is '{nearest}'") as caught:
            refused()
        assert isinstance(caught.value, ConfigurationError)


def test_every_known_key_has_a_valid_default():
    for name, key in KEYS.items():
        assert key.rule.accept(key.default) == key.default, name
    assert DEFAULT_CONFIG == ArrowCacheConfig().to_dict()


@pytest.mark.parametrize("target", converters.target_kinds())
def test_query_targets_are_those_of_the_converters(target):
    assert ArrowCacheConfig(query_target_type=target).query_target_type == target


def test_a_configuration_is_a_mapping():
    config = ArrowCacheConfig(thread_count=3)
    assert isinstance(config, Mapping)
    assert dict(config) == config.to_dict()
    assert list(config) == list(DEFAULT_CONFIG) and len(config) == len(DEFAULT_CONFIG)
    assert "thread_count" in config and "nothing" not in config
    assert config.get("nothing") is None and config.get("nothing", 5) == 5
    assert not hasattr(config, "nothing")
    assert ArrowCacheConfig.from_dict(dict(config)) == config
    assert "thread_count" in dir(config)


def test_equal_values_are_equal_configurations():
    assert ArrowCacheConfig(memory_limit="1kB") == ArrowCacheConfig(memory_limit=1000)
    assert ArrowCacheConfig(memory_limit=1) != ArrowCacheConfig(memory_limit=2)
    assert ArrowCacheConfig() != DEFAULT_CONFIG.keys()
    with pytest.raises(TypeError):
        hash(ArrowCacheConfig())


def test_repr_shows_what_differs_from_the_defaults():
    assert repr(ArrowCacheConfig()) == "ArrowCacheConfig()"
    assert repr(ArrowCacheConfig(thread_count=2, memory_limit="1kB")) == "ArrowCacheConfig(memory_limit=1000, thread_count=2)"


def test_setting_a_key_validates():
    config = ArrowCacheConfig()
    config["thread_count"] = 2
    config.memory_limit = "1kB"
    assert (config.thread_count, config["memory_limit"]) == (2, 1000)
    with pytest.raises(ConfigurationError, match="thread_count"):
        config["thread_count"] = -1
    with pytest.raises(ConfigurationError, match="memory_limit"):
        config.memory_limit = "lots"
    assert (config.thread_count, config["memory_limit"]) == (2, 1000)


def test_what_is_read_is_a_copy():
    config = ArrowCacheConfig()
    config.duckdb_extensions.append("json")
    config["policy_args"]["x"] = 1
    config.to_dict()["duckdb_extensions"].append("json")
    assert config.duckdb_extensions == [] and config.policy_args == {}
    assert DEFAULT_CONFIG["duckdb_extensions"] == []


def test_the_defaults_are_a_copy(monkeypatch):
    monkeypatch.setitem(DEFAULT_CONFIG, "thread_count", 5)
    assert ArrowCacheConfig().thread_count == 0


def test_the_configuration_of_a_cache_is_fixed_and_its_own():
    config = ArrowCacheConfig(thread_count=1)
    with ArrowCache(config) as cache:
        config["thread_count"] = 2
        assert cache.config.thread_count == 1
        with pytest.raises(ConfigurationError, match="is fixed"):
            cache.config["thread_count"] = 3
        with pytest.raises(ConfigurationError, match="is fixed"):
            cache.config.thread_count = 3
        with pytest.raises(AttributeError):
            cache.config = config


@quiet
def test_copies_and_pickles_are_equal():
    config = ArrowCacheConfig(persistent_storage=True, duckdb_extensions=["json"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for other in (copy.copy(config), copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
            assert other == config and other is not config


def test_files(tmp_path):
    file = tmp_path / "config.json"
    config = ArrowCacheConfig(memory_limit="2GiB", duckdb_extensions=["json"], query_target_type="arrow")
    config.save_to_file(file)
    assert json.loads(file.read_text())["memory_limit"] == 2 * 1024**3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ArrowCacheConfig.from_file(str(file)) == config


def test_wrong_files_are_named(tmp_path):
    with pytest.raises(MissingFileError, match="absent.json") as caught:
        ArrowCacheConfig.from_file(tmp_path / "absent.json")
    assert isinstance(caught.value, FileNotFoundError)
    for name, text, says in (("a", "{", "is not JSON"), ("b", "[1]", "mapping"), ("c", '{"thread_cout": 1}', "thread_count")):
        (tmp_path / name).write_text(text)
        with pytest.raises(ConfigurationError, match=says):
            ArrowCacheConfig.from_file(tmp_path / name)
    (tmp_path / "d").write_bytes(b"\xff\xfe")
    with pytest.raises(StorageError, match="can't be read"):
        ArrowCacheConfig.from_file(tmp_path / "d")
    with pytest.raises(StorageError, match="can't be written"):
        ArrowCacheConfig().save_to_file(tmp_path / "missing" / "config.json")


# --- no key is without effect ------------------------------------------------------------------------------------------------


def warned(function):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    return [(str(warning.message), warning.category, warning.filename) for warning in caught]


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"persistent_storage": False, "spill_to_disk": False, "enable_compression": False, "dictionary_encoding": False, "cache_query_plans": False},
        {"memory_limit": 1, "thread_count": 1, "partition_size_rows": 5, "eviction_policy": "lfu", "query_target_type": "arrow"},
        {"compression_level": 3, "check_interval": 60.0, "cache_query_plans": True, "cache_query_results": False},
        {"persistent_storage": True, "storage_path": "x", "delete_files_on_close": False, "metadata_db_path": "m.db"},
    ],
)
def test_no_key_warns(keys):
    assert warned(lambda: ArrowCacheConfig(**keys)) == []


def test_defaults_read_from_a_file_or_mapping_warn_of_nothing():
    assert warned(lambda: ArrowCacheConfig.from_dict(DEFAULT_CONFIG)) == []
    assert len(warned(lambda: ArrowCacheConfig.from_dict({"metadata_db_path": "m.db"}))) == 0
