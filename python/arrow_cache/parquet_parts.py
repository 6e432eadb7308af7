"""Parts of a persisted entry as Parquet files, which other readers open as they are."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .errors import StorageError, UnsupportedTypeError

#: Pair of a file's metadata: the dictionaries of columns, as an Arrow stream for each, since Parquet keeps no value that no row has.
_DICTIONARIES = b"arrow_cache.dictionaries."


def encoder(key: str, compression: str, level: int | None) -> Callable[[object], bytes]:
    """A function from an Arrow stream to the bytes of a Parquet file."""

    def encode(rows: object) -> bytes:
        table = pa.RecordBatchReader._import_from_c_capsule(rows).read_all().combine_chunks()
        try:
            written = _written(table, compression, level)
            _compare(key, table, decode(written, table.schema))
        except (pa.ArrowException, NotImplementedError) as error:
            raise UnsupportedTypeError(f"{key!r} can't be persisted as Parquet: {_culprit(table, error)}; use format='arrow'") from error
        return written

    return encode


def decode_part(data: bytes, schema: object) -> object:
    """The rows of a file that `encoder` made, as an Arrow stream; `schema` is a capsule."""
    wanted = pa.Schema._import_from_c_capsule(schema)
    try:
        return decode(data, wanted).__arrow_c_stream__()
    except (pa.ArrowException, NotImplementedError) as error:
        raise StorageError(f"pyarrow {pa.__version__} can't read a Parquet file as it was written: {error}") from error


def _written(table: pa.Table, compression: str, level: int | None) -> bytes:
    columns, dictionaries = [], {}
    for number, column in enumerate(table.columns):
        if pa.types.is_dictionary(column.type):
            dictionary = column.chunk(0).dictionary if column.num_chunks else pa.array([], column.type.value_type)
            dictionaries[_DICTIONARIES + str(number).encode()] = base64.b64encode(_stream(dictionary))
            if dictionary.null_count or not _is_text(column.type.value_type):
                column = column.cast(column.type.value_type)
        columns.append(column)
    fields = [field.with_type(column.type) for field, column in zip(table.schema, columns, strict=True)]
    plain = pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata={**(table.schema.metadata or {}), **dictionaries} or None))
    target = pa.BufferOutputStream()
    pq.write_table(plain, target, row_group_size=max(1, table.num_rows), compression=compression, compression_level=level, version="2.6")
    return bytes(target.getvalue())


def decode(data: bytes, schema: pa.Schema) -> pa.Table:
    """The rows of a Parquet file as a table of the schema that they had."""
    read = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
    if read.num_columns != len(schema):
        raise pa.ArrowInvalid(f"it has {read.num_columns} columns of {len(schema)}")
    metadata = read.schema.metadata or {}
    columns = []
    for number, (column, field) in enumerate(zip(read.columns, schema, strict=True)):
        known = metadata.get(_DICTIONARIES + str(number).encode())
        if pa.types.is_dictionary(field.type) and known is not None:
            column = _indexed(column, field.type, pa.ipc.open_stream(base64.b64decode(known)).read_all().column(0))
        elif column.type != field.type:
            column = column.cast(field.type)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema).combine_chunks()


def _indexed(column: pa.ChunkedArray, wanted: pa.DictionaryType, dictionary: pa.ChunkedArray) -> pa.ChunkedArray:
    values = dictionary.combine_chunks() if dictionary.num_chunks != 1 else dictionary.chunk(0)
    plain = column.cast(wanted.value_type) if column.type != wanted.value_type else column
    indices = pc.index_in(plain, value_set=values, skip_nulls=True).cast(wanted.index_type)
    chunks = [pa.DictionaryArray.from_arrays(chunk, values, ordered=wanted.ordered) for chunk in indices.chunks]
    return pa.chunked_array(chunks, type=wanted)


def _stream(values: pa.Array) -> bytes:
    target = pa.BufferOutputStream()
    table = pa.table({"": values})
    with pa.ipc.new_stream(target, table.schema) as writer:
        writer.write_table(table)
    return bytes(target.getvalue())


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _compare(key: str, table: pa.Table, found: pa.Table) -> None:
    """What comes back has to be what went in: types that Parquet has no place for are cast, which may lose something."""
    if found.num_rows != table.num_rows:
        raise pa.ArrowInvalid("a table without columns has no rows in Parquet")
    for field, before, after in zip(table.schema, table.columns, found.columns, strict=True):
        if not _is_same(before, after):
            raise UnsupportedTypeError(
                f"{key!r} can't be persisted as Parquet: column {field.name!r} of type {field.type} comes back changed; use format='arrow'"
            )


def _is_same(before: pa.ChunkedArray, after: pa.ChunkedArray) -> bool:
    if before.type != after.type or before.null_count != after.null_count:
        return False
    if before.equals(after):
        return True
    if before.type in _BITS:  # NaN is no equal of itself
        return bool(_bits(before).equals(_bits(after)))
    return repr(before.to_pylist()) == repr(after.to_pylist())


_BITS = {pa.float16(): pa.int16(), pa.float32(): pa.int32(), pa.float64(): pa.int64()}


def _bits(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([chunk.view(_BITS[column.type]) for chunk in column.chunks], type=_BITS[column.type])


def _culprit(table: pa.Table, error: Exception) -> str:
    """The column that fails by itself, and why."""
    for number, field in enumerate(table.schema):
        try:
            single = table.select([number])
            decode(_written(single, "none", None), single.schema)
        except (pa.ArrowException, NotImplementedError) as found:
            return f"column {field.name!r} of type {field.type}: {str(found).splitlines()[0] if str(found) else found!r}"
    return str(error)
