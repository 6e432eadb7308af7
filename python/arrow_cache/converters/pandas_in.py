"""DataFrame, Series and Index of pandas (and GeoPandas) on their way in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd
import pyarrow as pa

from ..errors import UnsupportedTypeError
from . import columns, facts, labels, pandas_metadata, row_indexes, values
from .deferred import Deferred, RowChunks, byte_estimate
from .encoded import Encoded
from .incoming import Incoming

__all__ = ["from_frame", "from_index", "from_series", "refuse_subclass"]


def from_frame(
    frame: Any, *, preserve_index: bool = True, kind: str = "pandas", geometry: Any = None, most_bytes: int | None = None
) -> Incoming:
    """Turn a DataFrame into a table, one column at a time, without a copy where Arrow allows.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of any index, labels and dtypes.
    preserve_index : bool
        Whether the row index comes back; else the rows are numbered.
    kind : str
        ``"geopandas"`` for a GeoDataFrame.
    geometry : label, optional
        Its active geometry column.
    most_bytes : int, optional
        New memory up to which columns are converted whole. Beyond it they are converted as the stream is read, an eighth of that at a time.
    """
    names = labels.unique_names(frame.columns)
    arrays = [frame.iloc[:, position].array for position in range(len(names))]
    wheres = [f"column {label!r}" for label in frame.columns]
    row_index = frame.index if preserve_index else pd.RangeIndex(len(frame))
    deferring = _is_large([*arrays, row_index], most_bytes)
    data = list(zip(names, _encode_all(arrays, wheres, len(frame), deferring), strict=True))
    index, index_fact = row_indexes.encode(row_index, names, materialise=not names, deferring=deferring)
    kept: dict[str, Any] = {
        "columns": [[name, encoded.fact] for name, encoded in data],
        "labels": labels.encode(frame.columns, names),
        "index": index_fact,
    }
    if kind == "geopandas":
        kept["geometry"] = values.to_json(geometry, "the name of the active geometry")
    _keep_extras(frame, kept)
    metadata = {**pandas_metadata.write(frame, data, index, index_fact), **facts.write(kept)}
    return _incoming([*data, *index], metadata, kind, most_bytes)


def from_series(
    series: Any, *, preserve_index: bool = True, kind: str = "pandas_series", most_bytes: int | None = None
) -> Incoming:
    """Turn a Series into a table of one column; unnamed, SQL calls it ``value``."""
    [name] = labels.unique_names(["value" if series.name is None else series.name])
    row_index = series.index if preserve_index else pd.RangeIndex(len(series))
    deferring = _is_large([series.array, row_index], most_bytes)
    encoded = columns.encode(series.array, f"the series {series.name!r}", deferring=deferring)
    index, index_fact = row_indexes.encode(row_index, [name], materialise=False, deferring=deferring)
    kept: dict[str, Any] = {
        "columns": [[name, encoded.fact]],
        "name": values.to_json(series.name, "the name of the series"),
        "index": index_fact,
    }
    _keep_extras(series, kept)
    return _incoming([(name, encoded), *index], facts.write(kept), kind, most_bytes)


def from_index(index: Any) -> Incoming:
    """Turn an Index into a table of a column for each level; unnamed, SQL calls it ``__index_level_0__``."""
    encoded, index_fact = row_indexes.encode(index, (), materialise=True)
    return _incoming(encoded, facts.write({"columns": [], "index": index_fact}), "pandas_index")


def _is_large(arrays: list[Any], most_bytes: int | None) -> bool:
    """Whether converting these would take more than `most_bytes` of new memory."""
    if most_bytes is None:
        return False
    needed = 0
    for array in arrays:
        if isinstance(array, pd.RangeIndex | pd.MultiIndex):
            continue
        needed += byte_estimate(array.array if isinstance(array, pd.Index) else array)
        if needed > most_bytes:
            return True
    return False


def _encode_all(arrays: list[Any], wheres: list[str], rows: int, deferring: bool) -> list[Encoded]:
    """Each column's encoding; in threads what pyarrow converts outside the GIL, if there is enough of it."""
    parallel = [position for position, array in enumerate(arrays) if array.dtype != object]
    workers = min(os.cpu_count() or 1, len(parallel))
    if workers < 2 or rows <= 100 * len(arrays):
        return [columns.encode(array, where, deferring=deferring) for array, where in zip(arrays, wheres, strict=True)]
    with ThreadPoolExecutor(workers) as pool:
        started = {
            position: pool.submit(columns.encode, arrays[position], wheres[position], deferring=deferring)
            for position in parallel
        }
        return [
            started[position].result() if position in started else columns.encode(array, wheres[position], deferring=deferring)
            for position, array in enumerate(arrays)
        ]


def _keep_extras(data: Any, kept: dict[str, Any]) -> None:
    if data.attrs:
        kept["attrs"] = {"$": "dict", "v": []}
        for key, item in data.attrs.items():
            pair = [values.to_json(key, "a key of .attrs"), values.to_json(item, f".attrs[{key!r}]")]
            kept["attrs"]["v"].append(pair)
    if not data.flags.allows_duplicate_labels:
        kept["unique_labels"] = True


def _incoming(
    made: Sequence[tuple[str, Encoded]], metadata: dict[bytes, bytes], kind: str, most_bytes: int | None = None
) -> Incoming:
    fields = [pa.field(name, encoded.array.type, metadata=encoded.metadata) for name, encoded in made]
    schema, arrays = pa.schema(fields, metadata=metadata), [encoded.array for _, encoded in made]
    aliased = [position for position, (_, encoded) in enumerate(made) if encoded.aliased]
    if most_bytes is not None and any(isinstance(array, Deferred) for array in arrays):
        return Incoming(RowChunks(schema, arrays, max(1, most_bytes // 8)), kind, aliased)
    return Incoming(pa.Table.from_arrays(arrays, schema=schema), kind, aliased)


def refuse_subclass(data: Any, plain: type) -> None:
    """Refuse a subclass, whose own attributes and behaviour would be lost on the way."""
    if type(data) is not plain:
        name = f"{type(data).__module__}.{type(data).__qualname__}"
        raise UnsupportedTypeError(
            f"{name} is a subclass of {plain.__name__}, which would come back as a plain one: "
            f"put pd.{plain.__name__}(data) and keep what the subclass adds yourself"
        )
