"""What databases say in SQL about themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Dialect", "dialect_named"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """A database's own catalogue.

    Attributes
    ----------
    tables_sql : callable
        From a schema's name, or None for what needs none, the SQL that lists the names of its tables and views.
    """

    tables_sql: Callable[[str | None], str]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _postgres_tables(schema: str | None) -> str:
    condition = "pg_catalog.pg_table_is_visible(c.oid)" if schema is None else f"n.nspname = {_literal(schema)}"
    hidden = " AND n.nspname NOT IN ('pg_catalog', 'information_schema')" if schema is None else ""
    return (
        "SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND {condition}{hidden}"
    )


def _sqlite_tables(schema: str | None) -> str:
    if schema is None:
        return "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') UNION SELECT name FROM sqlite_temp_master WHERE type IN ('table', 'view')"
    quoted = '"' + schema.replace('"', '""') + '"'
    return f"SELECT name FROM {quoted}.sqlite_master WHERE type IN ('table', 'view')"


_DIALECTS = {"postgres": Dialect(_postgres_tables), "sqlite": Dialect(_sqlite_tables)}


def dialect_named(kind: str) -> Dialect | None:
    """The dialect of a kind of database, or None where it is not known here."""
    return _DIALECTS.get(kind)
