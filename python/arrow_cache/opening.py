"""From what a caller configures to what the engine is opened with."""

import os
from collections.abc import Mapping
from numbers import Integral
from typing import Any

from .config import ArrowCacheConfig
from .errors import ConfigurationError
from .sizes import machine_bytes

#: Shares of the machine's memory where `memory_limit` and `query_memory_limit` are None: together below 1, since both may be used up at once.
DEFAULT_MEMORY_SHARE = 0.5
DEFAULT_QUERY_SHARE = 0.3


def merged_config(config: object, overrides: Mapping[str, Any]) -> ArrowCacheConfig:
    """A fixed configuration from the arguments of `ArrowCache`."""
    match config:
        case None:
            base = ArrowCacheConfig()
        case ArrowCacheConfig():
            base = config
        case Mapping():
            base = ArrowCacheConfig.from_dict(config)
        case str() | Integral() if not isinstance(config, bool):
            if overrides.keys() & {"memory_limit", "max_size_bytes"}:
                raise ConfigurationError(f"memory_limit is given twice: {config!r} as the first argument, and by name")
            base = ArrowCacheConfig(memory_limit=config if isinstance(config, str) else int(config))
        case _:
            raise ConfigurationError(
                f"config: give an ArrowCacheConfig, a mapping, or memory_limit as an int or text, not {type(config).__name__}"
            )
    merged = base.replaced(overrides, frozen=True)
    if merged.policy_args and merged.eviction_policy != "weighted":
        policy = merged.eviction_policy
        raise ConfigurationError(f"configuration key 'policy_args': eviction_policy {policy!r} takes no arguments; give {{}}")
    if merged.read_only:
        _check_read_only(merged, overrides)
    return merged


def _check_read_only(config: ArrowCacheConfig, overrides: Mapping[str, Any]) -> None:
    if not config.persistent_storage:
        raise ConfigurationError("read_only opens the storage of another cache: give persistent_storage=True and its storage_path")
    if config.metadata_db_path is not None:
        raise ConfigurationError("read_only and metadata_db_path are both given: a cache that only reads keeps no catalog; leave one out")
    if overrides.get("delete_files_on_close"):
        raise ConfigurationError("read_only and delete_files_on_close=True are both given: what is only read is not deleted; leave one out")


def engine_options(config: ArrowCacheConfig) -> dict[str, Any]:
    """What the engine has to know, in its own terms: bytes and counts, nothing left open."""
    return {
        "memory_limit": _bytes(config.memory_limit, DEFAULT_MEMORY_SHARE),
        "memory_spill_threshold": config.memory_spill_threshold,
        "spill_to_disk": config.spill_to_disk,
        "spill_directory": os.path.abspath(config.spill_directory),
        "storage_path": os.path.abspath(config.storage_path) if config.persistent_storage else None,
        "read_only": config.read_only,
        "metadata_db_path": os.path.abspath(config.metadata_db_path) if config.metadata_db_path is not None else None,
        "durability": config.durability,
        "delete_files_on_close": config.delete_files_on_close,
        "disk_limit": config.disk_limit,
        "compression_type": config.compression_type if config.enable_compression else "none",
        "compression_level": config.compression_level,
        "check_interval": config.check_interval,
        "dictionary_encoding": config.dictionary_encoding,
        "eviction_policy": config.eviction_policy,
        "policy_args": config.policy_args,
        "auto_partition": config.auto_partition,
        "partition_size_rows": config.partition_size_rows,
        "partition_size_bytes": config.partition_size_bytes,
        "thread_count": config.thread_count or len(os.sched_getaffinity(0)),
        "remember_filters": config.remember_filters,
        "cache_query_plans": config.cache_query_plans,
        "cache_query_results": config.cache_query_results,
        "query_memory_limit": _bytes(config.query_memory_limit, DEFAULT_QUERY_SHARE),
    }


def _bytes(limit: float | None, default_share: float) -> int:
    if limit is None:
        limit = default_share
    return int(limit * machine_bytes()) if isinstance(limit, float) else limit
