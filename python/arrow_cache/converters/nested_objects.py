"""Lists, tuples, sets, dicts and arrays of Python as nested Arrow types.

Built level by level from the flattened values, so that each level is looked at once and no type is guessed. A *shape* is
the JSON that leads back: a kind's name at the leaves, else an object that says what the level was.

Dicts become structs, and dicts whose keys differ from row to row become structs of all keys with a number for each row
that says which it had; dicts of many different keys become maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from . import row_codes
from .encoded import Encoded
from .object_kinds import KINDS, NoArrowType, Objects

__all__ = ["decode", "encode", "takes"]

Shape: TypeAlias = Any
_SEQUENCES: dict[type, str] = {list: "list", tuple: "tuple", set: "set", frozenset: "frozenset"}
_BUILDERS: dict[str, Any] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
_KINDS_BY_NAME = {kind.name: kind for kind in KINDS.values()}
_MAX_DEPTH = 32
_MAX_KEYS = 64


def takes(kind: type) -> bool:
    """Whether `encode` knows this type."""
    return kind in _SEQUENCES or kind in (dict, np.ndarray)


def encode(values: Objects, kind: type) -> Encoded:
    """Turn containers of one type, and missing values, into Arrow.

    Raises
    ------
    NoArrowType
        What is inside has no one type.
    """
    rows: list[Any] = [value if type(value) is kind else None for value in values]
    fact: dict[str, Any] = {"of": "nested"}
    if kind is dict:
        key_sets: list[tuple[Any, ...]] = list(dict.fromkeys(tuple(row) for row in rows if row is not None))
        if 1 < len(key_sets) and len(set(chain.from_iterable(key_sets))) <= _MAX_KEYS:
            keys = list(dict.fromkeys(chain.from_iterable(key_sets)))
            if _are_field_names(keys):
                codes = {key_set: code for code, key_set in enumerate(key_sets)}
                packed = row_codes.pack(np.array([-1 if row is None else codes[tuple(row)] for row in rows]))
                fact.update(key_sets=[list(key_set) for key_set in key_sets], codes=packed)
                rows = [None if row is None else {key: row.get(key) for key in keys} for row in rows]
    array, shape = _build(rows, 0)
    return Encoded(array, {**fact, "shape": shape})


def _build(values: Sequence[Any], depth: int) -> tuple[pa.Array, Shape]:
    types = set(map(type, values))
    types.discard(type(None))
    if not types:
        return pa.nulls(len(values)), "null"
    if len(types) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in types))
        raise NoArrowType(f"containers whose values mix the types {names}")
    if depth > _MAX_DEPTH:
        raise NoArrowType(f"containers nested more than {_MAX_DEPTH} deep")
    kind = types.pop()
    if kind in _SEQUENCES:
        offsets, nulls = _offsets(values)
        child, shape = _build(list(chain.from_iterable(v for v in values if v is not None)), depth + 1)
        return pa.ListArray.from_arrays(offsets, child, mask=nulls), {"sequence": _SEQUENCES[kind], "of": shape}
    if kind is np.ndarray:
        return _build_arrays(values, depth)
    if kind is dict:
        return _build_dicts(values, depth)
    if kind not in KINDS:
        raise NoArrowType(f"containers of {kind.__module__}.{kind.__qualname__}")
    found = KINDS[kind]
    return pa.array(values, found.type_of([value for value in values if value is not None])), found.name


def _offsets(values: Sequence[Any]) -> tuple[pa.Array, pa.Array | None]:
    lengths = np.fromiter((0 if value is None else len(value) for value in values), np.int64, len(values))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    if offsets[-1] > np.iinfo(np.int32).max:
        raise NoArrowType(f"{offsets[-1]} values in its lists, more than 2 147 483 647")
    nulls = np.fromiter((value is None for value in values), bool, len(values))
    return pa.array(offsets.astype(np.int32)), pa.array(nulls) if nulls.any() else None


def _build_arrays(values: Sequence[Any], depth: int) -> tuple[pa.Array, Shape]:
    present = [value for value in values if value is not None]
    dtypes = {value.dtype.str for value in present}
    if len(dtypes) > 1 or any(value.ndim != 1 for value in present):
        raise NoArrowType("numpy arrays of different dtypes or of more than one dimension")
    dtype = present[0].dtype
    offsets, nulls = _offsets(values)
    flat = np.concatenate(present)
    if dtype.kind == "O":
        child, shape = _build(flat.tolist(), depth + 1)
        return pa.ListArray.from_arrays(offsets, child, mask=nulls), {"objects": shape}
    if dtype.kind not in "biufmM" or not dtype.isnative or dtype.itemsize > 8 or dtype == np.float16:
        raise NoArrowType(f"numpy arrays of dtype {dtype}")
    return pa.ListArray.from_arrays(offsets, pa.array(flat), mask=nulls), {"array": dtype.str}


def _are_field_names(keys: Sequence[Any]) -> bool:
    """Whether the keys can name the fields of a STRUCT: DuckDB compares them without case."""
    texts = all(type(key) is str and key and "\0" not in key and key.isprintable() for key in keys)
    return bool(keys) and texts and len({key.casefold() for key in keys}) == len(keys)


def _build_dicts(values: Sequence[Any], depth: int) -> tuple[pa.Array, Shape]:
    key_sets = {tuple(value) for value in values if value is not None}
    nulls = pa.array([value is None for value in values])
    if len(key_sets) == 1:
        keys = list(next(iter(key_sets)))
        if _are_field_names(keys):
            parts = [_build([None if v is None else v[key] for v in values], depth + 1) for key in keys]
            struct = pa.StructArray.from_arrays([array for array, _ in parts], names=keys, mask=nulls)
            return struct, {"struct": [[key, shape] for key, (_, shape) in zip(keys, parts, strict=True)]}
    offsets, _ = _offsets(values)
    masked = pa.array(offsets.to_numpy(), mask=np.append(nulls.to_numpy(zero_copy_only=False), False))
    flat = [value for value in values if value is not None]
    keys_array, keys_shape = _build(list(chain.from_iterable(flat)), depth + 1)
    if keys_array.null_count or not isinstance(keys_shape, str):
        raise NoArrowType("dicts whose keys are missing or not all of one plain type")
    items, items_shape = _build(list(chain.from_iterable(value.values() for value in flat)), depth + 1)
    return pa.MapArray.from_arrays(masked, keys_array, items), {"map": [keys_shape, items_shape]}


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Objects:
    """The containers that `encode` got; what stands at nulls is None."""
    objects: Objects = np.empty(len(column), dtype=object)
    objects[:] = list(chain.from_iterable(_read(chunk, fact["shape"]) for chunk in column.chunks))
    if "codes" in fact:
        codes = row_codes.unpack(fact["codes"], offset, len(column))
        for row in np.flatnonzero(codes >= 0):
            objects[row] = {key: objects[row][key] for key in fact["key_sets"][codes[row]]}
    return objects


def _read(array: pa.Array, shape: Shape) -> list[Any]:
    if shape == "null":
        return [None] * len(array)
    if isinstance(shape, str):
        column = pa.chunked_array([array])
        objects = _KINDS_BY_NAME[shape].objects(column)
        if array.null_count:
            objects[column.is_null().to_numpy(zero_copy_only=False)] = None
        plain: list[Any] = objects.tolist()
        return plain
    if "struct" in shape:
        parts = [_read(array.field(i), child) for i, (_, child) in enumerate(shape["struct"])]
        keys = [key for key, _ in shape["struct"]]
        return _masked(array, [dict(zip(keys, row, strict=True)) for row in zip(*parts, strict=True)])
    bounds = array.offsets.to_numpy()
    spans = list(zip((bounds[:-1] - bounds[0]).tolist(), (bounds[1:] - bounds[0]).tolist(), strict=True))
    first, count = int(bounds[0]), int(bounds[-1] - bounds[0])
    if "map" in shape:
        keys = _read(array.keys.slice(first, count), shape["map"][0])
        items = _read(array.items.slice(first, count), shape["map"][1])
        return _masked(array, [dict(zip(keys[low:high], items[low:high], strict=True)) for low, high in spans])
    child = array.values.slice(first, count)
    if "array" in shape:
        flat = pa.chunked_array([child]).to_numpy(zero_copy_only=False).astype(shape["array"], copy=False)
        return _masked(array, [flat[low:high].copy() for low, high in spans])
    inner = _read(child, shape["objects"] if "objects" in shape else shape["of"])
    if "objects" in shape:
        boxes: Objects = np.empty(count, dtype=object)
        boxes[:] = inner
        return _masked(array, [boxes[low:high].copy() for low, high in spans])
    build = _BUILDERS[shape["sequence"]]
    return _masked(array, [build(inner[low:high]) for low, high in spans])


def _masked(array: pa.Array, values: list[Any]) -> list[Any]:
    if not array.null_count:
        return values
    return [value if there else None for value, there in zip(values, array.is_valid().to_pylist(), strict=True)]
