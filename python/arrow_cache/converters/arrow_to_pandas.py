"""Arrow tables that did not come from pandas, as pandas sees them best: Arrow, Polars, files, query results.

Where pyarrow would lose something, this does not: 64-bit integers beyond 2⁵³ beside nulls stay integers (``Int64``),
booleans stay booleans, what pandas has no block for comes as Python objects.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import UnsupportedTypeError
from . import copy_on_write, nullable_columns
from .facts import json_metadata
from .in_threads import convert_all
from .pandas_out import frame_of
from .plain_layouts import is_exotic, plain

__all__ = ["frame_over_arrow", "python_objects", "to_frame"]

_EXACT_IN_DOUBLE = 2**53
_SMALL_VALUES = 100_000
_WIDE_INTEGERS = {pa.int64().id, pa.uint64().id}
_SIMPLE_TYPES = _WIDE_INTEGERS | {
    kind.id
    for kind in (
        *(
            pa.int8(),
            pa.int16(),
            pa.int32(),
            pa.uint8(),
            pa.uint16(),
            pa.uint32(),
            pa.float32(),
            pa.float64(),
            pa.bool_(),
        ),
        *(pa.string(), pa.large_string(), pa.timestamp("us"), pa.duration("us"), pa.date32()),
    )
}


def to_frame(table: pa.Table, offset: int = 0) -> Any:
    """A DataFrame of the table; pandas' metadata, where there is any, says what index and dtypes it had.

    Parameters
    ----------
    offset : int
        The first row's position in the whole entry, for the RangeIndex that the metadata describes.
    """
    content = json_metadata(table.schema, b"pandas")
    if content:
        try:
            return _by_metadata(_with_range(table, content, offset))
        except (AttributeError, KeyError, TypeError, ValueError, pa.ArrowException):
            return to_frame(table.replace_schema_metadata(None))  # the metadata does not fit the table
    if _is_small_and_simple(table):
        return (table.replace_schema_metadata(None) if table.schema.metadata else table).to_pandas()
    columns = [plain(column) for column in table.columns]
    return frame_of(convert_all(_to_array, table.num_rows, columns), pd.RangeIndex(table.num_rows), _labels(table))


def frame_over_arrow(table: pa.Table, offset: int = 0) -> Any:
    """A DataFrame whose columns are Arrow's own (``ArrowDtype``), without a copy."""
    content = json_metadata(table.schema, b"pandas")
    if content:
        shaped = _with_columns(table, [plain(column, views=True) for column in table.columns])
        try:
            return _with_range(shaped, content, offset).to_pandas(types_mapper=pd.ArrowDtype)
        except (AttributeError, KeyError, TypeError, ValueError, pa.ArrowException):
            return frame_over_arrow(table.replace_schema_metadata(None))
    arrays = [pd.arrays.ArrowExtensionArray(plain(column, views=True)) for column in table.columns]
    return frame_of(arrays, pd.RangeIndex(table.num_rows), _labels(table))


def _is_small_and_simple(table: pa.Table) -> bool:
    """Whether pyarrow's own conversion gives the same, and its copy costs less than going column by column."""
    return 0 < table.num_columns * table.num_rows <= _SMALL_VALUES and all(
        column.type.id in _SIMPLE_TYPES and not (column.type.id in _WIDE_INTEGERS and column.null_count)
        for column in table.columns
    )


def _labels(table: pa.Table) -> Any:
    return pd.Index(table.column_names) if table.num_columns else pd.RangeIndex(0)


def _with_columns(table: pa.Table, columns: list[pa.ChunkedArray]) -> pa.Table:
    fields = [pa.field(name, column.type) for name, column in zip(table.column_names, columns, strict=True)]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=table.schema.metadata))


def _to_array(column: pa.ChunkedArray) -> Any:
    kind = column.type
    if pa.types.is_integer(kind) and column.null_count:
        return _integers_with_nulls(column)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or _is_naive_time(kind):
        lent = copy_on_write.lend(column, _dtype_of(kind)) if copy_on_write.is_available() else None
        return _own(column) if lent is None else lent
    if pa.types.is_boolean(kind):
        return _own(column)
    return _by_pyarrow(column)


def _is_naive_time(kind: pa.DataType) -> bool:
    return pa.types.is_duration(kind) or (pa.types.is_timestamp(kind) and kind.tz is None)


def _dtype_of(kind: pa.DataType) -> np.dtype[Any]:
    empty: np.ndarray[Any, Any] = pa.array([], kind).to_numpy(zero_copy_only=False)
    dtype: np.dtype[Any] = empty.dtype
    return dtype


def _own(column: pa.ChunkedArray) -> Any:
    values = column.to_numpy(zero_copy_only=False)
    return values if values.flags.writeable else values.copy()


def _integers_with_nulls(column: pa.ChunkedArray) -> Any:
    """Floats with NaN, as pandas has it, or its nullable integers where floats would change a value."""
    if column.type.bit_width == 64:
        peaks = pc.min_max(column)
        low, high = peaks["min"].as_py() or 0, peaks["max"].as_py() or 0
        if low < -_EXACT_IN_DOUBLE or high > _EXACT_IN_DOUBLE:
            dtype = "Int64" if pa.types.is_signed_integer(column.type) else "UInt64"
            return nullable_columns.decode(column, {"dtype": dtype}, 0)
    return _own(column)


def _by_pyarrow(column: pa.ChunkedArray) -> Any:
    if is_exotic(column.type):
        return python_objects(column)
    try:
        series = pa.table([column], names=["0"]).to_pandas(ignore_metadata=True).iloc[:, 0]
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, TypeError):
        return python_objects(column)
    if isinstance(series.dtype, pd.api.extensions.ExtensionDtype):
        return series.array
    values = series.to_numpy()
    return values if values.flags.writeable else values.copy()


def python_objects(column: pa.ChunkedArray) -> Any:
    """The column as Python objects.

    Raises
    ------
    UnsupportedTypeError
        Python's own class has no such value: times of nanoseconds, dates beyond the year 9999.
    """
    objects = np.empty(len(column), dtype=object)
    try:
        if column.type == pa.time64("ns"):
            column = column.cast(pa.time64("us"))  # pyarrow's own way out drops the nanoseconds
        objects[:] = column.to_pylist()
    except (pa.ArrowException, OverflowError, ValueError) as error:
        raise UnsupportedTypeError(
            f"a column of {column.type} has a value that Python's own types lack ({error}): "
            f"cast it in SQL, or ask for target_type='pandas_arrow' or 'arrow'"
        ) from error
    return objects


def _by_metadata(table: pa.Table) -> Any:
    if _is_small_and_simple(table):
        return table.to_pandas()
    table = _with_columns(table, [plain(column) for column in table.columns])
    exotic = [position for position, kind in enumerate(table.schema.types) if is_exotic(kind)]
    usual = [position for position in range(table.num_columns) if position not in exotic]
    frame = table.select(usual).to_pandas()
    for position in exotic:
        values = pd.Series(python_objects(table.column(position)), index=frame.index, dtype=object)
        frame.insert(min(position, len(frame.columns)), table.column_names[position], values, allow_duplicates=True)
    for name in frame.columns:
        found = table.schema.get_all_field_indices(name) if isinstance(name, str) else []
        if len(found) == 1 and pa.types.is_integer(table.schema.types[found[0]]) and frame[name].dtype == np.float64:
            exact = _integers_with_nulls(table.column(found[0]))
            if isinstance(exact.dtype, pd.api.extensions.ExtensionDtype):
                frame[name] = pd.Series(exact, index=frame.index)
    return frame


def _with_range(table: pa.Table, content: dict[str, Any], offset: int) -> pa.Table:
    """The table with the RangeIndex in pandas' metadata, which is ``content``, cut to its rows."""
    changed = False
    for item in content.get("index_columns", []):
        if isinstance(item, dict) and item.get("kind") == "range":
            whole = range(item["start"], item["stop"], item["step"])
            if len(whole) != table.num_rows and offset + table.num_rows <= len(whole):
                part = whole[offset : offset + table.num_rows]
                item.update(start=part.start, stop=part.stop)
                changed = True
    if not changed:
        return table
    return table.replace_schema_metadata({**table.schema.metadata, b"pandas": json.dumps(content).encode()})
