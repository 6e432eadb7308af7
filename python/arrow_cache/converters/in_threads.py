"""Columns converted side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["convert_all"]

#: Below this many values starting threads costs more than it saves.
_PARALLEL_VALUES = 1_000_000


def convert_all(convert: Callable[..., Any], row_count: int, *columns: Sequence[Any]) -> list[Any]:
    """``list(map(convert, *columns))``, in threads where there is enough to do: the conversions run outside the GIL."""
    count = len(columns[0])
    workers = min(os.cpu_count() or 1, count)
    if workers > 1 and row_count * count > _PARALLEL_VALUES:
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(convert, *columns))
    return [convert(*one) for one in zip(*columns, strict=True)]
