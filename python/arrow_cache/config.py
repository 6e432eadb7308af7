"""The configuration of a cache: validated when it is set, fixed once a cache works with it."""

import copy
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self, Unpack

from .config_keys import KEYS, ConfigKeys, known_name, normal_value
from .errors import ConfigurationError, MissingFileError, StorageError

_DEFAULTS: dict[str, Any] = {name: key.default for name, key in KEYS.items()}

#: Every configuration key with its default. A copy: changing it changes no default.
DEFAULT_CONFIG: dict[str, Any] = copy.deepcopy(_DEFAULTS)


class ArrowCacheConfig(Mapping[str, Any]):
    """Settings of an `ArrowCache`: a mapping of the keys below, which are attributes too.

    Every value is checked when it is set. Sizes are in bytes, as an integer or a text such as ``"4GB"`` (powers of 1000) or
    ``"512MiB"`` (powers of 1024); they read back as integers. A cache works with its own copy, which can't be changed.

    Parameters
    ----------
    memory_limit : int, str, float or None, default None
        Memory for entries, in bytes, or as a share of the machine's memory (a float above 0 and up to 1). None stands for 0.5
        of the memory that the machine, or the container, has. Beyond it rows go to disk, or entries are evicted.
    memory_spill_threshold : float, default 0.8
        Share of `memory_limit` from which on rows are moved to disk in the background.
    eviction_policy : {"lru", "lfu", "fifo", "size", "ttl", "arc", "sieve", "s3fifo", "w-tinylfu", "gdsf", "weighted"}, default "lru"
        What goes first, to disk and for good: what was not used for longest (``lru``), the least often used (``lfu``), the oldest
        (``fifo``), the largest (``size``), the next to expire (``ttl``). ``arc``, ``sieve``, ``s3fifo`` and ``w-tinylfu`` keep
        what is used again when much is read once. ``gdsf`` keeps what was slow to build for its size (see
        `ArrowCache.get_or_put`). ``weighted`` goes by the weights in `policy_args`.
    policy_args : mapping of str to number, default {}
        Weights of the policy ``"weighted"``, from 0 to 1,000,000: ``lru_weight`` (default 1), ``lfu_weight`` (1), ``size_weight`` (1),
        ``age_weight`` (0.5), ``cost_weight`` (0). The other policies take none.
    check_interval : float, default 60.0
        Seconds at most between two looks in the background for expired entries, whose memory and files are freed then; 0 for none.
        Whatever it is, what has expired is not found any more.
    auto_partition : bool, default True
        Whether entries are split into partitions. `ArrowCache.put` can say otherwise for one entry.
    partition_size_rows : int, default 100000
        Rows of a partition at most.
    partition_size_bytes : int or str, default 104857600
        Bytes of a partition at most, about; whichever of the two comes first.
    enable_compression : bool, default False
        Whether what is written to disk is compressed. Smaller files, but no longer read in place: what is compressed has to be
        decompressed into memory, within the limit, each time it is read.
    compression_type : {"none", "lz4", "zstd"}, default "zstd"
        How it is compressed.
    compression_level : int, default 3
        From 1 (fast) to 22 (small).
    dictionary_encoding : bool or None, default None
        Whether strings with few different values are kept as dictionaries, where that takes half of the memory at most; they come back as
        plain strings. It makes grouping by them faster, and `put` and `get` copy them. True for always, Arrow data too; None for rows that
        would otherwise take memory beyond ``memory_spill_threshold``.
    thread_count : int, default 0
        Threads of one query; 0 for as many as the process has cores.
    cache_query_plans : bool, default True
        Whether the plan of a query without parameters is kept for the next time, where its result is not: DuckDB then neither parses nor plans it.
        A plan is a thread's own, ends with the versions of the entries it reads, and keeps none of them in memory.
    remember_filters : bool, default True
        Whether it is remembered which rows of an entry satisfied a filter (``WHERE``) that SQL has asked twice: the next query with it reads these
        only. The memory counts against ``memory_limit``, is at most a sixteenth of the entry, and goes before any entry does. With DuckDB 2.
    cache_query_results : bool, default True
        Whether the result of a query is kept for the next time, where the statement reads entries alone and gives the same as long as they are
        the same. Results take an eighth of `memory_limit` at most, and go before any entry does.
    query_memory_limit : int, str, float or None, default None
        Memory of DuckDB for running queries, beside `memory_limit`, in bytes or as a share of the machine's. None stands for 0.3
        of the memory that the machine, or the container, has. Beyond it DuckDB writes to `spill_directory`.
    query_target_type : str, default "pandas"
        What `ArrowCache.query` returns: any target of `ArrowCache.get`.
    query_timeout : float or None, default None
        Seconds after which a query is stopped with a `QueryTimeoutError`; None for no limit. `ArrowCache.query` can say otherwise for one.
    duckdb_extensions : list of str, default []
        DuckDB extensions to load when the cache is opened. ``spatial`` is loaded by itself when it is needed.
    spill_to_disk : bool, default True
        Whether entries may move to disk when memory is short.
    spill_directory : str or path, default ".arrow_cache_spill"
        Where to, from the working directory of the time when the cache is opened. It is made when it is first needed. Files of the
        cache are in a folder of its own in it, DuckDB's temporary ones too, and go when it is closed.
    disk_limit : int, str or None, default None
        Bytes in `spill_directory` at most; None for no limit. Beyond it entries are evicted.
    persistent_storage : bool, default False
        Whether entries outlive the process. What changes them (`put`, `remove`, `clear`, `update_ttl`) is then on the disk in `storage_path`
        when it returns, and a cache that is opened there later has them all, without reading their rows before they are asked for.
        One cache at a time can have the folder open.
    storage_path : str or path, default ".arrow_cache_storage"
        Where they are stored. Also where `persist` writes to and `load` looks, if they are not told otherwise.
    durability : {"full", "relaxed"}, default "full"
        When a change is on the disk, with `persistent_storage`: when the call returns (``full``), or later (``relaxed``): it is written in the
        background, in the order of the changes, and `ArrowCache.flush` and `ArrowCache.close` wait for it. A process that is killed leaves what was
        there after one of the last changes, whole: never a later change without an earlier one.
    read_only : bool, default False
        With `persistent_storage`: opens the `storage_path` of another cache, in this process or another, which may be changing it meanwhile,
        or of one that is closed or was killed. What changes entries (`put`, `remove`, `clear`, `update_ttl`, `load`) is a `ReadOnlyError`; all that
        reads sees at each call what the other has done, always whole versions. Nothing in `storage_path` changes, on closing neither.
    metadata_db_path : str, path or None, default None
        File of the catalog, a DuckDB database with the tables ``entries``, ``partitions``, ``statistics`` and ``events``, which others may
        open while the cache runs (``duckdb.connect(path, read_only=True)``). It is written in the background, about a second after something
        has changed, and when the cache is closed. None for ``catalog.duckdb`` in `storage_path` with `persistent_storage`, and for no file without.
    delete_files_on_close : bool, default True
        Whether closing a cache with `persistent_storage` deletes what is in `storage_path`: entries then outlive only a process that was
        killed. False: they are there for the next cache. What `persist` has written stays in any case.

    Raises
    ------
    ConfigurationError
        For a value of the wrong type, out of range or not among the allowed ones, and for an unknown key (`UnknownKeyError`,
        which names the nearest one).

    Warns
    -----
    UserWarning
        Once, when a value asks for something that this version does not do yet; it says what happens in its place.

    Examples
    --------
    >>> config = ArrowCacheConfig(memory_limit="1GiB", partition_size_rows=50_000)
    >>> config.memory_limit, config["partition_size_rows"]
    (1073741824, 50000)
    """

    memory_limit: int | float | None
    memory_spill_threshold: float
    eviction_policy: str
    policy_args: dict[str, float]
    check_interval: float
    auto_partition: bool
    partition_size_rows: int
    partition_size_bytes: int
    enable_compression: bool
    compression_type: str
    compression_level: int
    dictionary_encoding: bool | None
    thread_count: int
    cache_query_plans: bool
    remember_filters: bool
    cache_query_results: bool
    query_memory_limit: int | float | None
    query_target_type: str
    query_timeout: float | None
    duckdb_extensions: list[str]
    spill_to_disk: bool
    spill_directory: str
    disk_limit: int | None
    persistent_storage: bool
    storage_path: str
    durability: str
    read_only: bool
    metadata_db_path: str | None
    delete_files_on_close: bool

    __slots__ = ("_frozen", "_values")
    _values: dict[str, Any]
    _frozen: bool

    def __init__(self, **keys: Unpack[ConfigKeys]) -> None:
        self._fill(_DEFAULTS)
        self._take(keys)

    def _fill(self, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_values", {name: _copied(value) for name, value in values.items()})
        object.__setattr__(self, "_frozen", False)

    def _take(self, keys: Mapping[str, Any]) -> None:
        """Check all of `keys`, then set them."""
        given: dict[str, object] = {}
        for written, value in keys.items():
            name = known_name(written)
            if name in given:
                raise ConfigurationError(f"configuration key {name!r} is given twice: {written!r} is another name of it")
            given[name] = normal_value(name, value)
        self._values.update(given)

    def replaced(self, keys: Mapping[str, Any], *, frozen: bool = False) -> "ArrowCacheConfig":
        """A copy with some keys set.

        Parameters
        ----------
        keys : mapping
            Keys and values to set.
        frozen : bool, default False
            Whether the copy refuses to be changed.
        """
        other = ArrowCacheConfig.__new__(ArrowCacheConfig)
        other._fill(self._values)
        other._take(keys)
        object.__setattr__(other, "_frozen", frozen)
        return other

    def __getitem__(self, name: str) -> Any:
        return _copied(self._values[known_name(name)])

    def __setitem__(self, name: str, value: object) -> None:
        if self._frozen:
            raise ConfigurationError(
                f"configuration key {name!r}: the configuration of an open cache is fixed; give {name}= when the cache is made"
            )
        self._take({name: value})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: object) -> None:
        self[name] = value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._values})

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ArrowCacheConfig):
            return self._values == other._values
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        changed = ", ".join(f"{name}={value!r}" for name, value in self._values.items() if value != _DEFAULTS[name])
        return f"ArrowCacheConfig({changed})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restored, (self.to_dict(),))

    def to_dict(self) -> dict[str, Any]:
        """All keys with their values, as JSON can hold them.

        Examples
        --------
        >>> ArrowCacheConfig(memory_limit="1kB").to_dict()["memory_limit"]
        1000
        """
        return {name: _copied(value) for name, value in self._values.items()}

    @classmethod
    def from_dict(cls, config_dict: Mapping[str, Any]) -> Self:
        """A configuration with the keys of a mapping; what is missing has its default.

        Parameters
        ----------
        config_dict : mapping
            As `to_dict` makes it.

        Raises
        ------
        ConfigurationError
            As `ArrowCacheConfig` itself.
        """
        if not isinstance(config_dict, Mapping):
            raise ConfigurationError(f"a configuration is a mapping of keys to values, not {type(config_dict).__name__}")
        config = cls.__new__(cls)
        config._fill(_DEFAULTS)
        config._take(config_dict)
        return config

    @classmethod
    def from_file(cls, filename: str | os.PathLike[str]) -> Self:
        """Read a configuration from a JSON file.

        Parameters
        ----------
        filename : str or path
            A file with one JSON object, as `save_to_file` writes it.

        Raises
        ------
        MissingFileError, StorageError
            If the file is not there or can't be read.
        ConfigurationError
            If it is not JSON, or has wrong keys or values.
        """
        try:
            text = Path(filename).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise MissingFileError(f"there is no configuration file {os.fspath(filename)!r}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise StorageError(f"configuration file {os.fspath(filename)!r} can't be read: {error}") from error
        try:
            return cls.from_dict(json.loads(text))
        except json.JSONDecodeError as error:
            raise ConfigurationError(f"configuration file {os.fspath(filename)!r} is not JSON: {error}") from error

    def save_to_file(self, filename: str | os.PathLike[str]) -> None:
        """Write the configuration to a JSON file.

        Parameters
        ----------
        filename : str or path
            The file; what was in it is replaced.

        Raises
        ------
        StorageError
            If it can't be written.
        """
        try:
            Path(filename).write_text(json.dumps(self._values, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise StorageError(f"configuration file {os.fspath(filename)!r} can't be written: {error}") from error


def _restored(values: Mapping[str, Any]) -> ArrowCacheConfig:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return ArrowCacheConfig.from_dict(values)


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, dict | list) else value

