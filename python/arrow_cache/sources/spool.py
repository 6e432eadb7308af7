"""Batches whose types are not settled yet, kept aside until they are: in memory while they are few, then in a temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from ..errors import UnsupportedTypeError

__all__ = ["Spool"]

_IN_MEMORY_BYTES = 64 << 20


class Spool:
    """A first-in-first-out store of record batches of differing schemas.

    What exceeds 64 MiB goes to the folder for temporary files (``TMPDIR``), which has no name there and ends with the process.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)
        self._batches = 0

    def append(self, batch: pa.RecordBatch) -> None:
        """Keep a batch."""
        with pa.ipc.new_stream(pa.PythonFile(self._file, "w"), batch.schema) as writer:
            writer.write_batch(batch)
        self._batches += 1

    def drain(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The batches in order, their columns cast to the types of `schema`, which hold their values unchanged."""
        with self._file:
            self._file.seek(0)
            for _ in range(self._batches):
                with pa.ipc.open_stream(pa.PythonFile(self._file, "r")) as reader:
                    batch = reader.read_next_batch()
                    for _rest in reader:  # to the end of this stream, where the next one starts
                        pass
                columns = [
                    column if column.type.equals(field.type) else _cast(column, field)
                    for column, field in zip(batch.columns, schema, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _cast(column: pa.Array, field: pa.Field) -> pa.Array:
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), field.type)
    try:
        return pc.cast(column, field.type)
    except pa.ArrowException as error:
        raise UnsupportedTypeError(f"column {field.name!r} has values of both {column.type} and {field.type} ({error}): cast it in SQL") from error
