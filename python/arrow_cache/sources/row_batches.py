"""Rows of Python values, fetched piece by piece, as a stream of Arrow batches in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..errors import UnsupportedTypeError
from .column_types import UnfitValues, column_array, common_type
from .spool import Spool

__all__ = ["Fetch", "batches_of_rows"]

#: Gives at most so many rows; none at the end.
Fetch = Callable[[int], Sequence[Any]]

_FIRST_ROWS = 64
_MOST_ROWS = 65_536
_BATCH_BYTES = 16 << 20


def batches_of_rows(fetch: Fetch, names: Sequence[str], declared: Sequence[pa.DataType | None]) -> pa.RecordBatchReader:
    """Stream rows as Arrow.

    Parameters
    ----------
    fetch : callable
        Gives the next rows.
    names : sequence of str
        The columns.
    declared : sequence of pyarrow.DataType or None
        Their types where the source tells them; a column without one has the narrowest type that holds all its values
        unchanged, for which all rows are read once before the first batch comes out.

    Raises
    ------
    UnsupportedTypeError
        A column has values without a common Arrow type; the message names it. While the stream is read, for declared types.
    """
    batches = _arrays(fetch, names)
    if declared and all(kind is not None for kind in declared):
        schema = pa.schema([pa.field(name, kind) for name, kind in zip(names, declared, strict=True)])
        return pa.RecordBatchReader.from_batches(schema, _as_declared(batches, schema))
    types: list[pa.DataType] = [pa.null() if kind is None else kind for kind in declared]
    spool = Spool()
    for batch in batches:
        for position, column in enumerate(batch.columns):
            with _Naming(names[position]):
                types[position] = _wider(types[position], column.type, declared[position] is not None)
        spool.append(batch)
    schema = pa.schema([pa.field(name, kind) for name, kind in zip(names, types, strict=True)])
    return pa.RecordBatchReader.from_batches(schema, spool.drain(schema))


def _wider(known: pa.DataType, found: pa.DataType, is_declared: bool) -> pa.DataType:
    if not is_declared:
        return common_type(known, found)
    if not _fits(found, known):
        raise UnfitValues(f"values of {found} where the source declares {known}")
    return known


def _fits(found: pa.DataType, declared: pa.DataType) -> bool:
    """Whether values of one type may stand in a column of the other; that each one does is for the cast to say."""
    if pa.types.is_null(found) or found.equals(declared):
        return True
    for same in (pa.types.is_integer, pa.types.is_decimal):
        if same(found) and same(declared):
            return True
    if pa.types.is_timestamp(found) and pa.types.is_timestamp(declared):
        return bool(found.tz) == bool(declared.tz)
    return False


def _as_declared(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        columns = []
        for field, column in zip(schema, batch.columns, strict=True):
            with _Naming(field.name):
                _wider(field.type, column.type, True)
                columns.append(column if column.type.equals(field.type) else pc.cast(column, field.type))
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _arrays(fetch: Fetch, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    count = _FIRST_ROWS
    while rows := fetch(count):
        if isinstance(rows[0], Mapping):
            rows = [tuple(row.values()) for row in rows]
        columns = []
        for name, values in zip(names, zip(*rows, strict=True), strict=True):
            with _Naming(name):
                columns.append(column_array(values))
        schema = pa.schema([pa.field(name, column.type) for name, column in zip(names, columns, strict=True)])
        table = pa.Table.from_arrays(columns, schema=schema)
        yield from table.to_batches()
        fitting = count * _BATCH_BYTES // max(table.nbytes, 1)
        count = max(1, min(fitting, 4 * count, _MOST_ROWS))


class _Naming:
    """Adds the column's name and the remedy to what is raised inside."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (UnfitValues, pa.ArrowException)):
            what = str(error) if isinstance(error, UnfitValues) else f"values that don't fit its type ({error})"
            raise UnsupportedTypeError(f"column {self._name!r} of the result has {what}: cast it in SQL, for example to text") from error
