"""Queries that are watched: their time limit, and how far they have come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pyarrow as pa

from . import _core
from .progress import Progress, Reporter, display
from .watched_batches import WatchedBatches
from .watched_reader import WatchedReader

Result = TypeVar("Result")


class WatchedQuery:
    """What a caller wants of one query beside its rows.

    Parameters
    ----------
    core : capsule
        The engine's handle of the cache.
    seconds : float or None
        How long the query may work on its result.
    progress : bool or callable
        As for `ArrowCache.query`.
    """

    def __init__(self, core: _core.Cache, seconds: float | None = None, progress: Progress = False) -> None:
        self._core, self._progress = core, progress
        is_watched = seconds is not None or progress is not False
        #: What the engine is given; None where there is nothing to watch.
        self.handle = _core.watch(seconds, progress is not False) if is_watched else None

    def run(self, call: Callable[[], Result]) -> Result:
        """The result of `call`, which runs the query to its end; progress is shown meanwhile."""
        shown = display(self._progress, "query")
        watch = self.handle
        if shown is None or watch is None:
            return call()
        with Reporter(shown, ask=lambda: _core.fraction(watch), stop=lambda: _core.cancel(self._core, watch)):
            return call()

    def reader(self, reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
        """The batches of a reader that produces them while it is read, watched as well."""
        core, watch = self._core, self.handle
        if watch is None:
            return reader
        return WatchedReader(reader.schema, WatchedBatches(reader, self._progress, watch, lambda: _core.cancel(core, watch)))


def show_done(progress: Progress) -> None:
    """Progress of a query that takes no time."""
    shown = display(progress, "query")
    if shown is not None:
        shown.show(1.0)
        shown.close()
