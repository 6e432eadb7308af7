"""Decimals and integers that a fixed-point column cannot say alone.

Decimals written with different numbers of digits (``1.5`` beside ``1.50``) are one DECIMAL column and a number for each
row that says how it was written. What no DECIMAL holds (infinities, exponents, more than 38 digits) is kept as its text.
"""

from __future__ import annotations

import decimal
from typing import Any

import numpy as np
import pyarrow as pa

from . import row_codes
from .encoded import Encoded
from .object_kinds import NoArrowType, Objects, exponents

__all__ = ["TYPES", "decode", "encode"]

_EXACT = decimal.Context(prec=100)
TYPES: dict[str, Any] = {"int": int, "Decimal": decimal.Decimal}


def encode(values: Objects, kind: type) -> Encoded:
    """Turn integers or Decimals, and missing values, into Arrow."""
    if kind is decimal.Decimal:
        present = np.fromiter((type(value) is kind for value in values), bool, len(values))
        try:
            scales, whole = exponents(values[present])
        except NoArrowType:
            return _encode_text(values, kind)
        if whole + max(scales) <= 38:
            codes = np.zeros(len(values), dtype=np.int16)
            codes[present] = scales
            array = pa.array(values, pa.decimal128(whole + max(scales), max(scales)), from_pandas=True)
            return Encoded(array, {"of": "written", "scales": row_codes.pack(codes)})
    return _encode_text(values, kind)


def _encode_text(values: Objects, kind: type) -> Encoded:
    texts = [str(value) if type(value) is kind else None for value in values]
    return Encoded(pa.array(texts, pa.string()), {"of": "written", "type": kind.__name__})


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Objects:
    """The numbers that `encode` got; what stands at nulls is None."""
    if "type" in fact:
        build = TYPES[fact["type"]]
        objects: Objects = np.empty(len(column), dtype=object)
        objects[:] = [None if text is None else build(text) for text in column.to_pylist()]
        return objects
    objects = column.to_numpy(zero_copy_only=False)
    scales = row_codes.unpack(fact["scales"], offset, len(column))
    units = {int(scale): decimal.Decimal((0, (1,), -int(scale))) for scale in np.unique(scales)}
    objects[:] = [
        None if value is None else value.quantize(units[scale], context=_EXACT)
        for value, scale in zip(objects, scales.tolist(), strict=True)
    ]
    return objects
