"""SQL over the entries of a cache: `query` and `explain`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import converters
from .arguments import checked_flag, note_progress
from .config import ArrowCacheConfig
from .sql import SQLRunner


class Queries:
    """What a cache does with SQL."""

    _config: ArrowCacheConfig
    _sql: SQLRunner

    def query(
        self,
        sql: str,
        parameters: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        target_type: str | None = None,
        progress: bool = False,
    ) -> Any:
        """Run SQL; every entry is a table ``_cache_<key>``.

        Parameters
        ----------
        sql : str
            One or more statements in DuckDB's SQL; the rows of the last are returned.
        parameters : sequence or mapping, optional
            Values for ``?`` and ``$1`` by position, or for ``$name`` by name.
        target_type : str, optional
            As for `ArrowCache.get`. ``reader`` and ``capsule`` produce the rows while they are read. Default: ``query_target_type`` of the
            configuration, which is ``pandas``.
        progress : bool, default False
            Whether to show progress. Not there yet: a warning says so.

        Returns
        -------
        object
            The rows. A statement without rows gives what DuckDB's own client gives, such as a count.

        Raises
        ------
        QueryError
            If DuckDB refuses the SQL or fails while it runs it.
        QueryInterrupted
            If it was stopped.
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
        note_progress(progress)
        target = self._config.query_target_type if target_type is None else target_type
        return self._sql.query(sql, parameters, converters.normalise_target(target))

    def sql(
        self,
        sql: str,
        parameters: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        target_type: str | None = None,
        progress: bool = False,
    ) -> Any:
        """The same as `query`."""
        return self.query(sql, parameters, target_type=target_type, progress=progress)

    def explain(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None, *, analyze: bool = False) -> str:
        """DuckDB's plan of one statement, as text.

        Parameters
        ----------
        sql : str
            The statement.
        parameters : sequence or mapping, optional
            As for `query`.
        analyze : bool, default False
            Whether to run it and add times and row counts.

        Raises
        ------
        QueryError
            If DuckDB refuses it.
        """
        return self._sql.explain(sql, parameters, checked_flag("analyze", analyze))
