"""Where DuckDB is: the shared object of the installed ``duckdb`` wheel, and the wheels that carry extensions of it."""

import importlib.util
import re
import warnings
from collections.abc import Iterable
from pathlib import Path

from .errors import DuckDBError

#: The first DuckDB whose C API has what the engine calls.
OLDEST = (1, 5)


def duckdb_version() -> str:
    """The version of the installed duckdb package, such as ``"2.0.0"``.

    Raises
    ------
    DuckDBError
        If it is not installed or fails to import.
    """
    try:
        import duckdb
    except ImportError as error:
        raise DuckDBError(f"the duckdb package can't be imported ({error}): pip install 'duckdb>=1.5'") from error
    return str(duckdb.__version__)


def warn_where_slow(known: Iterable[str]) -> None:
    """Warn where DuckDB is newer than those whose second API the engine knows (``"v2.0.0"``): all works, but SQL skips nothing."""
    version = duckdb_version()
    if int(version.split(".")[0]) >= 2 and f"v{version}" not in known:
        best = sorted(name.removeprefix("v") for name in known)
        message = f"duckdb {version} is newer than this arrow_cache: SQL gives the same answers, but slower, since filters skip nothing; "
        warnings.warn(message + f"update arrow_cache, or install duckdb {' or '.join(best)}", RuntimeWarning, stacklevel=3)


def library_path() -> str:
    """Path of DuckDB's shared object, loaded into this process already: the user's own ``import duckdb`` and the cache share it.

    Raises
    ------
    DuckDBError
        If duckdb is missing, older than 1.5, or has no shared object.
    """
    version = duckdb_version()
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        raise DuckDBError(f"duckdb {version} is too old: arrow_cache needs 1.5 or later (pip install -U duckdb)")
    spec = importlib.util.find_spec("_duckdb")
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise DuckDBError(f"duckdb {version} has no shared object _duckdb: install it again (pip install --force-reinstall duckdb)")
    return spec.origin


def extension_file(name: str) -> Path | None:
    """The file of a DuckDB extension in an installed wheel ``duckdb-extension-<name>`` that fits the DuckDB in use, or None."""
    try:
        spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    except (ImportError, ValueError):
        return None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder, "extensions", f"v{duckdb_version()}", f"{name}.duckdb_extension")
        if file.is_file():
            return file
    return None


def extension_versions(name: str) -> list[str]:
    """The DuckDB versions for which an installed wheel carries the extension."""
    try:
        spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    except (ImportError, ValueError):
        return []
    folders = (spec.submodule_search_locations or ()) if spec else ()
    return sorted(file.parent.name.removeprefix("v") for folder in folders for file in Path(folder).glob(f"extensions/v*/{name}.*"))
