"""Arrow data on its way in: handed over as it is, never copied."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ..errors import UnsupportedTypeError
from .incoming import Incoming

__all__ = ["from_arrow_data"]


def from_arrow_data(data: Any) -> Incoming | None:
    """Take tables, batches, readers, datasets, struct arrays and whatever speaks the PyCapsule interface.

    Returns
    -------
    Incoming or None
        None if ``data`` is none of these.

    Raises
    ------
    UnsupportedTypeError
        It is Arrow data but no table: an array of something else than structs, or structs that are missing.
    """
    if isinstance(data, type):
        return None
    if isinstance(data, (pa.Table, pa.RecordBatch, pa.RecordBatchReader)):
        return Incoming(data, "arrow", False)
    if isinstance(data, (pa.Array, pa.ChunkedArray, pa.Scalar)):
        return Incoming(_from_structs(data), "arrow", False)
    if type(data).__module__ == "pyarrow._dataset":
        scanner = data if hasattr(data, "to_reader") else data.scanner()
        return Incoming(scanner.to_reader(), "arrow", False)
    if type(data).__name__ == "PyCapsule":
        if '"arrow_array_stream"' not in repr(data):
            raise UnsupportedTypeError(f"{data!r} is no Arrow stream: a capsule must be an arrow_array_stream")
        return Incoming(data, "arrow", False)
    if hasattr(data, "__arrow_c_stream__"):
        return Incoming(data, "arrow", False)
    if hasattr(data, "__arrow_c_array__"):
        return Incoming(_from_structs(pa.array(data)), "arrow", False)
    return None


def _from_structs(array: Any) -> pa.Table:
    if not pa.types.is_struct(array.type) or isinstance(array, pa.Scalar):
        raise UnsupportedTypeError(
            f"an Arrow {type(array).__name__} of {array.type} is no table: "
            f"give it a name, for example pa.table({{'values': array}})"
        )
    if array.null_count:
        raise UnsupportedTypeError(
            f"{array.null_count} of {len(array)} structs are missing, and a table has no missing rows: "
            f"drop them, or keep the structs as one column with pa.table({{'values': array}})"
        )
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    fields = [array.type.field(position) for position in range(array.type.num_fields)]
    batches = [pa.RecordBatch.from_struct_array(chunk) for chunk in chunks]
    return pa.Table.from_batches(batches, schema=batches[0].schema if batches else pa.schema(fields))
