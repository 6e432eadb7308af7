"""Tables as plain numpy arrays or Python lists, a name for each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from ..errors import InvalidArgument
from . import columns
from .arrow_to_pandas import python_objects
from .plain_layouts import plain

__all__ = ["to_dict", "to_numpy"]


def to_dict(table: pa.Table) -> dict[str, list[Any]]:
    """Lists of Python values by column name."""
    _check_names(table)
    return {
        name: python_objects(column).tolist() for name, column in zip(table.column_names, table.columns, strict=True)
    }


def to_numpy(table: pa.Table, facts: dict[str, Any] | None, offset: int) -> dict[str, Any]:
    """numpy arrays by column name.

    Integers and booleans with nulls are masked arrays, missing floats NaN, missing times NaT, text and anything nested
    Python objects. An array that shows the cache's own memory is read-only.
    """
    _check_names(table)
    numpy_facts = {name: fact for name, fact in (facts or {}).get("columns", ()) if isinstance(fact, str)}
    arrays = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        fact = numpy_facts.get(name)
        arrays[name] = _array(column) if fact is None else columns.decode(column, fact, offset)
    return arrays


def _array(column: pa.ChunkedArray) -> Any:
    column = plain(column)
    kind = column.type
    if pa.types.is_dictionary(kind):
        decoded = [chunk.dictionary_decode() for chunk in column.chunks]
        return _array(pa.chunked_array(decoded, kind.value_type))
    if column.null_count and (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        missing = column.is_null().to_numpy(zero_copy_only=False)
        filled = column.fill_null(False if pa.types.is_boolean(kind) else 0).to_numpy(zero_copy_only=False)
        return np.ma.MaskedArray(filled, mask=missing)
    try:
        return column.to_numpy(zero_copy_only=False)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, TypeError):
        return python_objects(column)


def _check_names(table: pa.Table) -> None:
    names = table.column_names
    if len(set(names)) < len(names):
        doubled = sorted({name for name in names if names.count(name) > 1})
        raise InvalidArgument(
            f"the column name {doubled[0]!r} occurs {names.count(doubled[0])} times, and a dict has each key once: "
            f"rename the columns, or ask for target_type='arrow'"
        )
