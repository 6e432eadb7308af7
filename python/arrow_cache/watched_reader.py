"""Readers of watched queries: pyarrow's in all respects, but that their errors are ours and that closing them ends the query."""

from __future__ import annotations

import io
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from .watched_batches import WatchedBatches


class WatchedReader(pa.ipc.RecordBatchStreamReader):  # type: ignore[misc]
    """What `ArrowCache.query` gives for ``reader`` with a time limit or progress.

    Of pyarrow's own readers, those that pass on what Python raised are not told that they are closed, and the others have no exceptions but
    pyarrow's. So the rows go from the batches to Python's callers directly; only C++ code of pyarrow's, as that of its datasets, reads them as IPC.

    Parameters
    ----------
    schema : pyarrow.Schema
        Of the batches.
    batches : WatchedBatches
        What produces them while they are read.
    """

    def __init__(self, schema: pa.Schema, batches: WatchedBatches) -> None:
        super().__init__(_Messages(schema, batches))
        self._batches = batches

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pa.RecordBatch:
        return next(self._batches)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def read_next_batch(self) -> pa.RecordBatch:
        """The next rows; `StopIteration` after the last."""
        return next(self._batches)

    def read_all(self) -> pa.Table:
        """All rows that have not been read."""
        return pa.Table.from_batches(self._batches, schema=self.schema)

    def read_pandas(self, **options: Any) -> Any:
        """All rows that have not been read, as pandas has them."""
        return self.read_all().to_pandas(**options)

    def cast(self, target_schema: pa.Schema) -> pa.RecordBatchReader:
        """A reader of the same rows in other types."""
        return self._plain().cast(target_schema)

    def close(self) -> None:
        """End the query. Reading on is an error."""
        self._batches.close()

    def _export_to_c(self, address: int) -> None:
        self._plain()._export_to_c(address)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._plain().__arrow_c_stream__(requested_schema)

    def _plain(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(self.schema, self._batches)


class _Messages:
    """The batches as a file of an IPC stream, of which each is written when it is asked for. Reads end where messages do."""

    def __init__(self, schema: pa.Schema, batches: WatchedBatches) -> None:
        self._schema, self._batches = schema, batches
        self._head = schema.serialize().to_pybytes()
        self._sink, self._unread = io.BytesIO(), io.BytesIO(self._head)
        self._writer: Any = None
        #: As files have it.
        self.closed = False

    def read(self, count: int) -> bytes:
        """The next `count` bytes; none at the end."""
        data = self._unread.read(count)
        if data or not count:
            return data
        batch = next(self._batches, None)
        if batch is None:
            return b""
        self._unread = io.BytesIO(self._written(batch))
        return self._unread.read(count)

    def close(self) -> None:
        """Nothing more will be read."""
        self.closed = True

    def _written(self, batch: pa.RecordBatch) -> bytes:
        is_first = self._writer is None
        if is_first:
            self._writer = pa.ipc.new_stream(self._sink, self._schema)
        self._writer.write_batch(batch)
        written = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return written[len(self._head) :] if is_first else written  # the schema has been read
