"""The batches of a watched query that are produced while they are read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pyarrow as pa

from . import _core
from .errors import QueryError, QueryInterrupted, QueryTimeoutError
from .progress import Progress, Ticker, display


class WatchedBatches:
    """The batches of a reader, with its progress shown and its errors as our own.

    No generator: one that has failed would end at the next read, as if all rows had been read.

    Parameters
    ----------
    reader : pyarrow.RecordBatchReader
        What produces them while it is read.
    progress : bool or callable
        As for `ArrowCache.query`.
    watch : capsule
        The engine's handle of the query.
    stop : callable
        Ends the query.
    """

    def __init__(self, reader: pa.RecordBatchReader, progress: Progress, watch: _core.Watch, stop: Callable[[], object]) -> None:
        self._reader: pa.RecordBatchReader | None = reader
        self._progress, self._watch, self._stop = progress, watch, stop
        self._shown: Ticker | None = None
        self._has_begun = False
        self._failure: Exception | None = None

    def __iter__(self) -> WatchedBatches:
        return self

    def __next__(self) -> pa.RecordBatch:
        if self._failure is not None:
            raise self._failure
        if self._reader is None:
            raise StopIteration
        try:
            if not self._has_begun:
                self._has_begun, self._shown = True, self._ticker()
            with self._shown or nullcontext():
                batch = self._reader.read_next_batch()
            if self._shown is not None:
                self._shown.show()
            return batch
        except StopIteration:
            shown, self._shown = self._shown, None
            self._end()
            if shown is not None:
                shown.show(1.0)
                shown.close()
            raise
        except OSError as error:  # pyarrow has only the engine's words
            failure = self._of_ours(error)
            self._fail(failure)
            raise failure from None
        except Exception as error:
            self._fail(error)
            raise
        except BaseException:  # Ctrl-C
            self._fail(QueryInterrupted("the query was interrupted"))
            raise

    def close(self) -> None:
        """End the query. Reading on is an error."""
        self._fail(pa.ArrowInvalid("Attempt to read from a stream that has already been closed"))

    def __del__(self) -> None:
        self._end()

    def _ticker(self) -> Ticker | None:
        shown, watch = display(self._progress, "query"), self._watch
        return None if shown is None else Ticker(shown, lambda: _core.fraction(watch), self._stop)

    def _of_ours(self, error: OSError) -> Exception:
        if _core.has_timed_out(self._watch):
            return QueryTimeoutError(str(error))
        return (QueryInterrupted if str(error) == "the query was interrupted" else QueryError)(str(error))

    def _fail(self, failure: Exception) -> None:
        self._failure = failure
        self._end()

    def _end(self) -> None:
        """Lets go of the query, and of what shows it."""
        shown, self._shown, self._reader = self._shown, None, None
        if shown is not None:
            shown.close()
