"""What every kind of database connection can do here, and how its failures are told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import pyarrow as pa

from ..errors import CacheError, InvalidArgument, QueryError
from ..wording import nearest, shortened
from .redaction import scrubbed

__all__ = ["Database", "failures_of", "in_double_quotes", "select_table"]

_LISTED_NAMES = 10


class Database(Protocol):
    """An open connection.

    Attributes
    ----------
    kind : str
        What it is connected to: ``postgres``, ``sqlite``, ``duckdb``, or the driver's name.
    method : str
        How rows come: ``adbc``, ``duckdb`` (Arrow batches both) or ``dbapi`` (Python's values).
    shown : str
        Its description without passwords.
    secrets : list of str
        What must not be in messages.
    """

    kind: str
    method: str
    shown: str
    secrets: list[str]

    def read(self, sql: str, parameters: Any) -> pa.RecordBatchReader:
        """Run one statement and stream its rows."""

    def tables(self, schema: str | None) -> list[str] | None:
        """The names of tables and views, of one schema or of those that need none; None where that is not known."""

    def quoted(self, name: str) -> str:
        """A name as it stands in SQL."""

    def close(self) -> None:
        """Close what was opened here; a caller's connection stays open."""


def in_double_quotes(name: str) -> str:
    """A name as it stands in standard SQL."""
    return '"' + name.replace('"', '""') + '"'


@contextlib.contextmanager
def failures_of(shown: str, secrets: Sequence[str] = ()) -> Iterator[None]:
    """Turn what a driver raises into `QueryError` with the database's own words."""
    try:
        yield
    except CacheError:
        raise
    except Exception as error:  # each driver has classes of its own
        words = scrubbed(str(error).strip() or type(error).__name__, list(secrets))
        raise QueryError(f"{shown}: {words}") from (None if secrets else error)


def select_table(database: Database, table_name: str, schema: str | None) -> str:
    """SQL for all of a table.

    Raises
    ------
    InvalidArgument
        There is no such table; the message has the nearest and the known names.
    """
    with failures_of(database.shown, database.secrets):
        found = _find(database, table_name, schema)
        if found is None and schema is None and "." in table_name:
            schema_name, _, name = table_name.partition(".")
            found = _find(database, name, schema_name)
            schema = schema_name if found else None
        if found is None:
            raise InvalidArgument(_unknown(table_name, schema, database.shown, database.tables(schema) or []))
    qualifier = "" if schema is None else database.quoted(schema) + "."
    return f"SELECT * FROM {qualifier}{database.quoted(found)}"


def _find(database: Database, name: str, schema: str | None) -> str | None:
    """The table's name as the database has it: exactly so, or as the only one but for upper and lower case."""
    known = database.tables(schema)
    if known is None or name in known:
        return name
    folded = [candidate for candidate in known if candidate.casefold() == name.casefold()]
    return folded[0] if len(folded) == 1 else None


def _unknown(name: str, schema: str | None, shown: str, known: list[str]) -> str:
    where = shown if schema is None else f"schema {schema!r} of {shown}"
    if not known:
        return f"table_name: {where} has no table {shortened(name)}, and no other that this login may see"
    listed = ", ".join(map(repr, sorted(known)[:_LISTED_NAMES])) + (f" and {len(known) - _LISTED_NAMES} more" if len(known) > _LISTED_NAMES else "")
    return f"table_name: {where} has no table {shortened(name)}; the nearest is {nearest(name, known)!r} (there are {listed})"
