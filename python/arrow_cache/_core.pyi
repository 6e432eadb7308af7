"""The engine, written in Swift: everything native the package calls. Private; `arrow_cache.ArrowCache` is the public face.

Every function takes its arguments by position and releases the GIL while it works. Handles are capsules.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

class Cache:
    """Handle of an open cache (a capsule)."""

class Entry:
    """Handle of one version of one entry (a capsule): keeps that version's buffers alive."""

class Watch:
    """Handle by which a query is watched while it runs, and stopped (a capsule)."""

class Result:
    """Handle of a kept result (a capsule)."""

def register_errors(types: Mapping[str, type[Exception]], /) -> None:
    """Tell the engine which exception stands for which error code (``argument``, ``type``, ``keyNotFound``, ...)."""

def open_cache(options: Mapping[str, Any], library: str, /) -> Cache:
    """Open a cache. ``options`` holds normalised configuration values; ``library`` is the path of DuckDB's shared object."""

def abandon_cache(cache: Cache, /) -> None:
    """Close a cache that could not be made ready: its storage stays as it is."""

def close_cache(cache: Cache, /) -> None:
    """Drop every entry and the database. A second call does nothing; streams and entries handed out stay readable."""

def put(
    cache: Cache,
    key: str,
    stream: object,
    kind: str,
    metadata: str,
    ttl: float | None,
    overwrite: bool,
    auto_partition: bool | None,
    copy: bool | Sequence[int],
    build_seconds: float | None,
    expected_bytes: int | None,
    /,
) -> Entry:
    """Read an ``arrow_array_stream`` capsule to its end and keep it under ``key``.

    ``metadata`` is JSON text. ``copy`` says which columns' buffers are copied into private memory: all, none or these indices.
    ``build_seconds`` is what it took to make the data, ``expected_bytes`` what the table will take at least, where that is known.
    """

def lookup(cache: Cache, key: str, /) -> Entry | None:
    """The current version of ``key``; counts a hit or a miss."""

def peek(cache: Cache, key: str, /) -> Entry | None:
    """As `lookup`, without counting or touching."""

def describe(entry: Entry, /) -> dict[str, Any]:
    """key, version, kind, metadata (JSON text), row_count, column_count, size_bytes, encoded_columns (indices), partition_count, batch_count,
    created_at, last_accessed_at, access_count, expires_at (seconds since 1970 or None)."""

def bounding_box(entry: Entry, column: int, /) -> dict[str, float] | None:
    """minx, miny, maxx and maxy of a column of GeoArrow well-known binary, None where nothing has a place. Reads the column once."""

def schema(entry: Entry, /) -> object:
    """An ``arrow_schema`` capsule."""

def scan(entry: Entry, offset: int, limit: int | None, columns: Sequence[int] | None, /) -> object:
    """An ``arrow_array_stream`` capsule over a row range and some columns, zero copy. Past the end: no rows."""

def memo(entry: Entry, name: str, /) -> Any:
    """The object kept beside the entry under ``name``, or None."""

def set_memo(entry: Entry, name: str, value: object, byte_count: int | None, /) -> None:
    """Keep ``value`` beside the entry, as long as this version lives.

    ``byte_count`` is memory of its own. What is given one may keep rows of the entry alive: it is kept only while all rows are in memory.
    None: it keeps none.
    """

def remove(cache: Cache, key: str, /) -> bool: ...
def clear(cache: Cache, /) -> int: ...
def contains(cache: Cache, key: str, /) -> bool: ...
def keys(cache: Cache, /) -> list[str]: ...
def update_ttl(cache: Cache, key: str, ttl: float | None, /) -> bool: ...

def pin(cache: Cache, key: str, /) -> bool:
    """Keep the entries of ``key`` from being evicted until as many `unpin`; False where there is none."""

def unpin(cache: Cache, key: str, /) -> None:
    """Take back one `pin`; nothing where there is none."""

def persist(cache: Cache, key: str, storage_dir: str, encode: Callable[[object], bytes] | None, /) -> bool:
    """Write an entry to a folder of its own in ``storage_dir``, durably; False where there is none. A pending signal ends it.

    ``encode`` makes a Parquet file of an ``arrow_array_stream`` capsule; None: Arrow files.
    """

def load(cache: Cache, key: str, storage_dir: str, verify: bool, decode: Callable[[bytes, object], object] | None, /) -> bool:
    """Bring back what `persist` has written there; False where nothing of that key is there, or it has expired.

    ``decode`` makes an ``arrow_array_stream`` capsule of a Parquet file and an ``arrow_schema`` capsule.
    """

def flush(cache: Cache, /) -> None:
    """Wait until every change is in the storage. A pending signal ends the waiting."""

def check_storage(storage_dir: str, repair: bool, /) -> list[dict[str, Any]]:
    """Compare all that has been persisted to a folder with its checksums: of each entry path, key, num_rows, size_bytes, problems, repaired."""

def query(
    cache: Cache,
    sql: str,
    parameters: Sequence[tuple[str, Any]] | Mapping[str, tuple[str, Any]] | None,
    streaming: bool,
    watch: Watch | None,
    /,
) -> object:
    """Run SQL and return an ``arrow_array_stream`` capsule of the last statement's rows.

    A parameter is ``(tag, value)``: ``("null", None)``, ``("bool", bool)``, ``("int", int)`` (64 bits signed),
    ``("ubigint", str)`` (decimal digits, 64 bits unsigned), ``("hugeint", str)`` (decimal digits, beyond 64 bits), ``("double", float)``, ``("text", str)``, ``("blob", bytes)``,
    ``("date", days)``, ``("time", microseconds)``, ``("timestamp", microseconds)``, ``("timestamptz", microseconds)``,
    ``("timestamp_ns", nanoseconds)``, ``("interval", (months, days, microseconds))``, ``("decimal", (digits: str, width, scale))``,
    ``("uuid", str)``, ``("list", [parameters])``, ``("struct", [(name, parameter), ...])``.

    Not streaming: the whole result is produced before this returns and a pending Python signal (Ctrl-C) interrupts it.
    Streaming: rows are produced while the stream is read; it holds a connection until it ends or is released.
    """

def kept_result(cache: Cache, sql: str, parameters: Sequence[tuple[str, Any]] | Mapping[str, tuple[str, Any]] | None, /) -> Result | None:
    """The result that `query` would give the calling thread, where it has been kept: a use of the entries that it has read."""

def result_stream(result: Result, /) -> object:
    """An ``arrow_array_stream`` capsule over the rows, zero copy."""

def result_memo(result: Result, name: str, /) -> Any:
    """The object kept beside the result under ``name``, or None."""

def set_result_memo(result: Result, name: str, value: object, byte_count: int, /) -> None:
    """Keep ``value`` beside the result, where there is room for ``byte_count``, the memory of its own."""

def explain(
    cache: Cache,
    sql: str,
    parameters: Sequence[tuple[str, Any]] | Mapping[str, tuple[str, Any]] | None,
    analyze: bool,
    watch: Watch | None,
    /,
) -> str:
    """DuckDB's plan of exactly one statement, as text."""

def watch(time_limit: float | None, tracks_progress: bool, /) -> Watch:
    """A watch for one query: how many seconds it may work on its result, and whether `fraction` will be asked for."""

def fraction(watch: Watch, /) -> float:
    """How much of the query is done, from 0 to 1: an estimate, which never goes down."""

def has_timed_out(watch: Watch, /) -> bool:
    """Whether it was the time limit that stopped the query."""

def cancel(cache: Cache, watch: Watch, /) -> None:
    """Stop the query, from another thread than its own. Returns at once."""

def interrupt(cache: Cache, /) -> int:
    """Stop all queries that run at the moment and return how many. Streams that were handed out go on."""

def status(cache: Cache, /) -> dict[str, Any]:
    """Flat counters: entry_count, partition_count, current_size_bytes, limit_bytes, hits, misses, evicted_count, evicted_bytes,
    expired_count, expired_bytes, query_count, partitions_read, partitions_skipped, blocks_read, blocks_skipped, rows_read, memory_bytes_read,
    disk_bytes_read, rows_left_out, remembered_hits, remembered_bytes, duckdb_version, duckdb_engine ("v1" or "v2"), duckdb_memory_bytes, uptime_seconds, ...;
    ``causes`` has, for spilled, loaded, evicted and expired, how often for which reason."""

def placement(cache: Cache, key: str, /) -> dict[str, Any] | None:
    """Where the rows of an entry are: key, version, num_rows, size_bytes, memory_bytes, disk_bytes, pinned, and ``partitions``, each with
    partition, first_row, num_rows, size_bytes, segment, tier, since (seconds since 1970), cause, moves. No access."""

def known_second_apis() -> list[str]:
    """The DuckDBs whose second API is used, such as ``"v2.0.0"``; others are used through the stable one."""

def engine_version() -> str: ...
