"""Feather and Arrow IPC files: mapped into memory, not copied, where they are on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.ipc as ipc

from ..errors import InvalidArgument
from . import facts
from .incoming import Incoming
from .locations import Location

__all__ = ["read"]


def read(location: Location) -> Incoming:
    """Stream the batches of IPC files, one file after the other; their schemas must agree."""
    readers = [_open(path, location) for path in location.files()]
    first = readers[0].schema
    for path, reader in zip(location.files(), readers, strict=True):
        if not reader.schema.equals(first):
            raise InvalidArgument(f"{path!r} has other columns or types than the files before it: put them one by one")
    metadata = {key: value for key, value in (first.metadata or {}).items() if key != facts.KEY}
    if len(readers) > 1:
        metadata.pop(b"pandas", None)
    schema = first.with_metadata(metadata)
    return Incoming(pa.RecordBatchReader.from_batches(schema, _batches(readers, schema)), "pandas", False)


def _open(path: str, location: Location) -> Any:
    source = location.open(path)
    start = bytes(source.read(6))
    source.seek(0)
    if start.startswith(b"FEA1"):
        from pyarrow import feather

        return feather.read_table(source).to_reader()
    return ipc.open_file(source) if start == b"ARROW1" else ipc.open_stream(source)


def _batches(readers: list[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for reader in readers:
        stored = (
            (reader.get_batch(i) for i in range(reader.num_record_batches)) if hasattr(reader, "get_batch") else reader
        )
        for batch in stored:
            yield batch.replace_schema_metadata(schema.metadata)
