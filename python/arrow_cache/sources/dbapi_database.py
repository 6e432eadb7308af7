"""DB-API connections: rows of Python values, fetched piece by piece."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from ..errors import InvalidArgument, InvalidArgumentType
from .database import in_double_quotes
from .dialects import dialect_named
from .postgres_types import declared_type
from .row_batches import Fetch, batches_of_rows

__all__ = ["DBAPIDatabase"]

_KINDS = {"psycopg": "postgres", "psycopg2": "postgres", "pg8000": "postgres", "sqlite3": "sqlite"}
_BACKTICKS = ("pymysql", "MySQLdb", "mysql", "mariadb")
#: Rows that libpq hands over together.
_STREAMED_ROWS = 1_000


class DBAPIDatabase:
    """Any connection with ``cursor()``; see `Database`. What the driver itself reads ahead is its own affair."""

    method = "dbapi"

    def __init__(self, connection: Any, shown: str, *, is_ours: bool, secrets: list[str] | None = None) -> None:
        self._connection = connection
        self._is_ours = is_ours
        self._cursor: Any = None
        self._module = type(connection).__module__.partition(".")[0]
        bases = [base.__module__.partition(".")[0] for base in type(connection).__mro__]
        self._driver = next((name for name in bases if name in _KINDS), self._module)
        self.kind = _KINDS.get(self._driver, self._driver)
        self.shown = shown
        self.secrets = secrets or []

    def read(self, sql: str, parameters: Any) -> pa.RecordBatchReader:
        """Stream rows; their types come from the driver where it tells them, else from the values."""
        fetch = self._stream_psycopg(sql, parameters) if self._driver == "psycopg" else self._execute(sql, parameters)
        description = self._cursor.description
        if not description:
            raise InvalidArgument(f"{self.shown}: the SQL gives no rows to keep; give one SELECT")
        names = [str(column[0]) for column in description]
        declared = [declared_type(column) if self._driver == "psycopg" else None for column in description]
        return batches_of_rows(fetch, names, declared)

    def _execute(self, sql: str, parameters: Any) -> Fetch:
        self._cursor = self._connection.cursor()
        if not hasattr(self._cursor, "fetchmany"):
            raise InvalidArgumentType(f"connection: {self.shown} is no DB-API connection: its cursor has no fetchmany (asynchronous drivers have none)")
        if self._driver == "sqlite3":
            self._cursor.row_factory = None
        if parameters is None:
            self._cursor.execute(sql)
        else:
            self._cursor.execute(sql, parameters)
        return self._fetchmany

    def _fetchmany(self, count: int) -> Sequence[Any]:
        rows: Sequence[Any] = self._cursor.fetchmany(count)
        return rows

    def _stream_psycopg(self, sql: str, parameters: Any) -> Fetch:
        """psycopg's usual cursor reads the whole result at once; its `stream` does not. JSON stays the text that it is."""
        import psycopg
        from psycopg.rows import tuple_row
        from psycopg.types.string import TextLoader

        self._cursor = psycopg.Cursor(self._connection, row_factory=tuple_row)
        for name in ("json", "jsonb"):
            self._cursor.adapters.register_loader(name, TextLoader)
        in_pieces = {"size": _STREAMED_ROWS} if _can_stream_pieces(psycopg) else {}
        rows: Iterator[Any] = self._cursor.stream(sql, parameters, **in_pieces)
        first = list(itertools.islice(rows, 1))
        if not first:
            self._describe(sql, parameters)
        rows = itertools.chain(first, rows)
        return lambda count: list(itertools.islice(rows, count))

    def _describe(self, sql: str, parameters: Any) -> None:
        """Find the columns of a result without rows, of which `stream` tells nothing. It runs nothing again."""
        text = sql.strip().rstrip(";")
        try:
            with self._connection.transaction():  # a savepoint where the caller is in a transaction
                self._cursor.execute(f"SELECT * FROM (\n{text}\n) AS result LIMIT 0", parameters)
        except self._connection.Error as error:
            raise InvalidArgument(f"{self.shown}: the SQL gave no row, and without one its columns can't be told; give one SELECT") from error

    def tables(self, schema: str | None) -> list[str] | None:
        """Tables and views, where the SQL for that is known."""
        dialect = dialect_named(self.kind)
        if dialect is None:
            return None
        with contextlib.closing(self._connection.cursor()) as cursor:
            if self._driver == "sqlite3":
                cursor.row_factory = None
            cursor.execute(dialect.tables_sql(schema))
            return [next(iter(row.values())) if isinstance(row, dict) else row[0] for row in cursor.fetchall()]

    def quoted(self, name: str) -> str:
        """In double quotes, or as MySQL has it."""
        return "`" + name.replace("`", "``") + "`" if self._driver in _BACKTICKS else in_double_quotes(name)

    def close(self) -> None:
        """Close the cursor, and the connection if it was opened here."""
        if self._cursor is not None:
            self._cursor.close()
        if self._is_ours:
            self._connection.close()


def _can_stream_pieces(psycopg: Any) -> bool:
    capabilities = getattr(psycopg, "capabilities", None)
    return capabilities is not None and hasattr(capabilities, "has_stream_chunked") and bool(capabilities.has_stream_chunked())
