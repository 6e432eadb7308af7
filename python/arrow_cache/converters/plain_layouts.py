"""Arrow layouts that pandas and Polars lack, as ones that they have: same values, another encoding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .encoded import storage_of

__all__ = ["contains", "is_exotic", "plain"]


def contains(kind: pa.DataType, test: Callable[[pa.DataType], bool]) -> bool:
    """Whether a type or one inside it passes the test."""
    if test(kind):
        return True
    if isinstance(kind, pa.BaseExtensionType):
        return contains(kind.storage_type, test)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return contains(kind.value_type, test)
    return any(contains(kind.field(position).type, test) for position in range(kind.num_fields))


def is_exotic(kind: pa.DataType) -> bool:
    """Whether pyarrow's way to pandas lacks this type, or (views inside lists) ends the process over it."""
    types = pa.types
    if types.is_union(kind):
        return True
    inside = (types.is_list_view, types.is_large_list_view, types.is_string_view, types.is_binary_view)
    return types.is_nested(kind) and contains(
        kind,
        lambda inner: types.is_run_end_encoded(inner) or types.is_union(inner) or any(test(inner) for test in inside),
    )


def plain(column: pa.ChunkedArray, *, views: bool = False) -> pa.ChunkedArray:
    """The column with run ends decoded, list views as lists, extension types as what they stand for.

    Parameters
    ----------
    views : bool
        Whether string and binary views become plain ones too, which pandas needs to compute over them.
    """
    kind = column.type
    if pa.types.is_run_end_encoded(kind):
        decoded = [pc.run_end_decode(chunk) for chunk in column.chunks]
        return plain(pa.chunked_array(decoded, kind.value_type), views=views)
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name == "arrow.uuid" and not views:
            return column
        stored = storage_of(column)
        return stored.cast(pa.bool_()) if kind.extension_name == "arrow.bool8" else plain(stored, views=views)
    if pa.types.is_dictionary(kind):
        return _without_null_values(column)
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        lists = [_list_of_view(chunk) for chunk in column.chunks]
        column = pa.chunked_array(lists, pa.large_list(kind.value_field))
        kind = column.type
    if views and _without_views(kind) != kind:
        return column.cast(_without_views(kind))
    return column


def _without_null_values(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A dictionary column whose missing values are all missing indices: pandas has no missing category."""
    if not any(chunk.dictionary.null_count for chunk in column.chunks):
        return column
    kind = column.type
    encoded = [chunk.dictionary_decode().dictionary_encode() for chunk in column.chunks]
    shaped = [
        pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary, ordered=kind.ordered) for chunk in encoded
    ]
    return pa.chunked_array(shaped, pa.dictionary(pa.int32(), kind.value_type, kind.ordered))


def _list_of_view(chunk: Any) -> pa.LargeListArray:
    """A list view as a list; pyarrow's own cast leaves the offsets of missing lists out."""
    kind = pa.large_list(chunk.type.value_field)
    missing = chunk.is_null().to_numpy(zero_copy_only=False)
    sizes = np.where(missing, 0, np.asarray(chunk.sizes)).astype(np.int64)
    ends = np.cumsum(sizes)
    starts = np.asarray(chunk.offsets)[: len(chunk)].astype(np.int64)
    positions = np.repeat(starts - (ends - sizes), sizes) + np.arange(sizes.sum())
    offsets = pa.array(np.concatenate([[0], ends]))
    try:
        values = chunk.values.take(pa.array(positions))
    except pa.ArrowNotImplementedError:  # views inside
        return pa.array(chunk.to_pylist(), kind)
    return pa.LargeListArray.from_arrays(offsets, values, type=kind, mask=pa.array(missing))


def _without_views(kind: pa.DataType) -> pa.DataType:
    """The type with plain strings and bytes for views, also inside lists."""
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary_view(kind):
        return pa.large_binary()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = kind.value_field.with_type(_without_views(kind.value_type))
        return pa.list_(inner) if pa.types.is_list(kind) else pa.large_list(inner)
    return kind
