"""A small number for each row, kept beside the table where Arrow has no place for it.

Used where rows differ in something that the column's type cannot say: which of None, NaN and NA a missing value was, how
many digits a Decimal was written with, which keys a dict had. Such columns are rare, the numbers compress well, and a
slice finds its own by the row it starts at.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np

__all__ = ["pack", "unpack"]


def pack(codes: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Integers, one for each row of the whole entry, as JSON."""
    peak = max(abs(int(codes.min())), abs(int(codes.max()))) if len(codes) else 0
    dtype = next((name for name in ("<i1", "<i2", "<i4") if peak <= np.iinfo(name).max), "<i8")
    data = zlib.compress(codes.astype(dtype).tobytes(), 1)
    return {"dtype": dtype, "data": base64.b64encode(data).decode()}


def unpack(packed: dict[str, Any], offset: int, count: int) -> np.ndarray[Any, Any]:
    """The codes of ``count`` rows from row ``offset``."""
    codes = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), dtype=packed["dtype"])
    return codes[offset : offset + count]
