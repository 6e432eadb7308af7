"""From a connection, or the text that names one, to what can be read."""

from __future__ import annotations

import importlib
import os
import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from ..errors import InvalidArgument, InvalidArgumentType, MissingFileError, MissingPackageError, StorageError
from .adbc_database import ADBCDatabase
from .database import Database
from .dbapi_database import DBAPIDatabase
from .duckdb_database import DuckDBDatabase, open_duckdb
from .redaction import scrubbed, secrets_of, url_scheme, without_secrets
from .source_types import DATABASES

__all__ = ["database_of", "is_connection"]


def is_connection(source: object) -> bool:
    """Whether it is a connection, or an engine of SQLAlchemy, rather than the name of something."""
    return not isinstance(source, type) and (hasattr(source, "cursor") or hasattr(source, "driver_connection") or _is_sqlalchemy(source))


def database_of(source: Any, source_type: str, options: Mapping[str, Any]) -> Database:
    """Open a database, or take the caller's connection.

    Parameters
    ----------
    source : connection or str
        A DB-API or ADBC connection, SQLAlchemy's engine or connection, or a connection string or path.
    source_type : str
        One of `DATABASES` where it is a text.
    options : mapping
        Settings of the connection: ``host``, ``user``, ``password`` … of PostgreSQL, else what the driver's ``connect`` takes.
    """
    if is_connection(source):
        if options:
            raise InvalidArgument("connection_options: a connection that is open already takes none; leave them out")
        return _of_object(source)
    text = os.fspath(source)
    kind = DATABASES[source_type]
    if kind == "postgres":
        return _postgres(text, options)
    if kind == "sqlalchemy":
        return _sqlalchemy(text, options)
    path = _path_of(text)
    return open_duckdb(path, dict(options)) if kind == "duckdb" else _sqlite(path, options)


def _of_object(connection: Any) -> Database:
    shown = without_secrets(connection)
    if _is_sqlalchemy(connection):
        return _of_sqlalchemy(connection, shown)
    modules = {base.__module__.partition(".")[0] for base in type(connection).__mro__}
    if modules & {"duckdb", "_duckdb"}:
        return DuckDBDatabase(connection, shown, is_ours=False)
    if hasattr(connection, "adbc_get_info"):
        return ADBCDatabase(connection, shown, is_ours=False)
    return DBAPIDatabase(connection, shown, is_ours=False)


def _path_of(text: str) -> str:
    """The path in ``sqlite:///relative``, ``sqlite:////absolute`` or a path alone."""
    if url_scheme(text):
        path = text.partition("://")[2].removeprefix("/")
        if path in ("", ":memory:"):
            raise InvalidArgument(f"{text!r} names a database in memory, which is empty: give the connection that filled it")
        text = path
    return os.path.expanduser(text)


def _sqlite(path: str, options: Mapping[str, Any]) -> Database:
    if not os.path.isfile(path):
        raise MissingFileError(f"{path!r} is no SQLite file (looked from {os.getcwd()})")
    try:
        connection = sqlite3.connect(f"file:{quote(os.path.abspath(path))}?mode=ro", uri=True, **options)
    except (sqlite3.Error, TypeError) as error:
        raise StorageError(f"{path!r} can't be opened: {error}") from error
    return DBAPIDatabase(connection, repr(path), is_ours=True)


def _postgres(text: str, options: Mapping[str, Any]) -> Database:
    address = _postgres_address(text, options)
    secrets = secrets_of(address)
    shown = without_secrets(address) or "PostgreSQL"
    for module, make in (("adbc_driver_postgresql.dbapi", ADBCDatabase), ("psycopg", DBAPIDatabase)):
        try:
            driver = importlib.import_module(module)
        except ImportError:
            continue
        try:
            connection = driver.connect(address)
        except driver.Error as error:
            words = scrubbed(str(error).strip(), secrets)
            raise StorageError(f"{shown} can't be reached: {words}") from None
        return make(connection, shown, is_ours=True, secrets=secrets)
    raise MissingPackageError(f"{shown} needs a PostgreSQL driver: pip install adbc-driver-postgresql, or 'psycopg[binary]'")


def _postgres_address(text: str, options: Mapping[str, Any]) -> str:
    """A URL or a string of settings, with the options in it."""
    settings = {("dbname" if name == "database" else str(name)): str(value) for name, value in options.items() if value is not None}
    scheme = url_scheme(text)
    if scheme.partition("+")[0] not in ("postgres", "postgresql"):
        if text.strip().lower() in ("postgres", "postgresql"):
            text = ""
        if text and "=" not in text:
            raise InvalidArgument(f"{text!r} is no PostgreSQL address: give postgresql://user:password@host:port/database, or 'host=… dbname=…'")
        pairs = (f"{name}='{_escaped(value)}'" for name, value in settings.items())
        return " ".join([*([text.strip()] if text.strip() else []), *pairs])
    parts = urlsplit(text)
    query = "&".join(filter(None, [parts.query, urlencode(settings, quote_via=quote)]))
    return urlunsplit(("postgresql", parts.netloc, parts.path, query, ""))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _is_sqlalchemy(source: object) -> bool:
    return any(base.__module__.startswith("sqlalchemy.") for base in type(source).__mro__) and hasattr(source, "dialect")


def _sqlalchemy(text: str, options: Mapping[str, Any]) -> Database:
    shown = without_secrets(text)
    try:
        import sqlalchemy
    except ImportError as error:
        raise MissingPackageError(f"{shown} needs SQLAlchemy and the database's driver: pip install sqlalchemy, or give a DB-API connection") from error
    secrets = secrets_of(text)
    address = "mssql://" + text.partition("://")[2] if url_scheme(text) == "sqlserver" else text
    try:
        engine = sqlalchemy.create_engine(address, **options)
        return _of_sqlalchemy(engine, shown, secrets)
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"{shown} needs the driver {error.name!r}: pip install {error.name}") from error
    except (sqlalchemy.exc.SQLAlchemyError, TypeError) as error:
        raise StorageError(f"{shown} can't be reached: {scrubbed(str(error), secrets)}") from None


def _of_sqlalchemy(source: Any, shown: str, secrets: list[str] | None = None) -> Database:
    """The DB-API connection below: of an engine one from its pool, of a connection its own, with the transaction that is open."""
    is_ours = hasattr(source, "raw_connection")
    if source.dialect.is_async:
        raise InvalidArgumentType(f"connection: {shown} is asynchronous: give an engine of a synchronous driver")
    pooled = source.raw_connection() if is_ours else source.connection
    inner = _of_object(pooled.driver_connection)
    inner.shown = shown
    inner.secrets = secrets or []
    return _Pooled(inner, pooled) if is_ours else inner


class _Pooled:
    """A connection that goes back to SQLAlchemy's pool when it is closed."""

    def __init__(self, inner: Database, pooled: Any) -> None:
        self._inner = inner
        self._pooled = pooled
        self.kind, self.method, self.shown, self.secrets = inner.kind, inner.method, inner.shown, inner.secrets
        self.read, self.tables, self.quoted = inner.read, inner.tables, inner.quoted

    def close(self) -> None:
        self._inner.close()
        self._pooled.close()
