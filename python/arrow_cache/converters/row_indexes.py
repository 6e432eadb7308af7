"""The row index of a frame: a range as three numbers, anything else as columns after the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
import pyarrow as pa

from . import columns, dictionary_columns, indexes, labels, values
from .encoded import Encoded

__all__ = ["decode", "encode", "names_of"]


def encode(
    index: Any, taken: Iterable[str], *, materialise: bool, deferring: bool = False
) -> tuple[list[tuple[str, Encoded]], dict[str, Any]]:
    """Turn a row index into columns and the fact that `decode` needs.

    Parameters
    ----------
    index : pandas.Index
        Of any kind.
    taken : iterable of str
        Names that its columns cannot have.
    materialise : bool
        Whether a range gets a column too: a table needs at least one.
    deferring : bool, default False
        As `columns.encode` takes it.
    """
    if isinstance(index, pd.MultiIndex):
        names = labels.unique_names(_labels(index.names), taken)
        parts = zip(names, index.codes, index.levels, strict=True)
        made = [
            (name, dictionary_columns.encode_parts(codes, level, f"the index level {name!r}"))
            for name, codes, level in parts
        ]
        level_facts = [{"column": name, "of": encoded.fact} for name, encoded in made]
        return made, {"levels": level_facts, "names": [values.to_json(n, "a name of the index") for n in index.names]}
    fact = indexes.extras(index, "the index")
    if "range" in fact and not materialise:
        return [], fact
    [name] = labels.unique_names(_labels(index.names), taken)
    encoded = columns.encode(index.array, "the index", deferring=deferring)
    return [(name, encoded)], {**fact, "column": name, "of": encoded.fact}


def _labels(names: Iterable[Any]) -> list[Any]:
    return [f"__index_level_{level}__" if name is None else name for level, name in enumerate(names)]


def names_of(fact: dict[str, Any]) -> list[str]:
    """The names of the columns that hold the index."""
    if "levels" in fact:
        return [level["column"] for level in fact["levels"]]
    return [fact["column"]] if "column" in fact else []


def decode(fact: dict[str, Any], column_of: Callable[[str], pa.ChunkedArray], offset: int, rows: int) -> Any:
    """The row index of ``rows`` rows from row ``offset``.

    Parameters
    ----------
    column_of : callable
        Gives a column by its name.
    """
    if "range" in fact:
        whole = indexes.build(None, fact)
        return whole if offset == 0 and rows == len(whole) else whole[offset : offset + rows]
    if "levels" in fact:
        parts = [dictionary_columns.decode_parts(column_of(level["column"]), level["of"]) for level in fact["levels"]]
        codes: list[Any] = [codes for codes, _ in parts]
        return pd.MultiIndex(
            levels=[level for _, level in parts],
            codes=codes,
            names=[values.from_json(name) for name in fact["names"]],
            verify_integrity=False,
        )
    array = columns.decode(column_of(fact["column"]), fact["of"], offset)
    return indexes.build(array, fact)
