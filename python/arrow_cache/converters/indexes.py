"""A pandas Index as JSON and back: column labels, categories, levels. Small ones; row indexes are Arrow columns."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from . import columns, frequencies, row_codes, string_columns, values

__all__ = ["build", "extras", "from_json", "to_json"]


def extras(index: Any, where: str) -> dict[str, Any]:
    """What an index has beside its values: its name, its frequency, or that it is a range."""
    facts: dict[str, Any] = {}
    if index.name is not None:
        facts["name"] = values.to_json(index.name, f"the name of {where}")
    if getattr(index, "freq", None) is not None and not isinstance(index, pd.PeriodIndex):
        facts["freq"] = frequencies.to_json(index.freq, where)
    if isinstance(index, pd.RangeIndex):
        facts["range"] = [index.start, index.stop, index.step]
    return facts


def build(array: Any, facts: dict[str, Any]) -> Any:
    """An index of its values and of what `extras` said."""
    name = values.from_json(facts.get("name"))
    if "range" in facts:
        start, stop, step = facts["range"]
        return pd.RangeIndex(start, stop, step, name=name)
    index: Any = pd.Index(array, dtype=array.dtype, name=name, copy=False)
    return frequencies.set_frequency(index, frequencies.from_json(facts.get("freq")))


def to_json(index: Any, where: str) -> dict[str, Any]:
    """The whole index as JSON.

    Raises
    ------
    UnsupportedTypeError
        A label is of a kind that cannot be stored.
    """
    if isinstance(index, pd.MultiIndex):
        return {
            "levels": [to_json(level, where) for level in index.levels],
            "codes": [row_codes.pack(np.asarray(codes)) for codes in index.codes],
            "names": [values.to_json(name, f"the name of {where}") for name in index.names],
            "rows": len(index),
        }
    facts = extras(index, where)
    if "range" in facts:
        return facts
    if index.dtype == object:
        facts["values"] = [values.to_json(label, f"a label of {where}") for label in index]
    elif isinstance(index.dtype, pd.StringDtype):
        facts["text"] = [None if missing else str(text) for text, missing in zip(index, index.isna(), strict=True)]
        facts["of"] = string_columns.dtype_to_fact(index.dtype)
    else:
        encoded = columns.encode(index.array, where)
        facts["of"] = encoded.fact
        facts["arrow"] = _to_base64(encoded.array)
    return facts


def from_json(facts: dict[str, Any]) -> Any:
    """The index that `to_json` turned into ``facts``."""
    if "levels" in facts:
        codes: list[Any] = [row_codes.unpack(packed, 0, facts["rows"]) for packed in facts["codes"]]
        return pd.MultiIndex(
            levels=[from_json(level) for level in facts["levels"]],
            codes=codes,
            names=[values.from_json(name) for name in facts["names"]],
            verify_integrity=False,
        )
    if "range" in facts:
        return build(None, facts)
    if "values" in facts:
        labels = np.empty(len(facts["values"]), dtype=object)
        labels[:] = [values.from_json(label) for label in facts["values"]]
        return build(labels, facts)
    if "text" in facts:
        return build(pd.array(facts["text"], dtype=string_columns.dtype_from_fact(facts["of"])), facts)
    return build(columns.decode(_from_base64(facts["arrow"]), facts["of"], 0), facts)


def _to_base64(array: pa.Array | pa.ChunkedArray) -> str:
    table = pa.table({"values": array})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return base64.b64encode(sink.getvalue()).decode()


def _from_base64(text: str) -> pa.ChunkedArray:
    with pa.ipc.open_stream(base64.b64decode(text)) as reader:
        return reader.read_all().column(0)
