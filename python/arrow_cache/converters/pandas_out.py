"""Rows of an entry that came from pandas (or GeoPandas), back as what was put."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from . import columns, copy_on_write, labels, numpy_columns, row_indexes, values, zoned_columns
from .encoded import Fact

__all__ = [
    "data_columns",
    "decode_frame",
    "decode_index",
    "decode_series",
    "frame_of",
    "label_index",
    "series_name",
]

_MANY_COLUMNS = 64
_FEW_VALUES = 1 << 19


def decode_index(table: pa.Table, facts: dict[str, Any], offset: int) -> Any:
    """The row index of a table's rows, the first of which is row ``offset`` of the entry."""

    def column_of(name: str) -> pa.ChunkedArray:
        return table.column(table.schema.get_all_field_indices(name)[0])

    return row_indexes.decode(facts["index"], column_of, offset, table.num_rows)


def data_columns(table: pa.Table, facts: dict[str, Any]) -> tuple[list[int], list[pa.ChunkedArray]]:
    """The data columns of ``table``, before them their positions among the columns of the whole entry."""
    positions = {name: position for position, (name, _) in enumerate(facts["columns"])}
    pairs = zip(table.column_names, table.columns, strict=True)
    found = [(positions[name], column) for name, column in pairs if name in positions]
    return [position for position, _ in found], [column for _, column in found]


def label_index(facts: dict[str, Any], positions: list[int]) -> Any:
    """The column labels at these positions, as ``df[columns].columns`` would give them."""
    names = [name for name, _ in facts["columns"]]
    whole = labels.decode(facts["labels"], names)
    return whole if positions == list(range(len(names))) else whole.take(positions)


def decode_frame(table: pa.Table, facts: dict[str, Any], offset: int) -> Any:
    """The DataFrame that was put, or the rows and columns of it that ``table`` has."""
    positions, found = data_columns(table, facts)
    arrays = _decode_all(found, [facts["columns"][position][1] for position in positions], offset)
    index = decode_index(table, facts, offset)
    return _with_extras(frame_of(arrays, index, label_index(facts, positions)), facts)


def decode_series(table: pa.Table, facts: dict[str, Any], offset: int) -> Any:
    """The Series that was put."""
    [(name, fact)] = facts["columns"]
    [array] = _decode_all([table.column(name)], [fact], offset)
    index = decode_index(table, facts, offset)
    series = pd.Series(array, index=index, dtype=array.dtype, name=series_name(facts), copy=False)
    return _with_extras(copy_on_write.guard(series) if copy_on_write.is_available() else series, facts)


def series_name(facts: dict[str, Any]) -> Any:
    """The name of the Series that was put."""
    return values.from_json(facts["name"])


def frame_of(arrays: list[Any], index: Any, column_labels: Any) -> Any:
    """A DataFrame over these arrays, without a copy and without looking for better dtypes.

    Many short columns are copied into common blocks: that costs less than what pandas does to each block later.
    """
    boxed = {
        position: pd.Series(array, index=index, dtype=object, copy=False) if array.dtype == object else array
        for position, array in enumerate(arrays)
    }
    in_blocks = len(arrays) >= _MANY_COLUMNS and len(arrays) * len(index) <= _FEW_VALUES
    frame = pd.DataFrame(boxed, index=index, copy=in_blocks)
    frame.columns = column_labels
    return copy_on_write.guard(frame) if copy_on_write.is_available() and not in_blocks else frame


@dataclass(frozen=True, slots=True)
class _Numbers:
    """A column that has in Arrow the very numbers of its numpy array, nulls apart; and what is made of that array."""

    column: pa.ChunkedArray
    dtype: str
    zone: dict[str, Any] | None

    def shown(self, values: Any) -> Any:
        return values if self.zone is None else zoned_columns.show(values, self.zone)


def _numbers(column: pa.ChunkedArray, fact: Fact) -> _Numbers | None:
    if isinstance(fact, str):
        return _Numbers(column, fact, None) if numpy_columns.is_direct(fact) else None
    if fact["as"] == "zoned" and column.type.unit == fact["unit"]:
        return _Numbers(column.cast(pa.timestamp(fact["unit"])), f"datetime64[{fact['unit']}]", fact)
    return None


def _decode_all(found: list[pa.ChunkedArray], column_facts: list[Fact], offset: int) -> list[Any]:
    """Each column's array: the cache's own memory where pandas copies on write, else memory of its own."""
    pairs = list(zip(found, column_facts, strict=True))
    numbers = {position: made for position, pair in enumerate(pairs) if (made := _numbers(*pair)) is not None}
    arrays = _lend(numbers) if copy_on_write.is_available() else _copy(numbers)
    rest = [position for position in numbers if position not in arrays]
    arrays.update(zip(rest, _convert([numbers[position] for position in rest]), strict=True))
    return [
        numbers[position].shown(arrays[position]) if position in arrays else columns.decode(column, fact, offset)
        for position, (column, fact) in enumerate(pairs)
    ]


def _lend(numbers: dict[int, _Numbers]) -> dict[int, Any]:
    """Arrays over the cache's own memory, of those columns that are there in one piece."""
    lent = {position: copy_on_write.lend(made.column, np.dtype(made.dtype)) for position, made in numbers.items()}
    return {position: values for position, values in lent.items() if values is not None}


def _copy(numbers: dict[int, _Numbers]) -> dict[int, Any]:
    """Arrays that pyarrow makes in few large blocks: much cheaper than one by one."""
    if len(numbers) < 2:
        return {}
    table = pa.table({str(position): made.column for position, made in numbers.items()})
    frame = table.to_pandas(ignore_metadata=True)
    made_by_arrow = {position: np.asarray(frame.iloc[:, i].array) for i, position in enumerate(numbers)}
    return {position: values for position, values in made_by_arrow.items() if values.dtype == numbers[position].dtype}


def _convert(numbers: list[_Numbers]) -> list[Any]:
    """Arrays one by one; in threads, outside the GIL, if there is enough to do."""
    workers = min(os.cpu_count() or 1, len(numbers))
    if workers < 2 or len(numbers[0].column) <= 100 * len(numbers):
        return [numpy_columns.decode(made.column, made.dtype) for made in numbers]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda made: numpy_columns.decode(made.column, made.dtype), numbers))


def _with_extras(data: Any, facts: dict[str, Any]) -> Any:
    if "attrs" in facts:
        data.attrs = values.from_json(facts["attrs"])
    if facts.get("unique_labels"):
        data.flags.allows_duplicate_labels = False
    return data
