"""Anything that a user may put, as an Arrow stream: who takes it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd

from ..errors import UnsupportedTypeError
from . import arrow_in, files, pandas_in, polars_frames
from .incoming import Incoming

__all__ = ["to_arrow"]

_TAKEN = (
    "pandas.DataFrame, Series or Index, GeoDataFrame, Polars DataFrame, LazyFrame or Series, pyarrow Table, RecordBatch, "
    "RecordBatchReader or Dataset, anything with __arrow_c_stream__ or __arrow_c_array__, and paths or URLs of "
    "Parquet, Feather, Arrow IPC, CSV or JSON-lines files"
)


def to_arrow(data: Any, *, preserve_index: bool = True, most_bytes: int | None = None) -> Incoming:
    """Turn what a user has into an Arrow stream, with what is needed to give the same back.

    Parameters
    ----------
    data : object
        A frame, a table, or the path or URL of files, or a list of such.
    preserve_index : bool, default True
        Whether the row index of pandas data comes back; else the rows are numbered from 0.
    most_bytes : int, optional
        New memory up to which a frame of pandas is converted whole; a larger one is converted while the stream is read, in pieces.
        Default: however large.

    Returns
    -------
    Incoming
        The stream, its kind, and which columns the engine must copy.

    Raises
    ------
    UnsupportedTypeError
        Not a table, or a column has no form in Arrow from which it would come back as it was. The message names the
        column and what to do.
    StorageError
        A file that is not there or cannot be read.

    Examples
    --------
    >>> to_arrow(pd.DataFrame({"a": [1, 2]})).kind
    'pandas'
    """
    if isinstance(data, (str, os.PathLike)):
        return files.from_files(data)
    if isinstance(data, pd.DataFrame):
        return _from_frame(data, preserve_index, most_bytes)
    if isinstance(data, pd.Series):
        return _from_series(data, preserve_index, most_bytes)
    if isinstance(data, pd.Index):
        return pandas_in.from_index(data)
    if polars_frames.is_polars(data):
        return polars_frames.from_polars(data)
    if isinstance(data, (list, tuple)) and data and all(isinstance(item, (str, os.PathLike)) for item in data):
        return files.from_files(*data)
    incoming = arrow_in.from_arrow_data(data)
    if incoming is not None:
        return incoming
    raise UnsupportedTypeError(f"{_describe(data)} is no table{_remedy(data)}. Taken are {_TAKEN}")


def _from_frame(frame: Any, preserve_index: bool, most_bytes: int | None) -> Incoming:
    if type(frame).__module__.startswith("geopandas.") and type(frame).__name__ == "GeoDataFrame":
        active = frame._geometry_column_name
        return pandas_in.from_frame(
            frame, preserve_index=preserve_index, kind="geopandas", geometry=active, most_bytes=most_bytes
        )
    pandas_in.refuse_subclass(frame, pd.DataFrame)
    return pandas_in.from_frame(frame, preserve_index=preserve_index, most_bytes=most_bytes)


def _from_series(series: Any, preserve_index: bool, most_bytes: int | None) -> Incoming:
    if type(series).__module__.startswith("geopandas.") and type(series).__name__ == "GeoSeries":
        return pandas_in.from_series(
            series, preserve_index=preserve_index, kind="geopandas_series", most_bytes=most_bytes
        )
    pandas_in.refuse_subclass(series, pd.Series)
    return pandas_in.from_series(series, preserve_index=preserve_index, most_bytes=most_bytes)


def _describe(data: Any) -> str:
    kind = type(data)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"{name} of shape {data.shape}" if isinstance(data, np.ndarray) else name


def _remedy(data: Any) -> str:
    if isinstance(data, np.ndarray):
        return ": name its columns, for example pd.DataFrame(array, columns=['a', 'b'])"
    if isinstance(data, (dict, list, tuple)):
        return ": make it one with pd.DataFrame(data) or pa.table(data)"
    return ""
