"""`ArrowCache`: tables under keys, in memory and on disk, with SQL over them."""

from __future__ import annotations

import atexit
import contextlib
import weakref
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NoReturn, Self, Unpack

from . import _core
from .building import Building
from .config import ArrowCacheConfig
from .config_keys import ConfigKeys
from .contents import Contents
from .dictionary_access import DictionaryAccess
from .duckdb_library import library_path, warn_where_slow
from .errors import CacheError, ClosedError, InvalidArgumentType
from .importing import Importing
from .opening import engine_options, merged_config
from .persisting import Persisting
from .pinning import Pinning
from .queries import Queries
from .scanning import Scanning
from .sizes import format_bytes
from .sql import SQLRunner
from .status import status_html, unavailable_html
from .tables import Tables

_open_caches: weakref.WeakSet[ArrowCache] = weakref.WeakSet()


class ArrowCache(Tables, Importing, Queries, Scanning, Contents, Pinning, Persisting, Building, DictionaryAccess):
    """Keeps tables under keys, in memory within a limit and on disk beyond it, gives them back whole or in part, and answers SQL over them.

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
        options = engine_options(self._config)
        self._convert_bytes = options["memory_limit"] // 4
        self._has_disk_limit = options["disk_limit"] is not None
        self._query_limit_bytes = options["query_memory_limit"]
        self._handle = _core.open_cache(options, library_path())
        warn_where_slow(_core.known_second_apis())
        self._sql = SQLRunner(self._handle)
        _open_caches.add(self)
        try:
            for name in self._config.duckdb_extensions:
                self._sql.extensions.load(name)
        except BaseException:
            _core.abandon_cache(self._handle)
            _open_caches.discard(self)
            raise

    @property
    def config(self) -> ArrowCacheConfig:
        """The configuration that the cache works with; it can't be changed."""
        return self._config

    def close(self) -> None:
        """Drop all entries and the database. What was handed out stays valid; a second call does nothing.

        With ``persistent_storage`` the entries stay in ``storage_path`` for the next cache if ``delete_files_on_close`` is False.

        Raises
        ------
        StorageError
            If changes wait to be written (``durability="relaxed"``) and can't be: the cache stays open and as it is. Make room and close it again;
            what can't be written is lost when the last reference to the cache goes.
        """
        if self._config.durability == "relaxed" and not self._config.delete_files_on_close:
            with contextlib.suppress(ClosedError):
                self.flush()
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
        memory, disk = status["tiers"]["memory"], status["tiers"]["disk"]["bytes"]
        on_disk = f", {format_bytes(disk)} on disk" if disk else ""
        return f"<ArrowCache: {status['entry_count']} entries, {format_bytes(memory['bytes'])} of {format_bytes(memory['limit_bytes'])}{on_disk}>"

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
