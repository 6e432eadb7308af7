"""Progress of `put`: the rows that the engine has read of the data."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pyarrow as pa

from .capsules import reader_of
from .errors import CacheError
from .progress import Display, Progress, display

__all__ = ["with_progress"]

Result = TypeVar("Result")
_SECONDS_BETWEEN = 0.1


def with_progress(progress: Progress, label: str, data: object, stream: object, keep: Callable[[Any], Result]) -> Result:
    """The result of `keep`, called with the stream of `data`, and progress shown as it is read."""
    shown = display(progress, label)
    if shown is None:
        return keep(stream)
    counted = _Counted(stream, _row_count(data), shown)
    try:
        shown.show(0.0)
        result = keep(counted)
        shown.show(1.0)
        return result
    except CacheError:
        if counted.failure is not None:
            raise counted.failure from None
        raise
    finally:
        shown.close()


def _row_count(data: object) -> int | None:
    """None where only reading it would tell."""
    if isinstance(data, str) or not hasattr(data, "__len__"):
        return None
    try:
        return len(data)
    except Exception:  # whatever a foreign class does, progress is not worth an error
        return None


class _Counted:
    """A stream that shows how much of it has been read."""

    def __init__(self, stream: object, row_count: int | None, shown: Display) -> None:
        self._stream, self._row_count, self._shown = stream, row_count, shown
        #: What the display raised.
        self.failure: BaseException | None = None

    @property
    def error(self) -> object:
        """What the stream itself raised, where it keeps that."""
        return getattr(self._stream, "error", None)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        is_capsule = not hasattr(self._stream, "__arrow_c_stream__")
        reader = reader_of(self._stream) if is_capsule else pa.RecordBatchReader.from_stream(self._stream)
        return pa.RecordBatchReader.from_batches(reader.schema, self._batches(reader)).__arrow_c_stream__()

    def _batches(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        done, shown_at = 0, time.monotonic()
        for batch in reader:
            yield batch
            done += batch.num_rows
            if self._row_count and time.monotonic() - shown_at >= _SECONDS_BETWEEN:
                try:
                    self._shown.show(min(1.0, done / self._row_count))
                except BaseException as error:
                    self.failure = error
                    raise
                shown_at = time.monotonic()
