"""What is in a cache, how long, and how much: keys, metadata, removal, status."""

from __future__ import annotations

from typing import Any

from . import _core
from .arguments import checked_key, checked_ttl
from .entry_facts import entry_facts
from .status import nested_status


class Contents:
    """What a cache tells about its entries, and how they end."""

    _handle: _core.Cache

    def contains(self, key: str) -> bool:
        """Whether there is an entry under a key; an expired one is not there. Does not count as an access."""
        return _core.contains(self._handle, checked_key(key))

    def get_keys(self) -> list[str]:
        """The keys, in the order in which they were put."""
        return _core.keys(self._handle)

    def get_metadata(self, key: str) -> dict[str, Any] | None:
        """Facts about an entry, or None where there is none. Does not count as an access.

        Returns
        -------
        dict or None
            ``key``, ``kind`` (what was put), ``version``, ``created_at``, ``last_accessed_at`` and ``expires_at`` (seconds since 1970;
            None for never), ``ttl`` (seconds left or None), ``access_count``, ``size_bytes``, ``num_rows``, ``num_columns``,
            ``column_names``, ``column_types`` (Arrow's), ``partition_count``, ``index_names`` (columns that hold a pandas index), ``crs``
            (by geometry column) and ``metadata``: what was given to `put`.
        """
        entry = _core.peek(self._handle, checked_key(key))
        return None if entry is None else entry_facts(entry)

    def remove(self, key: str) -> bool:
        """Remove an entry; whether there was one. Tables that were handed out stay valid."""
        return _core.remove(self._handle, checked_key(key))

    def clear(self) -> int:
        """Remove all entries; how many there were. Tables and views made by SQL stay."""
        return _core.clear(self._handle)

    def update_ttl(self, key: str, ttl: float | None) -> bool:
        """Let an entry expire in `ttl` seconds from now, or never (None); whether there is one."""
        return _core.update_ttl(self._handle, checked_key(key), checked_ttl(ttl))

    def status(self) -> dict[str, Any]:
        """What the cache holds and has done.

        Returns
        -------
        dict
            ``current_size_bytes``, ``max_size_bytes``, ``entry_count``, ``partition_count``, ``hits``, ``misses``, ``hit_ratio``,
            ``query_count``, ``uptime_seconds``, counts and bytes of what was evicted, expired and spilled (``evicted_count``,
            ``evicted_bytes`` …), ``memory`` (``allocated_bytes``, ``limit_bytes``, ``usage_ratio``), ``tiers`` (bytes in memory and on
            disk) and ``duckdb`` (``version``, ``engine``, ``memory_bytes``).
        """
        return nested_status(_core.status(self._handle))
