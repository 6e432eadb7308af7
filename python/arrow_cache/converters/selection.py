"""Which columns of an entry ``get(columns=...)`` means."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..errors import InvalidArgument
from . import facts, pandas_out, row_indexes

__all__ = ["select_columns"]


def select_columns(schema: pa.Schema, wanted: Sequence[Any], kind: str) -> list[int]:
    """The positions of the columns that ``wanted`` names, in that order, those of a pandas index after them.

    Parameters
    ----------
    schema : pyarrow.Schema
        The entry's, with the metadata that `to_arrow` wrote.
    wanted : sequence of labels
        For an entry from pandas what ``df[wanted]`` takes: labels of any type, tuples, the first level of several; or
        names as SQL has them. For others, column names.
    kind : str
        The entry's kind, from `to_arrow`.

    Raises
    ------
    InvalidArgument
        A column is not there; the message has the nearest and the known ones.
    """
    wanted = list(wanted)
    found = facts.read(schema) if kind in ("pandas", "geopandas") else None
    if found is None or "labels" not in found:
        return [position for name in wanted for position in _by_name(schema, name)]
    names = [name for name, _ in found["columns"]]
    labels = pandas_out.label_index(found, list(range(len(names))))
    positions = _by_labels(labels, names, wanted)
    first = {name: position for position, name in reversed(list(enumerate(schema.names)))}
    chosen = [first[names[position]] for position in positions]
    return chosen + [first[name] for name in row_indexes.names_of(found["index"])]


def _by_labels(labels: Any, names: list[str], wanted: list[Any]) -> list[int]:
    """Positions as pandas itself finds them, in a frame that holds its own column numbers."""
    probe = pd.DataFrame(np.arange(len(labels)).reshape(1, -1), columns=labels)
    if not wanted:
        return []
    for keys in (wanted, pd.Index(wanted, dtype=object, tupleize_cols=False)):
        try:
            return [int(position) for position in probe[keys].iloc[0]]
        except (KeyError, TypeError, ValueError):
            continue
    if all(name in names for name in wanted):
        return [names.index(name) for name in wanted]
    for label in wanted:
        try:
            probe[[label]]
        except (KeyError, TypeError, ValueError):
            if label not in names:
                raise _unknown(label, [str(known) for known in labels]) from None
    raise InvalidArgument(f"columns={wanted!r} mixes labels of the frame and names of SQL: use one of the two")


def _by_name(schema: pa.Schema, name: Any) -> list[int]:
    positions: list[int] = schema.get_all_field_indices(name) if isinstance(name, str) else []
    if not positions:
        raise _unknown(name, schema.names)
    return positions


def _unknown(label: Any, known: list[str]) -> InvalidArgument:
    nearest = difflib.get_close_matches(str(label), known, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    shown = ", ".join(map(repr, known[:10])) + (f" and {len(known) - 10} more" if len(known) > 10 else "")
    return InvalidArgument(f"no column {label!r}: {hint}The columns are {shown or 'none'}")
