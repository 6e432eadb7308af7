"""Column labels of pandas and the names that Arrow and SQL know the columns by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from . import indexes, string_columns

__all__ = ["decode", "encode", "text_of", "unique_names"]


def text_of(label: Any) -> str:
    """The name of a label in SQL: a text itself, a tuple joined by ``_``, anything else as it prints.

    What a name cannot hold in Arrow (a NUL, half a surrogate pair) is written as its escape.
    """
    if isinstance(label, tuple):
        text = "_".join(part for part in map(text_of, label) if part)
    else:
        text = str(label)
    if "\0" in text:
        text = text.replace("\0", "\\0")
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def unique_names(labels: Iterable[Any], taken: Iterable[str] = ()) -> list[str]:
    """A name for each label, all different: what is taken already gets ``_1``, ``_2`` …"""
    texts = [text_of(label) or f"column_{position}" for position, label in enumerate(labels)]
    used = set(taken)
    if not used and len(set(texts)) == len(texts):
        return texts
    wanted = set(texts)
    names = []
    for text in texts:
        name, number = text, 0
        while name in used or (number and name in wanted):
            number += 1
            name = f"{text}_{number}"
        used.add(name)
        names.append(name)
    return names


def encode(labels: Any, names: list[str]) -> dict[str, Any] | None:
    """What `decode` needs beside the names; plain text labels need their dtype only."""
    if type(labels) is pd.Index and (labels.dtype == object or isinstance(labels.dtype, pd.StringDtype)):
        if all(type(label) is str and label == name for label, name in zip(labels, names, strict=True)):
            plain = indexes.extras(labels, "df.columns")
            if isinstance(labels.dtype, pd.StringDtype):
                plain["of"] = string_columns.dtype_to_fact(labels.dtype)
            return {"plain": plain}
    return indexes.to_json(labels, "df.columns")


def decode(fact: Any, names: list[str]) -> Any:
    """The labels of the whole entry, whose columns have these names."""
    if "plain" not in fact:
        return indexes.from_json(fact)
    plain = fact["plain"]
    if "of" in plain:
        return indexes.build(pd.array(names, dtype=string_columns.dtype_from_fact(plain["of"])), plain)
    labels = np.empty(len(names), dtype=object)
    labels[:] = names
    return indexes.build(labels, plain)
