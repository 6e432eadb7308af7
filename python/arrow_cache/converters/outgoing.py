"""Entries and query results in the form that was asked for."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from . import arrow_to_pandas, facts, geo_frames, pandas_out, plain_values, results
from .plain_layouts import plain
from .polars_frames import to_polars
from .targets import default_target, normalise_target

__all__ = ["from_arrow", "from_result"]


def from_arrow(table: pa.Table, target: str | None, kind: str, *, offset: int = 0) -> Any:
    """Give rows of an entry back.

    Parameters
    ----------
    table : pyarrow.Table
        All of the entry, or a row range, or some of its columns, with the schema metadata that `to_arrow` wrote.
    target : str or None
        One of `target_kinds` or an alias; None for what was put.
    kind : str
        The entry's kind, from `to_arrow`.
    offset : int
        The position of the table's first row in the entry.

    Raises
    ------
    InvalidArgument
        An unknown target, or one that needs geometry where there is none.
    UnsupportedTypeError
        The target has no type for a column, or its package is not installed.
    """
    target = normalise_target(default_target(kind) if target is None else target)
    found = facts.read(table.schema) if kind.startswith(("pandas", "geopandas")) else None
    if target == "pandas":
        return _to_pandas(table, found, kind, offset)
    if target == "geopandas":
        return _to_geopandas(table, found, kind, offset)
    if target == "pandas_arrow" and found is not None:
        return _over_arrow(table, found, kind, offset)
    if target == "numpy" and found is not None and kind.endswith(("_series", "_index")):
        return _to_pandas(table, found, kind, offset).to_numpy()
    return _convert(table, target, kind, found, offset)


def from_result(table: pa.Table, target: str) -> Any:
    """Give a query result in the form asked for, with names as DuckDB's client gives them; see `from_arrow`."""
    target = normalise_target(target)
    if target in ("pandas", "pandas_arrow", "polars", "numpy", "dict", "geopandas"):
        table = results.named_apart(results.simplify(table))
    if target == "pandas":
        return arrow_to_pandas.to_frame(table)
    if target == "geopandas":
        return geo_frames.to_geo_frame(table)
    return _convert(table, target, "arrow", None, 0)


def _convert(table: pa.Table, target: str, kind: str, found: dict[str, Any] | None, offset: int) -> Any:
    if target == "arrow":
        return table
    if target == "reader":
        return table.to_reader()
    if target == "capsule":
        return table.__arrow_c_stream__()
    if target == "polars":
        return to_polars(table, kind)
    if target == "numpy":
        return plain_values.to_numpy(table, found, offset)
    if target == "dict":
        return plain_values.to_dict(table)
    return arrow_to_pandas.frame_over_arrow(table, offset)


def _to_pandas(table: pa.Table, found: dict[str, Any] | None, kind: str, offset: int) -> Any:
    if found is None:
        if kind == "geopandas":
            return pd.DataFrame(geo_frames.to_geo_frame(table, offset))
        return arrow_to_pandas.to_frame(table, offset)
    if kind == "pandas_index":
        return pandas_out.decode_index(table, found, offset)
    if kind.endswith("_series"):
        return pandas_out.decode_series(table, found, offset)
    return pandas_out.decode_frame(table, found, offset)


def _to_geopandas(table: pa.Table, found: dict[str, Any] | None, kind: str, offset: int) -> Any:
    if found is None:
        return geo_frames.to_geo_frame(table, offset)
    if kind == "geopandas_series":
        series = pandas_out.decode_series(table, found, offset)
        series.__class__ = geo_frames.geopandas().GeoSeries
        return series
    if kind in ("pandas_series", "pandas_index"):
        return geo_frames.to_geo_frame(table, offset)
    return geo_frames.from_decoded(table, found, offset)


def _over_arrow(table: pa.Table, found: dict[str, Any], kind: str, offset: int) -> Any:
    """Data columns as Arrow's own, under the labels and index that were put."""
    index = pandas_out.decode_index(table, found, offset)
    if kind == "pandas_index":
        return index
    positions, chosen = pandas_out.data_columns(table, found)
    arrays = [pd.arrays.ArrowExtensionArray(plain(column, views=True)) for column in chosen]
    if kind.endswith("_series"):
        return pd.Series(arrays[0], index=index, name=pandas_out.series_name(found))
    return pandas_out.frame_of(arrays, index, pandas_out.label_index(found, positions))
