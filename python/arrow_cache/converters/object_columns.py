"""Columns of Python objects: the only ones whose values have to be looked at.

A column holds values of one Python type and missing ones. The type decides:

1. plain values go into their Arrow type (`object_kinds`), numbers that it cannot say into `written_numbers`;
2. values of numpy and pandas into the column type that they have outside an object column (`boxed_objects`);
3. lists, tuples, sets, dicts and arrays into nested types (`nested_objects`), else into JSON (`json_objects`).

Anything mixed, and any type that is not known, is refused by name.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..errors import UnsupportedTypeError
from . import boxed_objects, json_objects, missing_values, nested_objects, written_numbers
from .deferred import Deferred, converted
from .encoded import Encoded
from .object_kinds import KINDS, NoArrowType, Objects

__all__ = ["decode", "encode"]

_KINDS_BY_NAME = {kind.name: kind for kind in KINDS.values()}
_CODECS: dict[str, ModuleType] = {
    "boxed": boxed_objects,
    "json": json_objects,
    "nested": nested_objects,
    "written": written_numbers,
}


def encode(values: Objects, where: str, *, deferring: bool = False) -> Encoded:
    """Turn a column of Python objects into Arrow.

    Raises
    ------
    UnsupportedTypeError
        The column mixes types, or holds one that has no Arrow form.
    """
    text = _encode_text(values, where, deferring)
    if text is not None:
        encoded = Encoded(text, {"of": "str"})
    else:
        kind = _only_type(values, where)
        encoded = Encoded(pa.nulls(len(values)), {"of": "null"}) if kind is None else _encode(values, kind, where, deferring)
    array = encoded.array
    fact = {**encoded.fact, "as": "object"} if isinstance(encoded.fact, dict) else {}
    if array.null_count:
        fact.update(missing_values.describe(values, _nulls(array), where))
    return encoded.with_fact(fact)


def _nulls(array: Any) -> Any:
    if isinstance(array, Deferred):
        return array.nulls
    column = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    return column.is_null().to_numpy(zero_copy_only=False)


def _encode_text(values: Objects, where: str, deferring: bool) -> Any:
    """The column as strings, or None if it is not one of text.

    By far the most common column of objects, so it is looked at by pandas' own fast test, which takes a subclass of str
    for a str: one among plain strings comes back plain. A column that starts with one is not taken here.
    """
    first = next((value for value in values if type(value) not in missing_values.TYPES), None)
    if type(first) is not str or pd.api.types.infer_dtype(values, skipna=True) != "string":
        return None
    try:
        return converted(values, pa.string(), deferring=deferring)
    except UnicodeEncodeError as error:
        raise UnsupportedTypeError(
            f"{where} has text that is not valid Unicode ({error}): encode it to bytes, or repair it"
        ) from error


def _only_type(values: Objects, where: str) -> type | None:
    """The one type of all values that are not missing; None if all are."""
    types = set(map(type, values))
    present = types - missing_values.TYPES.keys()
    for number in types & missing_values.FLOATS:
        if any(type(value) is number and value == value for value in values):
            present.add(number)
    if len(present) > 1:
        first = {kind: next(i for i, value in enumerate(values) if type(value) is kind) for kind in present}
        samples = ", ".join(
            f"{kind.__name__} in row {row}" for kind, row in sorted(first.items(), key=lambda x: x[1])[:3]
        )
        raise UnsupportedTypeError(
            f"{where} is an object column of mixed types ({samples}): make them one type, "
            f"for example with .astype(str) or pd.to_numeric, or drop it"
        )
    return present.pop() if present else None


def _encode(values: Objects, kind: type, where: str, deferring: bool) -> Encoded:
    try:
        if kind in KINDS:
            data_type = KINDS[kind].type_of(value for value in values if type(value) is kind)
            return Encoded(converted(values, data_type, deferring=deferring), {"of": KINDS[kind].name})
        if nested_objects.takes(kind):
            return nested_objects.encode(values, kind)
        if boxed_objects.takes(kind):
            return boxed_objects.encode(values, kind, where)
        reason = f"objects of {kind.__module__}.{kind.__qualname__}"
    except NoArrowType as error:
        reason = str(error)
        try:
            other = _encode_otherwise(values, kind, where)
        except NoArrowType as second:
            other, reason = None, str(second)
        if other is not None:
            return other
    except (UnicodeEncodeError, pa.ArrowException, OverflowError) as error:
        reason = f"{kind.__name__} values that Arrow does not take ({error})"
    raise UnsupportedTypeError(f"{where} holds {reason}: {_remedy(kind)}")


def _encode_otherwise(values: Objects, kind: type, where: str) -> Encoded | None:
    """The documented fallback for values that their own Arrow type does not hold exactly, if there is one."""
    if kind.__name__ in written_numbers.TYPES:
        return written_numbers.encode(values, kind)
    if nested_objects.takes(kind):
        return json_objects.encode(values, kind)
    if kind in KINDS and boxed_objects.takes(kind):
        return boxed_objects.encode(values, kind, where)
    return None


def _remedy(kind: type) -> str:
    if kind.__module__.startswith("shapely."):
        return "make it a geometry column with geopandas.GeoSeries(series)"
    if kind is np.ndarray:
        return "make them one-dimensional and of one dtype, or lists, for example with .map(numpy.ndarray.tolist)"
    if kind in (pd.Period, pd.Interval):
        return "make them one column type, for example with .astype(str) or pd.arrays.PeriodArray of one frequency"
    if nested_objects.takes(kind):
        return "give all rows the same types inside, for example turn each into text with .map(json.dumps)"
    if issubclass(kind, (np.datetime64, np.timedelta64)) or boxed_objects.takes(kind):
        return "give them one unit and time zone, for example with pd.to_datetime(series, utc=True), or make them text"
    return "convert it to text, numbers, times, lists or dicts, or drop it"


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Objects:
    """The column of Python objects that `encode` got."""
    if fact["of"] == "null":
        objects: Objects = np.empty(len(column), dtype=object)
    elif fact["of"] in _CODECS:
        objects = _CODECS[fact["of"]].decode(column, fact, offset)
    else:
        objects = _KINDS_BY_NAME[fact["of"]].objects(column)
    missing_values.restore(objects, column, fact, offset)
    return objects
