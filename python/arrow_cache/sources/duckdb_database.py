"""DuckDB databases: files, and connections of the caller."""

from __future__ import annotations

import os
from typing import Any

import duckdb
import pyarrow as pa

from ..errors import InvalidArgument, MissingFileError, StorageError
from .database import in_double_quotes

__all__ = ["DuckDBDatabase", "open_duckdb"]

_BATCH_ROWS = 131_072
_WITHOUT_ROWS = [getattr(duckdb.StatementType, name) for name in ("CREATE", "DROP", "ALTER", "SET", "ATTACH", "DETACH", "TRANSACTION", "LOAD")]
_TABLES = (
    "SELECT table_name FROM duckdb_tables() WHERE database_name IN (current_database(), 'temp') AND {} "
    "UNION SELECT view_name FROM duckdb_views() WHERE NOT internal AND database_name IN (current_database(), 'temp') AND {}"
)


class DuckDBDatabase:
    """A `duckdb.DuckDBPyConnection`; see `Database`."""

    kind = "duckdb"
    method = "duckdb"

    def __init__(self, connection: Any, shown: str, *, is_ours: bool) -> None:
        self._connection = connection
        self._is_ours = is_ours
        self.shown = shown
        self.secrets: list[str] = []

    def read(self, sql: str, parameters: Any) -> pa.RecordBatchReader:
        """Stream DuckDB's own Arrow batches."""
        statements = self._connection.extract_statements(sql)
        if statements and statements[-1].type in _WITHOUT_ROWS:  # DuckDB 2 makes a table of no rows out of them
            raise self._without_rows()
        relation = self._connection.sql(sql) if parameters is None else self._connection.sql(sql, params=parameters)
        if relation is None:
            raise self._without_rows()
        return relation.to_arrow_reader(_BATCH_ROWS)

    def _without_rows(self) -> InvalidArgument:
        return InvalidArgument(f"{self.shown}: the SQL gives no rows to keep; give one SELECT")

    def tables(self, schema: str | None) -> list[str]:
        """Tables and views of the current database."""
        condition = "schema_name = $1" if schema is not None else "schema_name IN (current_schema(), 'main')"
        rows = self._connection.execute(_TABLES.format(condition, condition), [schema] if schema is not None else None).fetchall()
        return [row[0] for row in rows]

    def quoted(self, name: str) -> str:
        """In double quotes."""
        return in_double_quotes(name)

    def close(self) -> None:
        """Close it if it was opened here."""
        if self._is_ours:
            self._connection.close()


def open_duckdb(path: str, options: dict[str, Any]) -> DuckDBDatabase:
    """Open a database file, to read only; `options` are DuckDB's settings.

    Raises
    ------
    MissingFileError, StorageError
        There is no such file, or it is none of DuckDB's, or another process holds it.
    """
    if not os.path.isfile(path):
        raise MissingFileError(f"{path!r} is no DuckDB file (looked from {os.getcwd()})")
    config: dict[str, Any] = {"python_enable_replacements": False, **options}
    try:
        try:
            connection = duckdb.connect(path, read_only=True, config=config)
        except duckdb.ConnectionException:  # open in this process with other settings, which it shares then
            connection = duckdb.connect(path)
    except duckdb.Error as error:
        raise StorageError(f"{path!r} can't be opened: {error}") from error
    return DuckDBDatabase(connection, repr(path), is_ours=True)
