"""numpy arrays over the cache's own buffers, for frames that copy a column when it is first written to.

pandas 3 copies a block before writing if another block refers to the same data. A *lease* is the owner of the memory
that such an array shows; it holds a second, empty block that refers to the data for as long as any view of the memory
lives. So a frame of any size is handed out at once, and a write to it changes neither the cache nor fails on memory that
is read-only.

pandas 2 writes in place, and gets copies. So does any pandas whose internals do not behave this way: that is tried once.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

__all__ = ["guard", "is_available", "lend", "own_bytes"]


class _Lease:
    """Owner of a piece of memory that numpy arrays show: keeps the Arrow buffers and the second reference."""

    __slots__ = ("__array_interface__", "__weakref__", "buffers", "second_block")

    def __init__(self, address: int, count: int, dtype: np.dtype[Any], buffers: list[pa.Buffer]) -> None:
        self.__array_interface__ = {"shape": (count,), "typestr": dtype.str, "data": (address, True), "version": 3}
        self.buffers = buffers
        self.second_block: Any = None


def lend(column: pa.ChunkedArray, dtype: np.dtype[Any]) -> np.ndarray[Any, Any] | None:
    """A read-only array over the buffers of a column; None where its values are not all there in one piece, as they are."""
    if column.null_count or not len(column) or column.type != pa.from_numpy_dtype(dtype):
        return None
    buffers: list[pa.Buffer] = []
    start = end = 0
    for chunk in column.chunks:
        if not len(chunk):
            continue
        buffer = chunk.buffers()[1]
        address = buffer.address + chunk.offset * dtype.itemsize
        if buffers and address != end:
            return None
        start = start if buffers else address
        end = address + len(chunk) * dtype.itemsize
        buffers.append(buffer)
    if start % dtype.itemsize:
        return None
    return np.asarray(_Lease(start, len(column), dtype, buffers))


def guard(data: Any) -> Any:
    """Make a Series or DataFrame copy what it borrows by `lend` before it is written to; gives it back."""
    for block in data._mgr.blocks:
        lease = getattr(block.values, "_ndarray", block.values)
        while isinstance(lease, np.ndarray):
            lease = lease.base
        if isinstance(lease, _Lease) and lease.second_block is None:
            empty = block.values[..., :0].copy()
            lease.second_block = type(block)(empty, placement=block.mgr_locs, ndim=block.ndim, refs=block.refs)
    return data


def own_bytes(data: Any, *, with_arrow: bool = False) -> int:
    """Bytes that a Series or DataFrame holds beside what it borrows by `lend` and, unless ``with_arrow``, what Arrow holds; the index included."""
    total = 0 if isinstance(data.index, pd.RangeIndex) else int(data.index.memory_usage(deep=True))
    for block in data._mgr.blocks:
        values = block.values
        if isinstance(values, pd.arrays.ArrowExtensionArray):
            total += int(values.nbytes) if with_arrow else 0
            continue
        owner = getattr(values, "_ndarray", values)
        while isinstance(owner, np.ndarray) and owner.base is not None:
            owner = owner.base
        if not isinstance(owner, _Lease):
            total += int(values.nbytes)
    return total


@functools.cache
def is_available() -> bool:
    """Whether this pandas copies on write as described; tried on a small frame, in every way that writes in place."""
    if int(pd.__version__.partition(".")[0]) < 3:
        return False
    column = pa.chunked_array([pa.array([1, 2, 3])])
    try:
        for write in (_write_cell, _write_rows, _write_column):
            frame = guard(pd.DataFrame({0: lend(column, np.dtype(np.int64))}, copy=False))
            if not np.shares_memory(frame[0].to_numpy(), column.chunk(0).to_numpy()):
                return False
            write(frame)
            series = frame[0].copy(deep=False)
            series.iloc[0] = 9
            if frame[0].tolist() != [7, 2, 3] or series.tolist() != [9, 2, 3] or column.to_pylist() != [1, 2, 3]:
                return False
    except (AttributeError, TypeError, ValueError):
        return False
    return True


def _write_cell(frame: Any) -> None:
    frame.iloc[0, 0] = 7


def _write_rows(frame: Any) -> None:
    frame.loc[frame[0] == 1, 0] = 7


def _write_column(frame: Any) -> None:
    frame.replace(1, 7, inplace=True)
