"""Columns that become Arrow when they are read, some rows at a time: large ones, of which a whole second copy would not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .lasting_memory import lasting_pool

__all__ = ["BLOCK_ROWS", "Deferred", "RowChunks", "byte_estimate", "converted"]

#: Rows whose bytes are known together: a piece of a column is a number of these.
BLOCK_ROWS = 8192
_SAMPLE_ROWS = 1000


class Deferred:
    """A column of one Arrow type, of which any rows can be had.

    Attributes
    ----------
    type : pyarrow.DataType
        The same for every piece.
    nulls : numpy.ndarray or None
        Where it is null; None where nothing is.
    block_bytes : numpy.ndarray
        Bytes as Arrow of each `BLOCK_ROWS` rows, about.
    """

    __slots__ = ("_make", "_rows", "block_bytes", "nulls", "type")

    def __init__(self, rows: int, data_type: pa.DataType, make: Callable[[slice], pa.Array], block_bytes: Any, nulls: Any = None) -> None:
        self._rows, self.type, self._make = rows, data_type, make
        self.block_bytes, self.nulls = block_bytes, nulls

    def __len__(self) -> int:
        return self._rows

    @property
    def null_count(self) -> int:
        return 0 if self.nulls is None else int(np.count_nonzero(self.nulls))

    def slice(self, offset: int, length: int) -> pa.Array:
        """These rows, in new memory."""
        return self._make(slice(offset, offset + length))


def converted(values: Any, data_type: pa.DataType, *, deferring: bool) -> pa.Array | pa.ChunkedArray | Deferred:
    """Python objects as an Arrow array of a given type; with `deferring`, tried once and kept as they are until the rows are read.

    Raises
    ------
    UnicodeEncodeError, OverflowError, pyarrow.ArrowException
        Whatever pyarrow raises for values that the type does not take.
    """

    def make(rows: slice) -> pa.Array:
        return pa.array(values[rows], data_type, from_pandas=True, memory_pool=lasting_pool())

    if not deferring:
        return make(slice(None))
    starts = range(0, len(values), BLOCK_ROWS)
    nulls, block_bytes = np.zeros(len(values), dtype=bool), np.zeros(len(starts), dtype=np.int64)
    for block, start in enumerate(starts):
        rows = slice(start, start + BLOCK_ROWS)
        array = make(rows)
        if isinstance(array, pa.ChunkedArray):  # texts too long for the offsets of one array: rows of 256 KB
            return make(slice(None))
        block_bytes[block] = array.nbytes
        if array.null_count:
            nulls[rows] = array.is_null().to_numpy(zero_copy_only=False)
    return Deferred(len(values), data_type, make, block_bytes, nulls if nulls.any() else None)


def byte_estimate(values: Any) -> int:
    """Bytes that converting a pandas array takes in new memory, by a sample of its values; 0 where Arrow shows its memory."""
    if isinstance(values, pd.arrays.NumpyExtensionArray):
        values = np.asarray(values)
    if isinstance(values, np.ndarray) and values.dtype.kind in "biufM":
        return 0 if values.flags.c_contiguous else values.nbytes
    dtype = values.dtype
    if dtype.name == "geometry":
        import shapely

        return int(shapely.get_num_coordinates(np.asarray(values, dtype=object)).sum()) * 16 + 25 * len(values)
    if dtype != object and not (isinstance(dtype, pd.StringDtype) and dtype.storage == "python"):
        return 0
    objects = np.asarray(values, dtype=object)
    sample = objects[:: max(1, len(objects) // _SAMPLE_ROWS)]
    sizes = [len(value) + 4 if isinstance(value, (str, bytes)) else 9 for value in sample]
    return int(sum(sizes) / max(1, len(sizes)) * len(objects))


class RowChunks:
    """A stream of a frame some of whose columns are deferred: batches of bounded bytes, made when they are read.

    Parameters
    ----------
    schema : pyarrow.Schema
        Of the whole.
    columns : sequence
        Arrays and `Deferred` ones, of the same length.
    most_bytes : int
        Of new memory that a batch takes, about: one block of rows at least.

    Attributes
    ----------
    error : Exception or None
        What ended the stream early, as it was raised: through the stream comes its text alone.
    """

    def __init__(self, schema: pa.Schema, columns: Sequence[Any], most_bytes: int) -> None:
        self._schema, self._columns, self._most_bytes = schema, columns, most_bytes
        self.error: Exception | None = None

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        reader = pa.RecordBatchReader.from_batches(self._schema, self._batches())
        return reader.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for first, count in self._pieces():
                pieces = [column.slice(first, count) for column in self._columns]
                if any(isinstance(piece, pa.ChunkedArray) for piece in pieces):
                    yield from pa.Table.from_arrays(pieces, schema=self._schema).to_batches()
                else:
                    yield pa.RecordBatch.from_arrays(pieces, schema=self._schema)
        except Exception as error:
            self.error = error
            raise

    def _pieces(self) -> Iterator[tuple[int, int]]:
        rows = len(self._columns[0])
        block_bytes = sum(column.block_bytes for column in self._columns if isinstance(column, Deferred))
        first, held = 0, 0
        for block, added in enumerate(block_bytes):
            start = block * BLOCK_ROWS
            if held and held + added > self._most_bytes:
                yield first, start - first
                first, held = start, 0
            held += int(added)
        if first < rows:
            yield first, rows - first
