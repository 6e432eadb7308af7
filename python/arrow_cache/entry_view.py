"""What the face keeps beside a version of an entry: its schema, its names, and its table once it was asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from . import _core
from .arguments import unknown_column
from .capsules import schema_of, table_of

_MEMO = "view"


class EntryView:
    """The unchanging facts of one version of an entry.

    Attributes
    ----------
    key, kind : str
        Under which key, and what was put.
    row_count : int
        Rows.
    schema : pyarrow.Schema
        Columns and metadata as `arrow_cache.converters` wrote them.
    index_names : tuple of str
        The columns that hold a pandas index.
    """

    # It does not hold the entry: the entry holds it.
    __slots__ = ("_table", "index_names", "key", "kind", "pandas", "row_count", "schema")

    def __init__(self, facts: dict[str, Any], schema: pa.Schema) -> None:
        self.key: str = facts["key"]
        self.kind: str = facts["kind"]
        self.row_count: int = facts["row_count"]
        self.schema = schema
        self.pandas = pandas_metadata(schema)
        self.index_names = tuple(name for name in self.pandas.get("index_columns", ()) if isinstance(name, str))
        self._table: pa.Table | None = None

    @staticmethod
    def of(entry: _core.Entry) -> EntryView:
        """The view of an entry, made when it is first asked for."""
        view = _core.memo(entry, _MEMO)
        if view is None:
            view = EntryView(_core.describe(entry), schema_of(_core.schema(entry)))
            _core.set_memo(entry, _MEMO, view, 0)
        assert isinstance(view, EntryView)
        return view

    def rows(self, entry: _core.Entry, offset: int, limit: int | None, columns: Sequence[str] | None, with_index: bool) -> pa.Table:
        """Rows of `entry`, zero copy.

        Parameters
        ----------
        entry : capsule
            The entry that this is the view of.
        offset, limit : int
            The first row, and how many at most.
        columns : sequence of str or None
            Which columns, in this order; None for all.
        with_index : bool
            Whether the columns of a pandas index come along when they are not among `columns`.
        """
        first = min(offset, self.row_count)
        count = self.row_count - first if limit is None else min(limit, self.row_count - first)
        positions = None if columns is None else self._positions(columns, with_index)
        if first == 0 and count == self.row_count and positions is None:
            return self._whole(entry)
        if self._table is None:
            return self._moved(table_of(_core.scan(entry, first, count, positions)), first, count)
        table = self._table if positions is None else self._table.select(positions)
        return self._moved(table.slice(first, count), first, count)

    def _whole(self, entry: _core.Entry) -> pa.Table:
        if self._table is None:
            self._table = table_of(_core.scan(entry, 0, None, None))
        return self._table

    def _positions(self, columns: Sequence[str], with_index: bool) -> list[int]:
        positions: list[int] = []
        for name in columns:
            found = self.schema.get_all_field_indices(name)
            if not found:
                shown = [known for known in self.schema.names if known not in self.index_names]
                raise unknown_column(name, self.key, shown)
            positions += found
        for name in self.index_names if with_index else ():
            positions += [position for position in self.schema.get_all_field_indices(name) if position not in positions]
        return positions

    def _moved(self, table: pa.Table, first: int, count: int) -> pa.Table:
        """The table with the range that pandas' metadata has for its index cut as the rows were."""
        if first == 0 and count == self.row_count:
            return table
        index = self.pandas.get("index_columns", [])
        if not any(isinstance(item, dict) and item.get("kind") == "range" for item in index):
            return table
        cut = [cut_range(item, first, count) if isinstance(item, dict) else item for item in index]
        text = json.dumps(self.pandas | {"index_columns": cut}).encode()
        return table.replace_schema_metadata({**(table.schema.metadata or {}), b"pandas": text})


def cut_range(item: dict[str, Any], first: int, count: int) -> dict[str, Any]:
    """pandas' description of a RangeIndex, of `count` elements from the element `first` on."""
    start = item["start"] + first * item["step"]
    return item | {"start": start, "stop": start + count * item["step"]}


def pandas_metadata(schema: pa.Schema) -> dict[str, Any]:
    """What pandas wrote into the schema, or an empty dict."""
    text = (schema.metadata or {}).get(b"pandas")
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
