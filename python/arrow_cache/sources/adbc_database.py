"""ADBC connections: Arrow batches from the driver itself."""

from __future__ import annotations

import contextlib
import decimal
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..errors import InvalidArgument, UnsupportedTypeError
from .column_types import UnfitValues, column_array, common_type
from .database import in_double_quotes
from .dialects import dialect_named
from .spool import Spool

__all__ = ["ADBCDatabase"]

_KINDS = {"postgresql": "postgres", "sqlite": "sqlite", "duckdb": "duckdb"}


class ADBCDatabase:
    """A connection of ``adbc_driver_manager.dbapi``, which every ADBC driver uses; see `Database`."""

    method = "adbc"

    def __init__(self, connection: Any, shown: str, *, is_ours: bool, secrets: list[str] | None = None) -> None:
        self._connection = connection
        self._is_ours = is_ours
        self._cursor: Any = None
        vendor = str(connection.adbc_get_info().get("vendor_name", "adbc")).lower()
        self.kind = _KINDS.get(vendor, vendor)
        self.shown = shown
        self.secrets = secrets or []

    def read(self, sql: str, parameters: Any) -> pa.RecordBatchReader:
        """Stream the driver's batches; numbers that PostgreSQL's driver gives as text become decimals."""
        self._cursor = self._connection.cursor()
        if self.kind == "postgres":  # the driver puts it between the parentheses of a COPY
            sql = sql.strip().rstrip(";") + "\n"
        self._cursor.execute(sql, parameters)
        reader = self._cursor.fetch_record_batch()
        if not reader.schema.names:
            raise InvalidArgument(f"{self.shown}: the SQL gives no rows to keep; give one SELECT")
        return _without_opaque(reader)

    def tables(self, schema: str | None) -> list[str] | None:
        """Tables and views, where the SQL for that is known."""
        dialect = dialect_named(self.kind)
        if dialect is None:
            return None
        with contextlib.closing(self._connection.cursor()) as cursor:
            cursor.execute(dialect.tables_sql(schema))
            return [row[0] for row in cursor.fetchall()]

    def quoted(self, name: str) -> str:
        """In double quotes."""
        return in_double_quotes(name)

    def close(self) -> None:
        """Close the cursor, and the connection if it was opened here."""
        if self._cursor is not None:
            self._cursor.close()
        if self._is_ours:
            self._connection.close()


def _without_opaque(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The stream with what the driver has no Arrow type for in a usable form: decimals, text; else refused by name."""
    schema = reader.schema
    unknown_numeric = False
    for position, field in enumerate(schema):
        kind = field.type
        if _is_opaque(kind) and kind.type_name == "numeric":
            digits = _declared_decimal(field)
            unknown_numeric |= digits is None
            schema = schema.set(position, field.with_type(digits or pa.null()))
        elif _is_opaque(kind) and pa.types.is_string(kind.storage_type):
            schema = schema.set(position, field.with_type(pa.string()))
        elif _contains_opaque(kind):
            raise UnsupportedTypeError(
                f"column {field.name!r} of the result is {kind}, which has no Arrow type: cast it in SQL, for example to text"
            )
    if schema.equals(reader.schema):
        return reader
    if unknown_numeric:
        return _measured(reader, schema)
    return pa.RecordBatchReader.from_batches(schema, _recast(reader, schema))


def _recast(reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in reader:
        columns = [_storage(column) for column in batch.columns]
        try:
            yield pa.RecordBatch.from_arrays(
                [column if column.type.equals(field.type) else pc.cast(column, field.type) for column, field in zip(columns, schema, strict=True)],
                schema=schema,
            )
        except pa.ArrowInvalid as error:
            raise UnsupportedTypeError(f"the result has a number that Arrow's decimals lack ({error}): cast it to double precision in SQL") from error


def _measured(reader: pa.RecordBatchReader, schema: pa.Schema) -> pa.RecordBatchReader:
    """Decimals whose digits the source does not declare: all rows are read once to find the widest."""
    unknown = [position for position, kind in enumerate(schema.types) if pa.types.is_null(kind) and _is_opaque(reader.schema.types[position])]

    spool, types = Spool(), list(schema.types)
    for batch in reader:
        columns = [_storage(column) for column in batch.columns]
        for position in unknown:
            values = [None if text is None else decimal.Decimal(text) for text in columns[position].to_pylist()]
            try:
                columns[position] = column_array(values)
                types[position] = common_type(types[position], columns[position].type)
            except UnfitValues as error:
                raise UnsupportedTypeError(f"column {schema.names[position]!r} of the result has {error}: cast it in SQL") from error
        spool.append(pa.RecordBatch.from_arrays(columns, names=schema.names))
    settled = pa.schema([field.with_type(kind) for field, kind in zip(schema, types, strict=True)])
    return pa.RecordBatchReader.from_batches(settled, spool.drain(settled))


def _storage(column: Any) -> Any:
    return column.storage if _is_opaque(column.type) else column


def _is_opaque(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.opaque"


def _contains_opaque(kind: pa.DataType) -> bool:
    return _is_opaque(kind) or any(_contains_opaque(kind.field(position).type) for position in range(kind.num_fields))


def _declared_decimal(field: pa.Field) -> pa.DataType | None:
    """The type of a PostgreSQL ``numeric(p, s)`` by its type modifier, which is ``((p << 16) | s) + 4``."""
    modifier = int((field.metadata or {}).get(b"POSTGRESQL:typmod", b"-1"))
    precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
    if modifier < 4 or scale > precision or precision > 76:  # scales below 0 are stored as above 1000
        return None
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)
