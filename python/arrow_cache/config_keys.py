"""The configuration keys: one line each, with the default and the rule."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from . import config_rules as rule
from .config_rules import Rule
from .errors import ConfigurationError, UnknownKeyError
from .wording import nearest_hint, shortened


@dataclass(frozen=True, slots=True)
class Key:
    """A configuration key: what it is without being set, and what it may be set to."""

    default: Any
    rule: Rule


EVICTION_POLICIES = ("lru", "lfu", "fifo", "size", "ttl", "arc", "sieve", "s3fifo", "w-tinylfu", "gdsf", "weighted")

KEYS: dict[str, Key] = {
    "memory_limit": Key(None, rule.optional(rule.size(of_machine=True))),
    "memory_spill_threshold": Key(0.8, rule.share()),
    "eviction_policy": Key("lru", rule.choice(EVICTION_POLICIES)),
    "policy_args": Key({}, rule.numbers_by_name()),
    "check_interval": Key(60.0, rule.seconds()),
    "auto_partition": Key(True, rule.flag()),
    "partition_size_rows": Key(100_000, rule.whole(1, 2**63 - 1)),
    "partition_size_bytes": Key(100 * 1024**2, rule.size()),
    "enable_compression": Key(False, rule.flag()),
    "compression_type": Key("zstd", rule.choice(("none", "lz4", "zstd"))),
    "compression_level": Key(3, rule.whole(1, 22)),
    "dictionary_encoding": Key(None, rule.optional(rule.flag())),
    "thread_count": Key(0, rule.whole(0, 1024)),
    "cache_query_plans": Key(True, rule.flag()),
    "remember_filters": Key(True, rule.flag()),
    "cache_query_results": Key(True, rule.flag()),
    "query_memory_limit": Key(None, rule.optional(rule.size(of_machine=True))),
    "query_target_type": Key("pandas", rule.target()),
    "query_timeout": Key(None, rule.optional(rule.duration())),
    "duckdb_extensions": Key([], rule.names()),
    "spill_to_disk": Key(True, rule.flag()),
    "spill_directory": Key(".arrow_cache_spill", rule.path()),
    "disk_limit": Key(None, rule.optional(rule.size())),
    "persistent_storage": Key(False, rule.flag()),
    "storage_path": Key(".arrow_cache_storage", rule.path()),
    "durability": Key("full", rule.choice(("full", "relaxed"))),
    "read_only": Key(False, rule.flag()),
    "metadata_db_path": Key(None, rule.optional(rule.path())),
    "delete_files_on_close": Key(True, rule.flag()),
}

#: Names of before → names of now.
FORMER_NAMES = {"max_size_bytes": "memory_limit"}

class ConfigKeys(TypedDict, total=False):
    """Keyword arguments of `ArrowCacheConfig`, for type checkers; see there for what they mean."""

    memory_limit: int | float | str | None
    memory_spill_threshold: float
    eviction_policy: str
    policy_args: Mapping[str, float]
    check_interval: float
    auto_partition: bool
    partition_size_rows: int
    partition_size_bytes: int | str
    enable_compression: bool
    compression_type: str
    compression_level: int
    dictionary_encoding: bool | None
    thread_count: int
    cache_query_plans: bool
    remember_filters: bool
    cache_query_results: bool
    query_memory_limit: int | float | str | None
    query_target_type: str
    query_timeout: float | None
    duckdb_extensions: Iterable[str]
    spill_to_disk: bool
    spill_directory: Any
    disk_limit: int | str | None
    persistent_storage: bool
    storage_path: Any
    durability: str
    read_only: Any
    metadata_db_path: Any
    delete_files_on_close: bool
    max_size_bytes: int | float | str | None


def known_name(name: object) -> str:
    """The key that `name` stands for; raises `UnknownKeyError` with the nearest one."""
    if isinstance(name, str):
        if name in KEYS:
            return name
        if name in FORMER_NAMES:
            return FORMER_NAMES[name]
        hint = nearest_hint(name, KEYS)
    else:
        hint = f"; a key is a str, not {type(name).__name__}"
    raise UnknownKeyError(f"unknown configuration key {shortened(name)}{hint}. Known keys: {', '.join(KEYS)}")


def normal_value(name: str, value: object) -> object:
    """The normal form of `value` for the key `name`; raises `ConfigurationError` where it is not allowed."""
    wanted = KEYS[name].rule
    try:
        return wanted.accept(value)
    except TypeError:
        fact = f"of type {type(value).__name__}"
    except (ValueError, ArithmeticError):
        fact = "not allowed"
    raise ConfigurationError(f"configuration key {name!r}: {shortened(value, 80)} is {fact}; give {wanted.allowed}")
