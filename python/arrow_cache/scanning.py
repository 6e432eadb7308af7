"""Entries as Polars' own lazy sources: `scan_polars`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from . import _core, converters
from .arguments import checked_key
from .capsules import reader_of
from .entry_view import EntryView
from .errors import KeyNotFound, MissingPackageError

if TYPE_CHECKING:
    import polars as pl

#: Rows that a predicate is applied to at once where Polars asks for no other number.
_FILTERED_ROWS = 131_072


class Scanning:
    """What a cache does for lazy readers."""

    _handle: _core.Cache

    def scan_polars(self, key: str) -> pl.LazyFrame:
        """An entry as a Polars LazyFrame, which reads the columns and rows that its query needs.

        Nothing is read before ``collect``. Columns that the query does not use are not touched, a filter drops rows batch by batch before
        they get to Polars, and ``head`` stops reading. The LazyFrame reads the version of now, also after the entry was
        replaced or removed or the cache was closed.

        Parameters
        ----------
        key : str
            The key. Counts as an access.

        Returns
        -------
        polars.LazyFrame
            The columns that ``get(key, "polars")`` has.

        Raises
        ------
        KeyNotFound
            If there is no entry.
        UnsupportedTypeError
            If Polars lacks the type of a column.
        MissingPackageError
            If Polars is not installed.

        Examples
        --------
        >>> import polars as pl
        >>> cache.scan_polars("numbers").filter(pl.col("a") > 1).select(pl.col("a").sum()).collect().item()
        5
        """
        checked_key(key)
        try:
            from polars.io.plugins import register_io_source
        except ImportError as error:
            raise MissingPackageError(f"scan_polars needs Polars 1.35 or later ({error}): pip install 'polars>=1.35'") from error
        entry = _core.lookup(self._handle, key)
        if entry is None:
            raise KeyNotFound(f"there is no entry {key!r} to scan")
        stored = EntryView.of(entry).schema
        schema = _frame(stored.empty_table()).schema

        def batches(names: list[str] | None, predicate: pl.Expr | None, row_count: int | None, batch_rows: int | None) -> Iterator[pl.DataFrame]:
            wanted = schema.names() if names is None else names
            return _batches(entry, stored, wanted, predicate, row_count, batch_rows)

        return register_io_source(batches, schema=schema, is_pure=True)


def _batches(
    entry: _core.Entry, stored: pa.Schema, names: list[str], predicate: pl.Expr | None, row_count: int | None, batch_rows: int | None
) -> Iterator[pl.DataFrame]:
    """The first `row_count` rows that satisfy the predicate among them, in batches, with these columns."""
    needed = list(dict.fromkeys([*names, *(predicate.meta.root_names() if predicate is not None else [])]))
    # Without a column a frame would forget how many rows it has.
    positions = [stored.get_field_index(name) for name in needed] or [0][: len(stored)]
    most = batch_rows or (None if predicate is None else _FILTERED_ROWS)
    for batch in reader_of(_core.scan(entry, 0, row_count, positions)):
        for first in range(0, batch.num_rows, most or max(batch.num_rows, 1)):
            frame = _frame(pa.Table.from_batches([batch.slice(first, most)]))
            if predicate is not None:
                frame = frame.filter(predicate)
            yield frame.select(names) if names and frame.columns != names else frame


def _frame(table: pa.Table) -> pl.DataFrame:
    frame: pl.DataFrame = converters.from_arrow(table, "polars", "arrow")
    return frame
