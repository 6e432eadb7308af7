"""CSV and JSON lines: DuckDB's readers, which guess dialect and types from more than the first rows; pyarrow's for URLs."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.json as pajson

from ..errors import StorageError
from .incoming import Incoming
from .locations import Location

__all__ = ["read_csv", "read_json"]

_BATCH_ROWS = 131_072


def read_csv(location: Location) -> Incoming:
    """Stream CSV files; separators, quotes, headers and types are found out."""
    if location.is_local:
        return _by_duckdb("FROM read_csv($1)", location)
    readers = [pacsv.open_csv(location.filesystem.open_input_stream(path)) for path in location.files()]
    return Incoming(pa.RecordBatchReader.from_batches(readers[0].schema, _chain(readers)), "pandas", False)


def read_json(location: Location) -> Incoming:
    """Stream files of one JSON object a line, or of one array of objects."""
    if location.is_local:
        return _by_duckdb("FROM read_json($1)", location)
    tables = [pajson.read_json(location.filesystem.open_input_stream(path)) for path in location.files()]
    return Incoming(pa.concat_tables(tables, promote_options="permissive"), "pandas", False)


def _by_duckdb(sql: str, location: Location) -> Incoming:
    connection = duckdb.connect()
    try:
        reader = connection.sql(sql, params=[location.files()]).to_arrow_reader(_BATCH_ROWS)
    except duckdb.Error as error:
        raise StorageError(f"{location.shown} cannot be read: {error}") from error

    def batches() -> Iterator[pa.RecordBatch]:
        with connection:
            yield from reader

    return Incoming(pa.RecordBatchReader.from_batches(reader.schema, batches()), "pandas", False)


def _chain(readers: list[pa.RecordBatchReader]) -> Iterator[pa.RecordBatch]:
    for reader in readers:
        yield from reader
