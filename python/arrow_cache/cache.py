"""`ArrowCache`: tables under keys, in memory, with SQL over them."""

from __future__ import annotations

import atexit
import contextlib
import weakref
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NoReturn, Self, Unpack

from . import _core, converters
from .arguments import checked_columns, checked_flag, checked_key, checked_rows, checked_ttl, metadata_text, note_progress
from .building import Building
from .config import ArrowCacheConfig
from .config_keys import ConfigKeys
from .dictionary_access import DictionaryAccess
from .duckdb_library import library_path
from .entry_facts import entry_facts, keep_metadata
from .entry_view import EntryView
from .errors import CacheError, InvalidArgumentType, KeyExists, UnsupportedTypeError
from .opening import engine_options, merged_config
from .sizes import format_bytes
from .sql import SQLRunner
from .status import nested_status, status_html, unavailable_html

_open_caches: weakref.WeakSet[ArrowCache] = weakref.WeakSet()


class ArrowCache(DictionaryAccess, Building):
    """Keeps tables in memory under keys, gives them back whole or in part, and answers SQL over them.

    Every method may be called from any number of threads. What `get` and `query` return stays valid after the entry was
    replaced or removed, and after the cache was closed. A cache is a dictionary too: ``cache[key]``, ``key in cache``,
    ``len(cache)``; and a context manager, which closes it.

    Parameters
    ----------
    config : ArrowCacheConfig, mapping, int, str or None, default None
        The configuration. An int or a text such as ``"4GB"`` stands for ``memory_limit`` alone.
    **overrides
        Single keys of the configuration (see `ArrowCacheConfig`), which come before those of `config`. ``max_size_bytes`` is
        another name of ``memory_limit``.

    Raises
    ------
    ConfigurationError
        For an unknown key or a value that is not allowed.
    DuckDBError
        If DuckDB is missing or older than 1.5, or if one of ``duckdb_extensions`` can't be loaded.

    Examples
    --------
    >>> import pandas as pd
    >>> with ArrowCache(memory_limit="1GiB") as cache:
    ...     key = cache.put("numbers", pd.DataFrame({"a": [1, 2, 3]}))
    ...     answer = cache.query("SELECT sum(a) AS total FROM _cache_numbers")
    >>> int(answer["total"][0])
    6
    """

    def __init__(
        self,
        config: ArrowCacheConfig | Mapping[str, Any] | int | str | None = None,
        **overrides: Unpack[ConfigKeys],
    ) -> None:
        super().__init__()
        self._config = merged_config(config, overrides)
        self._handle = _core.open_cache(engine_options(self._config), library_path())
        self._sql = SQLRunner(self._handle)
        _open_caches.add(self)
        try:
            for name in self._config.duckdb_extensions:
                self._sql.extensions.load(name)
        except BaseException:
            self.close()
            raise

    @property
    def config(self) -> ArrowCacheConfig:
        """The configuration that the cache works with; it can't be changed."""
        return self._config

    # --- data ---------------------------------------------------------------------------------------------------------------

    def put(
        self,
        key: str,
        data: object,
        ttl: float | None = None,
        metadata: Mapping[str, Any] | None = None,
        overwrite: bool = True,
        preserve_index: bool = True,
        auto_partition: bool | None = None,
        *,
        progress: bool = False,
    ) -> str:
        """Keep a table under a key.

        Parameters
        ----------
        key : str
            Any text that is not empty. In SQL the entry is the table ``_cache_<key>``, in double quotes where the key asks for it.
        data : object
            A pandas, GeoPandas or Polars frame or series, anything that speaks Arrow's PyCapsule interface (pyarrow's tables,
            batches and readers among them), or the path of a file. Arrow memory is shared, not copied; memory that the caller
            can still write to is copied.
        ttl : float or datetime.timedelta, optional
            Seconds until the entry expires, above 0. Default: never, also where the key had a ttl before.
        metadata : mapping, optional
            Whatever shall be kept with the entry; `get_metadata` gives it back. Values that JSON has no form for live as long
            as this process.
        overwrite : bool, default True
            Whether an entry under this key may be replaced.
        preserve_index : bool, default True
            Whether a pandas index is kept.
        auto_partition : bool, optional
            Whether the entry is split into partitions. Default: as configured.
        progress : bool, default False
            Whether to show progress. Not there yet: a warning says so.

        Returns
        -------
        str
            The key.

        Raises
        ------
        UnsupportedTypeError
            If `data` is no table, or has a column that can't be kept.
        KeyExists
            If there is an entry and `overwrite` is False.
        MemoryLimitError
            If the table does not fit into ``memory_limit``.
        StreamError
            If a stream is malformed or fails half-way.
        MissingFileError, StorageError
            If a file is not there or can't be read.
        InvalidArgument
            For any other argument that is wrong. Whatever fails, the entry of before stays.

        Examples
        --------
        >>> cache.put("numbers", pd.DataFrame({"a": [1, 2, 3]}), ttl=3600, metadata={"source": "here"})
        'numbers'
        """
        note_progress(progress)
        self._store(
            checked_key(key),
            data,
            ttl=checked_ttl(ttl),
            metadata=metadata,
            overwrite=checked_flag("overwrite", overwrite),
            preserve_index=checked_flag("preserve_index", preserve_index),
            auto_partition=None if auto_partition is None else checked_flag("auto_partition", auto_partition),
        )
        return key

    def _store(
        self,
        key: str,
        data: object,
        *,
        ttl: float | None,
        metadata: Mapping[str, Any] | None = None,
        overwrite: bool = True,
        preserve_index: bool = True,
        auto_partition: bool | None = None,
    ) -> _core.Entry:
        text, is_faithful = metadata_text(metadata)
        if _core.contains(self._handle, key) and not overwrite:  # before a stream is read that can be read once
            raise KeyExists(f"there is an entry {key!r} and overwrite is False: remove it first, or put with overwrite=True")
        incoming = converters.to_arrow(data, preserve_index=preserve_index)
        export = getattr(incoming.stream, "__arrow_c_stream__", None)
        stream = incoming.stream if export is None else export()
        try:
            entry = _core.put(self._handle, key, stream, incoming.kind, text, ttl, overwrite, auto_partition, incoming.copy)
        except TypeError as error:  # what __arrow_c_stream__ gave is no stream
            if isinstance(error, CacheError):
                raise
            raise UnsupportedTypeError(f"a {type(data).__name__} can't be put: {error}") from error
        if metadata is not None and not is_faithful:
            keep_metadata(entry, metadata)
        return entry

    def get(
        self,
        key: str,
        target_type: str | None = None,
        default: Any = None,
        offset: int = 0,
        limit: int | None = None,
        *,
        columns: Sequence[str] | None = None,
    ) -> Any:
        """The table under a key, whole or in part.

        Parameters
        ----------
        key : str
            The key.
        target_type : str, optional
            ``pandas``, ``geopandas``, ``arrow``, ``polars``, ``reader``, ``capsule``, ``numpy`` or ``dict``. Default: the kind that
            was put.
        default : object, optional
            What to return where there is no entry. Default: None.
        offset : int, default 0
            The first row, from 0. Past the end the result has no rows.
        limit : int, optional
            Rows at most. Default: all.
        columns : sequence of str, optional
            Names of the columns to return, in that order. Default: all. A pandas index comes along.

        Returns
        -------
        object
            The table; writing to it changes nothing in the cache.

        Raises
        ------
        InvalidArgument
            For an unknown target or column (the message has the known ones), or a negative offset or limit.
        UnsupportedTypeError
            If the entry can't become `target_type`, or what that needs is not installed.

        Examples
        --------
        >>> cache.get("numbers", offset=1, limit=1, columns=["a"])
           a
        1  2
        """
        checked_key(key)
        target = None if target_type is None else converters.normalise_target(target_type)
        first, most = checked_rows("offset", offset), None if limit is None else checked_rows("limit", limit)
        names = checked_columns(columns)
        entry = _core.lookup(self._handle, key)
        return default if entry is None else self._part(entry, target, first, most, names)

    def _whole(self, entry: _core.Entry) -> Any:
        return self._part(entry, None, 0, None, None)

    def _part(self, entry: _core.Entry, target: str | None, offset: int, limit: int | None, columns: list[str] | None) -> Any:
        view = EntryView.of(entry)
        wanted = target or converters.default_target(view.kind)
        table = view.rows(entry, offset, limit, columns, with_index=wanted in ("pandas", "geopandas", "series"))
        return converters.from_arrow(table, wanted, view.kind)

    # --- SQL ----------------------------------------------------------------------------------------------------------------

    def query(
        self,
        sql: str,
        parameters: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        target_type: str | None = None,
        progress: bool = False,
    ) -> Any:
        """Run SQL; every entry is a table ``_cache_<key>``.

        Parameters
        ----------
        sql : str
            One or more statements in DuckDB's SQL; the rows of the last are returned.
        parameters : sequence or mapping, optional
            Values for ``?`` and ``$1`` by position, or for ``$name`` by name.
        target_type : str, optional
            As for `get`. ``reader`` and ``capsule`` produce the rows while they are read. Default: ``query_target_type`` of the
            configuration, which is ``pandas``.
        progress : bool, default False
            Whether to show progress. Not there yet: a warning says so.

        Returns
        -------
        object
            The rows. A statement without rows gives what DuckDB's own client gives, such as a count.

        Raises
        ------
        QueryError
            If DuckDB refuses the SQL or fails while it runs it.
        QueryInterrupted
            If it was stopped.
        InvalidArgument
            For a wrong argument; a parameter is named by its position or name.
        DuckDBError
            If an extension that the SQL needs can't be loaded; the message says what to do.

        Examples
        --------
        >>> cache.query("SELECT count(*) AS n FROM _cache_numbers WHERE a > ?", [1])
           n
        0  2
        """
        note_progress(progress)
        target = self._config.query_target_type if target_type is None else target_type
        return self._sql.query(sql, parameters, converters.normalise_target(target))

    def sql(
        self,
        sql: str,
        parameters: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        target_type: str | None = None,
        progress: bool = False,
    ) -> Any:
        """The same as `query`."""
        return self.query(sql, parameters, target_type=target_type, progress=progress)

    def explain(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None, *, analyze: bool = False) -> str:
        """DuckDB's plan of one statement, as text.

        Parameters
        ----------
        sql : str
            The statement.
        parameters : sequence or mapping, optional
            As for `query`.
        analyze : bool, default False
            Whether to run it and add times and row counts.

        Raises
        ------
        QueryError
            If DuckDB refuses it.
        """
        return self._sql.explain(sql, parameters, checked_flag("analyze", analyze))

    # --- what is there ------------------------------------------------------------------------------------------------------

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

    def close(self) -> None:
        """Drop all entries and the database. What was handed out stays valid; a second call does nothing."""
        _core.close_cache(self._handle)
        _open_caches.discard(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        try:
            status = self.status()
        except CacheError as error:
            return f"<ArrowCache: {error}>"
        limit = status["memory"]["limit_bytes"]
        of_limit = f" of {format_bytes(limit)}" if limit else ""
        return f"<ArrowCache: {status['entry_count']} entries, {format_bytes(status['current_size_bytes'])}{of_limit}>"

    def _repr_html_(self) -> str:
        try:
            facts = [self.get_metadata(key) for key in self.get_keys()[:20]]
            return status_html(self.status(), [fact for fact in facts if fact is not None])
        except CacheError as error:
            return unavailable_html(error)

    def __reduce__(self) -> NoReturn:
        raise InvalidArgumentType(
            "an ArrowCache can't be pickled or copied: it holds memory of this process. Hand over its tables (get), or make a cache there"
        )


@atexit.register
def _close_all() -> None:
    for cache in list(_open_caches):
        with contextlib.suppress(CacheError):
            cache.close()
