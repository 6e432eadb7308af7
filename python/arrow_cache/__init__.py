"""A cache for tables: Arrow record batches under keys, in memory, with SQL over them by DuckDB.

Examples
--------
>>> import pandas as pd
>>> from arrow_cache import ArrowCache
>>> with ArrowCache() as cache:
...     key = cache.put("numbers", pd.DataFrame({"a": [1, 2, 3]}))
...     answer = cache.query("SELECT * FROM _cache_numbers WHERE a > 1")
>>> len(answer)
2
"""

from importlib import metadata as _metadata

from . import _core
from .cache import ArrowCache
from .config import DEFAULT_CONFIG, ArrowCacheConfig
from .errors import (
    BY_CODE as _BY_CODE,
)
from .errors import (
    CacheError,
    ClosedError,
    ConfigurationError,
    DuckDBError,
    ForkError,
    InvalidArgument,
    InvalidArgumentType,
    KeyExists,
    KeyNotFound,
    MemoryLimitError,
    MissingFileError,
    MissingPackageError,
    QueryError,
    QueryInterrupted,
    ReadOnlyError,
    QueryTimeoutError,
    StorageError,
    StreamError,
    UnknownKeyError,
    UnsupportedTypeError,
)

try:
    __version__ = _metadata.version("arrow_cache")
except _metadata.PackageNotFoundError:  # run from the source tree
    __version__ = "0.3.0"

_core.register_errors(_BY_CODE)

__all__ = [
    "DEFAULT_CONFIG",
    "ArrowCache",
    "ArrowCacheConfig",
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
    "__version__",
]
