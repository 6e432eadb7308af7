"""SQL over the entries of a cache: parameters in, rows out in the form that was asked for."""

from __future__ import annotations

from typing import Any

from . import _core, converters
from .capsules import reader_of, table_of
from .converters import copy_on_write
from .errors import DuckDBError, InvalidArgument, InvalidArgumentType, QueryError
from .extensions import Extensions
from .kept_frames import result_frame
from .parameters import tag_parameters
from .progress import Progress
from .watching import WatchedQuery, show_done

#: What is produced while it is read: the query runs on as long as someone reads.
STREAMING_TARGETS = ("reader", "capsule")


class SQLRunner:
    """Runs SQL in the database of one cache.

    Parameters
    ----------
    core : capsule
        The engine's handle of the cache.
    """

    def __init__(self, core: _core.Cache) -> None:
        self._handle = core
        self.extensions = Extensions(lambda sql: table_of(_core.query(core, sql, None, False, None)))

    def query(self, sql: object, parameters: object, target: str, *, timeout: float | None = None, progress: Progress = False) -> Any:
        """The rows of the last statement in `sql` as `target`."""
        text, tagged = checked_sql(sql), tag_parameters(parameters)
        kept = _core.kept_result(self._handle, text, tagged)
        if kept is not None:
            show_done(progress)
            return _kept_as_target(kept, target)
        watched = WatchedQuery(self._handle, timeout, progress)
        streaming = target in STREAMING_TARGETS

        def run() -> object:
            return _core.query(self._handle, text, tagged, streaming, watched.handle)

        if streaming:
            capsule = self._with_extensions(text, run)
            if target == "capsule" and progress is False:
                return capsule
            reader = watched.reader(reader_of(capsule))
            return reader if target == "reader" else reader.__arrow_c_stream__()
        if target == "pandas":
            copy_on_write.is_available()  # tried once a process: now, and not when the same is asked again
        capsule = watched.run(lambda: self._with_extensions(text, run))
        return converters.from_result(table_of(capsule), target)

    def explain(self, sql: object, parameters: object, analyze: bool, *, timeout: float | None = None) -> str:
        """DuckDB's plan of one statement."""
        text, tagged = checked_sql(sql), tag_parameters(parameters)
        watch = WatchedQuery(self._handle, timeout).handle
        return str(self._with_extensions(text, lambda: _core.explain(self._handle, text, tagged, analyze, watch)))

    def _with_extensions(self, sql: str, run: Any) -> Any:
        self.extensions.prepare(sql)
        try:
            return run()
        except QueryError as error:
            name = self.extensions.missing(error)
            if name is None:
                raise
            try:
                self.extensions.load(name, is_missing=True)
            except DuckDBError as failure:
                raise failure from error
            if ";" in sql.strip().rstrip(";"):
                raise  # statements before the failed one have had their effect
        return run()


def _kept_as_target(kept: _core.Result, target: str) -> Any:
    if target == "capsule":
        return _core.result_stream(kept)
    if target == "reader":
        return reader_of(_core.result_stream(kept))
    if target == "pandas":
        return result_frame(kept, lambda: converters.from_result(table_of(_core.result_stream(kept)), target))
    return converters.from_result(table_of(_core.result_stream(kept)), target)


def checked_sql(sql: object) -> str:
    """SQL text with something in it."""
    if not isinstance(sql, str):
        raise InvalidArgumentType(f"sql: give the statement as a str, not {type(sql).__name__}")
    if not sql.strip():
        raise InvalidArgument("sql: the statement is empty")
    return sql
