"""SQL over the entries of a cache: `query` and `explain`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from . import _core, converters
from .arguments import checked_flag, checked_progress, checked_timeout
from .config import ArrowCacheConfig
from .progress import Progress
from .sql import SQLRunner


class Queries:
    """What a cache does with SQL."""

    _handle: _core.Cache
    _config: ArrowCacheConfig
    _sql: SQLRunner

    def query(
        self,
        sql: str,
        parameters: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        target_type: str | None = None,
        progress: Progress = False,
        timeout: float | timedelta | None = None,
    ) -> Any:
        """Run SQL; every entry is a table ``_cache_<key>``.

        Parameters
        ----------
        sql : str
            One or more statements in DuckDB's SQL; the rows of the last are returned.
        parameters : sequence or mapping, optional
            Values for ``?`` and ``$1`` by position, or for ``$name`` by name. They go to the last statement of `sql`; others have none.
        target_type : str, optional
            As for `ArrowCache.get`. ``reader`` and ``capsule`` produce the rows while they are read. Default: ``query_target_type`` of the
            configuration, which is ``pandas``.
        progress : bool or callable, default False
            True shows a bar in terminals and notebooks (tqdm's where it is installed) and nothing elsewhere. A function is called with the
            share that is done, from 0 to 1, by a thread of its own; what it raises stops the query and is raised here.
        timeout : float or datetime.timedelta, optional
            Seconds after which the query is stopped; ``math.inf`` for no limit. Of a ``reader`` or ``capsule`` the time counts that producing
            rows takes, not the time between reads. Default: ``query_timeout`` of the configuration, which is no limit.

        Returns
        -------
        object
            The rows. A statement without rows gives what DuckDB's own client gives, such as a count. Columns of one name are named apart as
            it does (``x``, ``x_1``), but for Arrow, where names may be alike. A ``reader`` is pyarrow's own: what goes wrong while it is read it raises as
            an ``OSError`` with our words, and Ctrl-C then too, with ``KeyboardInterrupt`` at the next statement; with `timeout` or `progress`
            it raises the errors below, and ``KeyboardInterrupt`` at once. Its ``close()`` ends the query.

        Raises
        ------
        QueryError
            If DuckDB refuses the SQL or fails while it runs it.
        QueryInterrupted
            If it was stopped.
        QueryTimeoutError
            If it was stopped at its time limit.
        InvalidArgument
            For a wrong argument; a parameter is named by its position or name.
        DuckDBError
            If an extension that the SQL needs can't be loaded; the message says what to do.

        Examples
        --------
        >>> cache.query("SELECT count(*) AS n FROM _cache_numbers WHERE a > ?", [1])
           n
        0  2
        """
        target = self._config.query_target_type if target_type is None else target_type
        return self._sql.query(
            sql,
            parameters,
            converters.normalise_target(target),
            timeout=checked_timeout(timeout, self._config.query_timeout),
            progress=checked_progress(progress),
        )

    def sql(
        self,
        sql: str,
        parameters: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        target_type: str | None = None,
        progress: Progress = False,
        timeout: float | timedelta | None = None,
    ) -> Any:
        """The same as `query`."""
        return self.query(sql, parameters, target_type=target_type, progress=progress, timeout=timeout)

    def interrupt(self) -> int:
        """Stop all queries that run at the moment, from another thread than theirs; each raises `QueryInterrupted`.

        A reader or capsule whose rows are still being produced is such a query: its next read fails. Returns at once.

        Returns
        -------
        int
            How many there were.
        """
        return _core.interrupt(self._handle)

    def explain(
        self,
        sql: str,
        parameters: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        analyze: bool = False,
        timeout: float | timedelta | None = None,
    ) -> str:
        """DuckDB's plan of one statement, as text; a last line says where `query` would give a kept result, use a kept plan or fetch columns late.

        Parameters
        ----------
        sql : str
            The statement.
        parameters : sequence or mapping, optional
            As for `query`.
        analyze : bool, default False
            Whether to run it and add times and row counts, and a line for each scan of a cached table: rows handed to DuckDB of those there are,
            partitions and blocks (2,048 rows) read and skipped, bytes from memory and from disk, partitions that were on disk, and
            the conditions by which it skipped.
        timeout : float or datetime.timedelta, optional
            As for `query`.

        Raises
        ------
        QueryError
            If DuckDB refuses it.
        """
        limit = checked_timeout(timeout, self._config.query_timeout)
        return self._sql.explain(sql, parameters, checked_flag("analyze", analyze), timeout=limit)
