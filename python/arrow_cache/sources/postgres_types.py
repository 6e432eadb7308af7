"""The Arrow types of PostgreSQL's own, by the object identifiers that its catalogue fixes."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

__all__ = ["declared_type"]

_NUMERIC = 1700
_BY_OID: dict[int, pa.DataType] = {
    16: pa.bool_(),
    17: pa.binary(),
    18: pa.string(),  # "char"
    19: pa.string(),  # name
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    25: pa.string(),
    26: pa.int64(),  # oid
    114: pa.string(),  # json
    700: pa.float64(),
    701: pa.float64(),
    1042: pa.string(),  # bpchar
    1043: pa.string(),  # varchar
    1082: pa.date32(),
    1083: pa.time64("us"),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
    3802: pa.string(),  # jsonb
}


def declared_type(column: Any) -> pa.DataType | None:
    """The type of a column of psycopg's ``cursor.description``; None where the values must tell."""
    if column.type_code == _NUMERIC and column.precision is not None and column.precision <= 38 and 0 <= (column.scale or 0) <= column.precision:
        return pa.decimal128(column.precision, column.scale or 0)
    return _BY_OID.get(column.type_code)
