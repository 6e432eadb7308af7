"""DuckDB extensions of one cache: each is loaded at most once, from a wheel, from DuckDB's own folder, or by DuckDB's INSTALL."""

import re
import threading
from collections.abc import Callable

from .duckdb_library import duckdb_version, extension_file, extension_versions
from .errors import DuckDBError, QueryError

_SPATIAL_CALL = re.compile(r"\bST_\w+\s*\(", re.IGNORECASE)
_ASKS_FOR = re.compile(r"it exists in the (\w+) extension")


class Extensions:
    """Loads extensions into the database of one cache.

    Parameters
    ----------
    run : callable
        Runs one SQL statement in that database.
    """

    def __init__(self, run: Callable[[str], object]) -> None:
        self._run = run
        self._outcomes: dict[str, str | None] = {}  # None: loaded; text: why not
        self._loading = threading.Lock()

    def load(self, name: str, *, is_missing: bool = False) -> None:
        """Load an extension unless it is loaded; a failure is remembered, so that it costs time once.

        Parameters
        ----------
        name : str
            Its name.
        is_missing : bool, default False
            Whether DuckDB says that it is not loaded, which after a restart of DuckDB is so for what was loaded before.

        Raises
        ------
        DuckDBError
            If it can't be had; the message says what to do.
        """
        if name not in self._outcomes:
            with self._loading:
                if name not in self._outcomes:
                    self._outcomes[name] = self._attempt(name)
        elif is_missing and self._outcomes[name] is None:
            with self._loading:
                self._outcomes[name] = self._attempt(name)
        failure = self._outcomes[name]
        if failure is not None:
            raise DuckDBError(failure)

    def prepare(self, sql: str) -> None:
        """Load ``spatial`` if the SQL calls one of its functions. What can't be loaded is left for the query to say."""
        if _SPATIAL_CALL.search(sql):
            try:
                self.load("spatial")
            except DuckDBError:
                pass  # DuckDB has some of these functions itself

    def missing(self, error: QueryError) -> str | None:
        """The extension that DuckDB says a failed query needs, or None."""
        match = _ASKS_FOR.search(str(error))
        return match[1] if match else None

    def _attempt(self, name: str) -> str | None:
        file = extension_file(name)
        attempts = [f"LOAD {name}", f"INSTALL {name}; LOAD {name}"]
        if file is not None:
            quoted = str(file).replace("'", "''")
            attempts.insert(0, f"LOAD '{quoted}'")
        failures = []
        for statement in attempts:
            try:
                self._run(statement)
                return None
            except QueryError as error:
                failures.append(f"{statement}: {error}")
        return f"DuckDB {duckdb_version()} can't load its extension {name!r}. {_remedy(name)}\n" + "\n".join(failures)


def _remedy(name: str) -> str:
    version, others = duckdb_version(), extension_versions(name)
    installed = f"the installed wheel duckdb-extension-{name} is for DuckDB {', '.join(others)}; " if others else ""
    return (
        f"With a network, DuckDB installs it by itself. Without one: {installed}install a wheel that fits "
        f"(pip install 'duckdb-extension-{name}=={version}'; where there is none, a DuckDB that has one, for example "
        f"pip install 'duckdb-extension-{name}'), or copy {name}.duckdb_extension for v{version} into the folder named below."
    )
