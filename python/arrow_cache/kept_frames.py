"""The pandas object of an entry, kept once it was asked for: the next ``get`` costs no conversion.

pandas 3 copies on write, so that every caller gets a shallow copy and can write to it. pandas 2 writes in place, and object columns can
hold things that are changed in place: those are converted each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from . import _core
from .converters import copy_on_write

_MEMO = "pandas"

#: What pandas takes for a frame without its values, about.
_FRAME_BYTES = 1000


def whole_frame(entry: _core.Entry, convert: Callable[[], Any], *, is_decoded: bool = False) -> Any:
    """The pandas object of an entry: kept, or converted and then kept where that is safe and there is room.

    Parameters
    ----------
    entry : capsule
        The entry.
    convert : callable
        Makes the object.
    is_decoded : bool
        Whether what it holds of Arrow's may be a copy, of texts that the entry keeps encoded.
    """
    return _shared(
        _core.memo(entry, _MEMO),
        convert,
        lambda made: _core.set_memo(entry, _MEMO, made, _FRAME_BYTES + copy_on_write.own_bytes(made, with_arrow=is_decoded)),
    )


def result_frame(result: _core.Result, convert: Callable[[], Any]) -> Any:
    """The pandas frame of a kept result, as `whole_frame`."""
    return _shared(
        _core.result_memo(result, _MEMO),
        convert,
        # What pandas holds of Arrow's may be the result's own memory, which is counted, or a simpler form of it.
        lambda made: _core.set_result_memo(result, _MEMO, made, _FRAME_BYTES + copy_on_write.own_bytes(made, with_arrow=True)),
    )


def _shared(kept: Any, convert: Callable[[], Any], keep: Callable[[Any], None]) -> Any:
    if kept is None:
        kept = convert()
        if not _can_be_shared(kept):
            return kept
        keep(kept)
    return kept.copy(deep=False)


def _can_be_shared(data: Any) -> bool:
    if type(data) is pd.DataFrame:
        dtypes = list(data.dtypes)
    elif type(data) is pd.Series:
        dtypes = [data.dtype]
    else:
        return False
    return copy_on_write.is_available() and not data.attrs and all(_is_immutable(dtype) for dtype in dtypes)


def _is_immutable(dtype: Any) -> bool:
    """Whether the values themselves can't be changed in place; what they stand in is copied on write."""
    if isinstance(dtype, pd.CategoricalDtype):
        return dtype.categories is None or bool(dtype.categories.dtype != object)
    return bool(dtype != object)
