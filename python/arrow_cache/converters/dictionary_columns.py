"""Categories and levels: codes into a dictionary of distinct values, as Arrow has them too.

SQL sees the values. Where those are no plain Arrow type (intervals, mixed objects, nested categories: DuckDB fails on
some of them) the dictionary holds their text, and the true values are kept beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..errors import UnsupportedTypeError
from . import columns, indexes
from .encoded import Encoded, shares_memory

__all__ = ["decode", "decode_parts", "encode", "encode_parts"]


def encode(values: Any, where: str) -> Encoded:
    """Turn a ``Categorical`` into an Arrow dictionary array."""
    encoded = encode_parts(values.codes, values.categories, where, ordered=bool(values.ordered))
    return encoded.with_fact({**_as_dict(encoded), "as": "category", "ordered": bool(values.ordered)})


def _as_dict(encoded: Encoded) -> dict[str, Any]:
    assert isinstance(encoded.fact, dict)
    return encoded.fact


def encode_parts(codes: Any, values: Any, where: str, *, ordered: bool = False) -> Encoded:
    """Turn codes (-1: missing) into the index ``values`` into an Arrow dictionary array."""
    where = f"the categories of {where}"
    fact: dict[str, Any]
    kept = _plain(values, where)
    if kept is not None:
        fact = {"of": kept.fact, "index": indexes.extras(values, where)}
        if not len(codes):  # a stream without rows has no batch, and so no dictionary
            fact["values"] = indexes.to_json(values, where)
    else:
        fact = {"index": indexes.to_json(values, where)}
        kept = Encoded(_texts(values), "object")
    codes = np.asarray(codes)
    missing = codes < 0
    indices = pa.array(codes, mask=missing if missing.any() else None)
    array = pa.DictionaryArray.from_arrays(indices, kept.array, ordered=ordered, safe=False)
    return Encoded(array, fact, aliased=kept.aliased or shares_memory(indices, codes))


def _plain(values: Any, where: str) -> Encoded | None:
    """The values as a flat Arrow array without nulls, or None."""
    if isinstance(values.dtype, (pd.CategoricalDtype, pd.IntervalDtype)):
        return None
    try:
        encoded = columns.encode(values.array, where)
    except UnsupportedTypeError:
        return None
    array = encoded.array.combine_chunks() if isinstance(encoded.array, pa.ChunkedArray) else encoded.array
    kind = array.type
    nested = pa.types.is_nested(kind) or pa.types.is_null(kind) or pa.types.is_dictionary(kind)
    if nested or array.null_count or isinstance(kind, pa.BaseExtensionType) or encoded.metadata:
        return None
    return Encoded(array, encoded.fact, encoded.aliased)


def _texts(values: Any) -> pa.Array:
    """One distinct text for each value: SQL groups by the text."""
    texts = [str(value) for value in values]
    if len(set(texts)) < len(texts):
        texts = [repr(value) for value in values]
    if len(set(texts)) < len(texts):
        texts = [f"{text} #{position}" for position, text in enumerate(texts)]
    return pa.array([text.encode(errors="backslashreplace").decode() for text in texts], pa.string())


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Any:
    """The ``Categorical`` that `encode` got."""
    codes, categories = decode_parts(column, fact)
    return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(categories, fact["ordered"]), validate=False)


def decode_parts(column: pa.ChunkedArray, fact: dict[str, Any]) -> tuple[np.ndarray[Any, Any], Any]:
    """The codes, in memory of their own, and the index that they point into."""
    chunks = column.chunks
    first = chunks[0].dictionary if chunks else pa.array([], column.type.value_type)
    if any(not chunk.dictionary.equals(first) for chunk in chunks[1:]):
        chunks = column.unify_dictionaries().chunks
        first = chunks[0].dictionary
    indices = pa.chunked_array([chunk.indices for chunk in chunks], column.type.index_type)
    codes = indices.fill_null(-1).to_numpy(zero_copy_only=False)
    if "of" not in fact:
        index = indexes.from_json(fact["index"])
    elif "values" in fact:
        index = indexes.from_json(fact["values"])
    else:
        index = indexes.build(columns.decode(pa.chunked_array([first]), fact["of"], 0), fact["index"])
    return (codes if codes.flags.writeable else codes.copy()), index
