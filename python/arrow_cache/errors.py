"""What can go wrong, one class a kind of failure, each also the builtin exception that is nearest to it.

Every message has the fact, the number and the remedy. ``except CacheError`` catches all of them; ``except KeyError``,
``except ValueError``, ``except MemoryError`` and so on go on working in code that does not know this package.
"""

from typing import ClassVar

__all__ = [
    "CacheError",
    "ClosedError",
    "ConfigurationError",
    "DuckDBError",
    "ForkError",
    "InvalidArgument",
    "InvalidArgumentType",
    "KeyExists",
    "KeyNotFound",
    "MemoryLimitError",
    "MissingFileError",
    "MissingPackageError",
    "QueryError",
    "QueryInterrupted",
    "ReadOnlyError",
    "QueryTimeoutError",
    "StorageError",
    "StreamError",
    "UnknownKeyError",
    "UnsupportedTypeError",
]


class CacheError(Exception):
    """Anything that ArrowCache raises on purpose.

    Attributes
    ----------
    code : str
        The kind of failure in one word, the same as in the engine: ``argument``, ``type``, ``keyNotFound`` …
    """

    code: ClassVar[str] = "cache"


class InvalidArgument(CacheError, ValueError):
    """An argument has a value that the call does not take."""

    code: ClassVar[str] = "argument"


class InvalidArgumentType(InvalidArgument, TypeError):
    """An argument is of a type that the call does not take."""


class UnsupportedTypeError(CacheError, TypeError):
    """Data of a kind that cannot be kept or that cannot be converted to what was asked for."""

    code: ClassVar[str] = "type"


class KeyNotFound(CacheError, KeyError):
    """No entry under that key: never put, removed, evicted or expired."""

    code: ClassVar[str] = "keyNotFound"

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return str(self.args[0]) if self.args else ""


class KeyExists(CacheError, ValueError):
    """An entry under that key is there and ``overwrite=False`` was asked for."""

    code: ClassVar[str] = "keyExists"


class ConfigurationError(CacheError, ValueError):
    """A configuration key is unknown, or its value is of the wrong type, out of range or not one of the allowed."""

    code: ClassVar[str] = "configuration"


class UnknownKeyError(ConfigurationError, KeyError, AttributeError):
    """A configuration key that does not exist; the message names the nearest one."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class MemoryLimitError(CacheError, MemoryError):
    """The data does not fit into ``memory_limit``; what was in the cache is still there."""

    code: ClassVar[str] = "memoryLimit"


class StorageError(CacheError, OSError):
    """A file or folder could not be read or written."""

    code: ClassVar[str] = "storage"


class ReadOnlyError(CacheError, PermissionError):
    """A change to a cache that was opened with ``read_only``."""

    code: ClassVar[str] = "readOnly"


class MissingFileError(StorageError, FileNotFoundError):
    """A file or folder that was named is not there."""


class MissingPackageError(CacheError, ImportError):
    """A package that only this call needs is not installed; the message has the ``pip install`` that helps."""

    code: ClassVar[str] = "package"


class QueryError(CacheError, RuntimeError):
    """DuckDB refused the SQL or failed while it ran it; the message has DuckDB's own words."""

    code: ClassVar[str] = "query"


class QueryInterrupted(QueryError):
    """A query was stopped before it ended; the cache goes on."""

    code: ClassVar[str] = "interrupted"


class QueryTimeoutError(QueryError, TimeoutError):
    """A query was stopped at its time limit; the cache goes on."""

    code: ClassVar[str] = "timeout"


class StreamError(CacheError, RuntimeError):
    """An Arrow stream that is malformed, or that failed while it was read; the entry of before is still there."""

    code: ClassVar[str] = "stream"


class ClosedError(CacheError, RuntimeError):
    """The cache is closed."""

    code: ClassVar[str] = "closed"


class ForkError(CacheError, RuntimeError):
    """The cache was made in another process: make a new one after a fork."""

    code: ClassVar[str] = "fork"


class DuckDBError(CacheError, RuntimeError):
    """DuckDB, or an extension of it, is missing, too old or broken."""

    code: ClassVar[str] = "duckdb"


#: Error code of the engine → the exception that stands for it.
BY_CODE: dict[str, type[CacheError]] = {
    error.code: error
    for error in (
        InvalidArgument,
        UnsupportedTypeError,
        KeyNotFound,
        KeyExists,
        ConfigurationError,
        MemoryLimitError,
        StorageError,
        ReadOnlyError,
        QueryError,
        QueryInterrupted,
        QueryTimeoutError,
        StreamError,
        ClosedError,
        ForkError,
        DuckDBError,
    )
}
