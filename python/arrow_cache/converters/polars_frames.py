"""Polars on its way in and out: without a copy where its types are Arrow's."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ..errors import UnsupportedTypeError
from . import facts, values
from .incoming import Incoming
from .plain_layouts import contains, plain

__all__ = ["from_polars", "is_polars", "to_polars"]


def is_polars(data: Any) -> bool:
    """Whether ``data`` is a DataFrame, LazyFrame or Series of Polars; without importing it."""
    return type(data).__module__.partition(".")[0] == "polars" and type(data).__name__ in _NAMES


_NAMES = ("DataFrame", "LazyFrame", "Series")


def from_polars(data: Any) -> Incoming:
    """Take a DataFrame, a LazyFrame (collected) or a Series.

    Polars may show memory of a numpy array that the caller can still write to, in columns of fixed width: those are
    copied by the engine. Text and nested columns are Polars' own and are shared.

    Raises
    ------
    UnsupportedTypeError
        A column has a type without a form in Arrow: ``Object``, 128-bit integers.
    """
    kind = "polars"
    metadata: dict[bytes, bytes] = {}
    if type(data).__name__ == "LazyFrame":
        data = data.collect()
    if type(data).__name__ == "Series":
        kind = "polars_series"
        metadata = facts.write({"name": values.to_json(data.name, "the name of the series")})
        data = data.to_frame(data.name or "value")
    _check_types(data)
    table = pa.table(data)
    if metadata:
        table = table.replace_schema_metadata(metadata)
    copy = [position for position, field in enumerate(table.schema) if _may_be_borrowed(field.type)]
    return Incoming(table, kind, copy)


def _may_be_borrowed(kind: pa.DataType) -> bool:
    if pa.types.is_fixed_size_list(kind):
        return _may_be_borrowed(kind.value_type)
    return pa.types.is_primitive(kind) and not pa.types.is_boolean(kind)


def _check_types(frame: Any) -> None:
    for name, dtype in frame.schema.items():
        text = str(dtype)
        if "Object" in text or "Int128" in text:
            remedy = "pl.Decimal(38, 0)" if "Int128" in text else "pl.String"
            raise UnsupportedTypeError(
                f"column {name!r} is of the Polars type {text}, which Arrow cannot hold: "
                f"cast it, for example with pl.col({name!r}).cast({remedy})"
            )


def to_polars(table: pa.Table, kind: str = "arrow") -> Any:
    """A Polars DataFrame over the table's buffers; a Series if a Polars Series was put.

    Raises
    ------
    UnsupportedTypeError
        A column has a type that Polars lacks.
    """
    try:
        import polars as pl
    except ImportError as error:
        raise UnsupportedTypeError("target_type='polars' needs Polars: pip install polars") from error
    columns = [_for_polars(name, column) for name, column in zip(table.column_names, table.columns, strict=True)]
    if len(set(table.column_names)) < len(columns):
        raise UnsupportedTypeError(
            "Polars has no duplicate column names: rename them in SQL, or ask for target_type='arrow'"
        )
    fields = [field.with_type(column.type) for field, column in zip(table.schema, columns, strict=True)]
    shaped = pa.Table.from_arrays(columns, schema=pa.schema(fields))
    try:
        frame: Any = pl.from_arrow(shaped, rechunk=False)
    except pl.exceptions.PolarsError as error:
        raise UnsupportedTypeError(f"Polars cannot take the table: {error}") from error
    if kind != "polars_series":
        return frame
    found = facts.read(table.schema)
    name = values.from_json(found["name"]) if found else table.column_names[0]
    return frame.to_series().alias(name)


def _for_polars(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    views = isinstance(column.type, pa.BaseExtensionType) and column.type.extension_name == "arrow.uuid"
    column = plain(column, views=views)
    kind = column.type
    if pa.types.is_dictionary(kind) and not _is_text(kind.value_type):
        decoded = [chunk.dictionary_decode() for chunk in column.chunks]
        return _for_polars(name, pa.chunked_array(decoded, kind.value_type))
    if pa.types.is_timestamp(kind) and kind.tz is not None and kind.tz[:1] in ("+", "-"):
        return column.cast(pa.timestamp(kind.unit, "UTC"))  # Polars has no zones by offset
    if pa.types.is_fixed_size_list(kind):
        column = pa.chunked_array([_at_start(chunk) for chunk in column.chunks], kind)
    if contains(kind, _is_foreign):
        raise UnsupportedTypeError(
            f"column {name!r} is {kind}, which Polars lacks: cast it in SQL, or ask for target_type='arrow'"
        )
    return column


def _at_start(chunk: Any) -> Any:
    """The array in buffers of its own if it is a cut one with nulls: Polars reads those at the wrong place."""
    return pa.concat_arrays([chunk, chunk.slice(0, 0)]) if chunk.offset and chunk.null_count else chunk


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_foreign(kind: pa.DataType) -> bool:
    types = pa.types
    lacking = (types.is_decimal256, types.is_union, types.is_interval, types.is_run_end_encoded)
    return any(test(kind) for test in (*lacking, types.is_list_view, types.is_large_list_view))
