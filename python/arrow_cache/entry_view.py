"""What the face keeps beside a version of an entry: its schema, and its table once all of it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from . import _core, converters
from .capsules import schema_of, table_of
from .converters import facts, row_indexes
from .errors import InvalidArgument

_MEMO = "view"

_TABLE = "table"

#: What pyarrow takes for a column of a batch, about.
_PIECE_BYTES = 500


class EntryView:
    """The unchanging facts of one version of an entry.

    Attributes
    ----------
    key, kind : str
        Under which key, and what was put.
    row_count : int
        Rows.
    is_encoded : bool
        Whether texts are kept encoded: a table of them holds copies, decoded.
    schema : pyarrow.Schema
        Columns and metadata as `arrow_cache.converters` wrote them.
    """

    # It does not hold the entry: the entry holds it.
    __slots__ = ("_pieces", "is_encoded", "key", "kind", "row_count", "schema")

    def __init__(self, found: dict[str, Any], schema: pa.Schema) -> None:
        self.key: str = found["key"]
        self.kind: str = found["kind"]
        self.row_count: int = found["row_count"]
        self.is_encoded: bool = bool(found["encoded_columns"])
        self._pieces: int = found["batch_count"] * max(1, found["column_count"])
        self.schema = schema

    @staticmethod
    def of(entry: _core.Entry) -> EntryView:
        """The view of an entry, made when it is first asked for."""
        view = _core.memo(entry, _MEMO)
        if view is None:
            view = EntryView(_core.describe(entry), schema_of(_core.schema(entry)))
            _core.set_memo(entry, _MEMO, view, None)
        assert isinstance(view, EntryView)
        return view

    def index_names(self) -> list[str]:
        """The columns that hold a pandas index beside the data."""
        if not self.kind.startswith(("pandas", "geopandas")) or self.kind.endswith("_index"):
            return []
        found = facts.read(self.schema)
        return [] if found is None else row_indexes.names_of(found["index"])

    def positions(self, columns: Sequence[Any] | None, *, with_index: bool) -> list[int] | None:
        """Where the columns are that a caller named, in that order; None for all.

        Parameters
        ----------
        columns : sequence or None
            Their names; for an entry from pandas its labels.
        with_index : bool
            Whether the columns of a pandas index come along.

        Raises
        ------
        InvalidArgument
            If a column is not there; the message has the key, the nearest and the known ones.
        """
        if columns is None:
            return None
        try:
            chosen = converters.select_columns(self.schema, columns, self.kind)
        except InvalidArgument as error:
            raise InvalidArgument(f"columns: entry {self.key!r} has {error}") from None
        index = [self.schema.get_field_index(name) for name in self.index_names()]
        rest = [position for position in chosen if position not in index]
        if not with_index:
            return rest
        if self.kind.endswith("_index") or (self.kind.endswith("_series") and not rest):
            what = self.kind.rpartition("_")[2]
            raise InvalidArgument(f"columns: entry {self.key!r} is a pandas {what}, which comes whole; or ask for target_type='arrow'")
        return rest + index

    def rows(self, entry: _core.Entry, first: int, count: int, positions: list[int] | None) -> pa.Table:
        """Rows of the entry, zero copy; the table of all of them is kept for the next time, where there is room and it is no copy.

        Parameters
        ----------
        entry : capsule
            The entry that this is the view of.
        first, count : int
            The first row and how many, within the entry.
        positions : list of int or None
            Which columns; None for all.
        """
        whole = first == 0 and count == self.row_count
        table = _core.memo(entry, _TABLE)
        if table is None:
            if not whole or positions is not None:
                if not count and self.row_count:  # without a batch there is no dictionary: the categories come with a row
                    return table_of(_core.scan(entry, 0, 1, positions)).slice(0, 0)
                return table_of(_core.scan(entry, first, count, positions))
            table = table_of(_core.scan(entry, 0, None, None))
            if not self.is_encoded:
                _core.set_memo(entry, _TABLE, table, self._pieces * _PIECE_BYTES)
        assert isinstance(table, pa.Table)
        if positions is not None:
            table = table.select(positions)
        return table if whole else table.slice(first, count)
