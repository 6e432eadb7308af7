"""What one column becomes: an Arrow array, and the fact that brings the original back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

__all__ = ["Encoded", "Fact", "extension", "shares_memory", "storage_of"]

#: JSON: the name of a numpy dtype, or an object whose ``"as"`` names the codec that decodes the column.
Fact: TypeAlias = str | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A column as Arrow holds it.

    Attributes
    ----------
    array : pyarrow.Array, pyarrow.ChunkedArray or Deferred
        The values; what SQL sees.
    fact : str or dict
        What `columns.decode` needs beside the array to give the original back.
    aliased : bool
        Whether a buffer may be memory that the caller can still write to.
    metadata : mapping, optional
        Metadata of the Arrow field, such as an extension's name.
    """

    array: Any
    fact: Fact
    aliased: bool = False
    metadata: Mapping[bytes, bytes] | None = None

    def with_fact(self, fact: Fact) -> Encoded:
        """The same array under another fact."""
        return replace(self, fact=fact)


def shares_memory(array: pa.Array | pa.ChunkedArray, source: np.ndarray[Any, Any]) -> bool:
    """Whether a buffer of ``array`` lies inside the memory of ``source``."""
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    low, high = _extent(source)
    return any(buffer is not None and low <= buffer.address < high for chunk in chunks for buffer in chunk.buffers())


def _extent(source: np.ndarray[Any, Any]) -> tuple[int, int]:
    start = int(source.__array_interface__["data"][0])
    steps = [(length - 1) * stride for length, stride in zip(source.shape, source.strides, strict=True) if length]
    low = start + sum(step for step in steps if step < 0)
    return low, start + sum(step for step in steps if step > 0) + source.itemsize


def storage_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The plain array under an extension type that pyarrow knows, or the column itself."""
    if not isinstance(column.type, pa.BaseExtensionType):
        return column
    return pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)


def extension(name: str) -> dict[bytes, bytes]:
    """Field metadata that marks a column as an extension type without parameters."""
    return {b"ARROW:extension:name": name.encode(), b"ARROW:extension:metadata": b""}
