"""What is in a cache, how long, and how much: keys, metadata, removal, status."""

from __future__ import annotations

from typing import Any

from . import _core
from .arguments import checked_key, checked_ttl
from .entry_facts import entry_facts
from .errors import KeyNotFound
from .placement import EntryPlacement, placement_of
from .status import nested_status


class Contents:
    """What a cache tells about its entries, and how they end."""

    _handle: _core.Cache
    #: `query_memory_limit` in bytes.
    _query_limit_bytes: int

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
            ``current_size_bytes`` (of the entries, in memory and on disk), ``max_size_bytes``, ``entry_count``, ``partition_count``,
            ``pinned_count``, ``hits``, ``misses``, ``hit_ratio``, ``query_count``, ``uptime_seconds``.

            ``spilled_count`` and ``spilled_bytes`` (rows that went to disk), ``loaded_…`` (came back), ``evicted_…``, ``expired_…``, and
            ``causes``: how often each of these happened, by the reason. ``lost_count`` of entries whose rows on disk could not be
            read any more, ``refused_count`` of puts that did not fit, ``wait_count`` and
            ``wait_seconds`` of calls that had to wait for room, ``spill_failures`` and the words of the ``last_spill_failure``; the same for
            ``persist`` in the background and for the ``catalog``, whose last failure is None again once it has been written.

            ``memory``: ``allocated_bytes`` (entries, what is kept beside them, what is being made: never above ``limit_bytes``),
            ``usage_ratio``, ``threshold_bytes``, ``memo_bytes``, ``reserved_bytes``, ``peak_bytes``, and apart from these ``leased_bytes``:
            rows that have left the cache and are still read, and ``results_bytes`` what callers hold of results of queries.

            ``tiers``: ``memory``, ``disk`` (``bytes``, ``file_count``, ``peak_bytes``, ``written_bytes``, ``write_seconds``) and ``query``
            (DuckDB's ``bytes`` and ``disk_bytes``), each with ``limit_bytes``; ``persisted``: ``bytes`` and ``file_count`` of the files that
            entries have their rows in since they were loaded, or opened again with the storage: no limit counts them. ``duckdb``: ``version``, ``engine``, ``memory_bytes``.

            ``query_results``: ``hits`` and ``misses``, ``count`` and ``bytes`` of the results that are kept. ``query_plans``: ``hits``.

            ``scans``: what SQL has read of the entries: ``partitions_read``, ``blocks_read`` (2,048 rows of a partition), ``rows``,
            ``memory_bytes`` and ``disk_bytes``; what statistics let it leave out: ``partitions_skipped``, ``blocks_skipped`` (those of skipped
            partitions too), and ``skip_rate``, skipped blocks by all blocks; ``rows_left_out``, which were read and could not satisfy a filter;
            ``remembered_hits``, stretches of rows whose wanted ones were known from earlier queries, and ``remembered_bytes``, what that takes.
        """
        return nested_status(_core.status(self._handle) | {"query_memory_limit_bytes": self._query_limit_bytes})

    def explain_entry(self, key: str) -> EntryPlacement:
        """Where the rows of an entry are: in memory or on disk, partition by partition, since when and why. Does not count as an access.

        Returns
        -------
        EntryPlacement
            A table when it is printed; ``partitions`` has the facts, and ``to_pandas()`` a frame of them. The SQL tables
            ``arrow_cache.partitions`` and ``arrow_cache.events`` have the same of all entries, and what happened before.

        Raises
        ------
        KeyNotFound
            If there is no entry.

        Examples
        --------
        >>> print(cache.explain_entry("numbers"))
        'numbers', version 1: 3 rows, 24 B; 24 B in memory, 0 B on disk
          partition  rows  size  tier    since                why  moves
                  0     3  24 B  memory  ...  put  0
        """
        found = _core.placement(self._handle, checked_key(key))
        if found is None:
            raise KeyNotFound(f"there is no entry {key!r} to explain")
        return placement_of(found)
