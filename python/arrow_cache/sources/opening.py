"""A source, whatever it is, as an open stream with the facts about it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from ..converters.incoming import Incoming
from ..errors import InvalidArgument, InvalidArgumentType
from ..wording import shortened
from .connecting import database_of, is_connection
from .database import failures_of, select_table
from .file_source import open_files
from .redaction import secrets_of, without_secrets
from .source_types import DATABASES, FILES, checked_type, type_of_text

__all__ = ["OpenSource", "open_source"]


class OpenSource:
    """A stream that is read once, with what is known about where it comes from.

    Attributes
    ----------
    incoming : Incoming
        The stream, and the kind that comes back.
    facts : dict
        ``source`` (without passwords), ``source_type``, ``import_method``, and ``table_name``, ``schema``, ``query`` where given.
    failure : BaseException or None
        What ended the stream early: Arrow's streams tell the text alone.
    """

    def __init__(self, incoming: Incoming, facts: dict[str, Any], *, shown: str, secrets: list[str], close: Callable[[], None]) -> None:
        self.failure: BaseException | None = None
        self.facts = facts
        self._shown = shown
        self._secrets = secrets
        self._close = close
        stream = incoming.stream
        self.incoming = Incoming(self._watched(stream), incoming.kind, incoming.copy) if isinstance(stream, pa.RecordBatchReader) else incoming

    def _watched(self, reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
        def batches() -> Iterator[pa.RecordBatch]:
            try:
                with failures_of(self._shown, self._secrets):
                    yield from reader
            except GeneratorExit:
                raise
            except BaseException as error:
                self.failure = error
                raise

        return pa.RecordBatchReader.from_batches(reader.schema, batches())

    def close(self) -> None:
        """Close what was opened for it."""
        self._close()


def open_source(
    source: Any,
    source_type: str,
    *,
    connection_options: Mapping[str, Any] | None,
    query: str | None,
    table_name: str | None,
    schema: str | None,
    options: Mapping[str, Any] | None,
    names: tuple[str, str] = ("source", "source_type"),
) -> OpenSource:
    """Open a source; see `ArrowCache.import_data` for the parameters.

    Parameters
    ----------
    names : (str, str)
        What the caller calls `source` and `source_type`, for messages.
    """
    wanted = checked_type(names[1], source_type)
    settings = _mapping("connection_options", connection_options)
    extra = _mapping("options", options)
    for name, value in (("query", query), ("table_name", table_name), ("schema", schema)):
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise InvalidArgumentType(f"{name}: give a text that is not empty, or None, not {shortened(value)}")
    if is_connection(source):
        if wanted in FILES:
            raise InvalidArgument(f"{names[1]}: {source_type!r} is for files, and {names[0]} is a {without_secrets(source)}; leave it out")
        return _open_database(source, wanted, settings, query, table_name, schema, extra)
    _check_text(source, names[0])
    if wanted == "auto":
        wanted = type_of_text(os.fspath(source)) if not isinstance(source, (list, tuple)) else "file"
        is_guessed = True
    else:
        is_guessed = False
    if wanted in DATABASES:
        if isinstance(source, (list, tuple)):
            raise InvalidArgumentType(f"{names[0]}: a database is one text, not a list")
        return _open_database(source, wanted, settings, query, table_name, schema, extra)
    given = [name for name, value in (("query", query), ("table_name", table_name), ("schema", schema), ("connection_options", settings)) if value]
    if given:
        guess = f"; if it is a database, name its kind in {names[1]} ({', '.join(DATABASES)})" if is_guessed else ""
        raise InvalidArgument(f"{given[0]}: {without_secrets(source)} is a file or folder of files, which has none{guess}")
    secrets = [secret for item in (source if isinstance(source, (list, tuple)) else [source]) for secret in secrets_of(item)]
    incoming, form = open_files(source, wanted, extra)
    facts = {"source": without_secrets(source), "source_type": form if FILES.get(wanted) is None else wanted}
    facts["import_method"] = "duckdb" if form in ("csv", "json") else "arrow"
    return OpenSource(incoming, facts, shown=facts["source"], secrets=secrets, close=lambda: None)


def _open_database(
    source: Any,
    source_type: str,
    settings: Mapping[str, Any],
    query: str | None,
    table_name: str | None,
    schema: str | None,
    options: Mapping[str, Any],
) -> OpenSource:
    unknown = [name for name in options if name != "parameters"]
    if unknown:
        raise InvalidArgument(f"options: {shortened(unknown[0])} is unknown for databases, which take 'parameters': the values of the query's own")
    if (query is None) == (table_name is None):
        raise InvalidArgument("a database needs either table_name or query" + ("" if query is None else ", not both"))
    if schema is not None and table_name is None:
        raise InvalidArgument("schema: is for table_name; a query names its own")
    if options and query is None:
        raise InvalidArgument("options: parameters are for a query; table_name takes none")
    database = database_of(source, source_type, settings)
    try:
        sql = query if table_name is None else select_table(database, table_name, schema)
        assert sql is not None
        with failures_of(database.shown, database.secrets):
            reader = database.read(sql, options.get("parameters"))
    except BaseException:
        database.close()
        raise
    shown = database.shown if is_connection(source) else without_secrets(source)
    facts: dict[str, Any] = {"source": shown, "source_type": database.kind, "import_method": database.method}
    facts.update({name: value for name, value in (("table_name", table_name), ("schema", schema), ("query", query)) if value is not None})
    return OpenSource(Incoming(reader, "pandas", False), facts, shown=database.shown, secrets=database.secrets, close=database.close)


def _check_text(source: Any, name: str) -> None:
    for item in source if isinstance(source, (list, tuple)) else [source]:
        if not isinstance(item, (str, os.PathLike)):
            raise InvalidArgumentType(f"{name}: give a path, URL, connection string or connection, not {type(item).__name__} ({shortened(item)})")
        if not os.fspath(item):
            raise InvalidArgument(f"{name}: it is empty; give a path, URL, connection string or connection")


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidArgumentType(f"{name}: give a mapping of names to values, not {type(value).__name__}")
    return value
