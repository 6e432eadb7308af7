"""Lists and dicts whose insides have no one Arrow type, as JSON text: what comes from web APIs and document stores.

Only what JSON brings back exactly is taken: dicts with text keys, lists, text, integers, finite floats, booleans, None.
SQL sees the type JSON, into which DuckDB's ``->`` and ``->>`` reach.
"""

from __future__ import annotations

import json
import math
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from .encoded import Encoded, extension, storage_of
from .object_kinds import Objects

__all__ = ["decode", "encode"]

_MAX_DEPTH = 500


def encode(values: Objects, kind: type) -> Encoded | None:
    """Turn containers of one type, and missing values, into JSON text; None if it would not bring them back."""
    rows = [value if type(value) is kind else None for value in values]
    if kind not in (list, dict) or not _is_exact(rows):
        return None
    texts = [None if row is None else json.dumps(row, separators=(",", ":")) for row in rows]
    return Encoded(pa.array(texts, pa.string()), {"of": "json"}, metadata=extension("arrow.json"))


def _is_exact(level: list[Any]) -> bool:
    """Whether all that is inside is of JSON's own types; looked at level by level, so that depth is bounded."""
    for _ in range(_MAX_DEPTH):
        types = set(map(type, level))
        if not types <= {str, int, bool, float, type(None), list, dict}:
            return False
        if float in types and not all(math.isfinite(value) for value in level if type(value) is float):
            return False
        dicts = [value for value in level if type(value) is dict]
        if not all(type(key) is str for key in chain.from_iterable(dicts)):
            return False
        level = list(chain.from_iterable(value for value in level if type(value) is list))
        level.extend(chain.from_iterable(value.values() for value in dicts))
        if not level:
            return True
    return False


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Objects:
    """The containers that `encode` got; what stands at nulls is None."""
    objects: Objects = np.empty(len(column), dtype=object)
    objects[:] = [None if text is None else json.loads(text) for text in storage_of(column).to_pylist()]
    return objects
