"""One column of every Arrow type that pyarrow can build, with nulls, by name."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa


def _union(dense: bool) -> Any:
    ids = pa.array([0, 1, 0, 1, 0], pa.int8())
    if dense:
        offsets = pa.array([0, 0, 1, 1, 2], pa.int32())
        return pa.UnionArray.from_dense(ids, offsets, [pa.array([1, None, 3]), pa.array(["a", "b"])])
    return pa.UnionArray.from_sparse(ids, [pa.array([1, 2, 3, 4, 5]), pa.array(list("abcde"))])


def _extension(kind: Any, storage: Any) -> Any:
    return pa.ExtensionArray.from_storage(kind, storage)


class Unknown(pa.ExtensionType):
    """An extension type that nobody else knows."""

    def __init__(self) -> None:
        super().__init__(pa.int64(), "tests.unknown")

    def __arrow_ext_serialize__(self) -> bytes:
        return b"parameters"

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: Any, serialized: bytes) -> Unknown:
        return cls()


pa.register_extension_type(Unknown())


TYPES: dict[str, Callable[[], Any]] = {
    "null": lambda: pa.nulls(5),
    "bool": lambda: pa.array([True, None, False, True, None]),
    **{
        str(kind): lambda kind=kind: pa.array([0, None, 1, 100, None], kind)
        for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
    },
    "int64 beyond doubles": lambda: pa.array([2**60 + 1, None, -(2**63), 1, 2]),
    "halffloat": lambda: pa.array(np.array([0, 1.5, np.nan, np.inf, -1], "f2"), mask=np.array([0, 0, 0, 0, 1], bool)),
    "float": lambda: pa.array([0, None, 1.5, float("nan"), 2], pa.float32()),
    "double": lambda: pa.array([0, None, 1.5, float("nan"), 2], pa.float64()),
    **{
        f"decimal{bits}": lambda bits=bits: pa.array(
            [decimal.Decimal("1.50"), None, decimal.Decimal("-2.25"), decimal.Decimal(0), decimal.Decimal(3)],
            getattr(pa, f"decimal{bits}")(7, 2),
        )
        for bits in (32, 64, 128, 256)
        if hasattr(pa, f"decimal{bits}")
    },
    "date32": lambda: pa.array([0, None, -700_000, 1, 2], pa.date32()),
    "date64": lambda: pa.array([0, None, 86_400_000, -86_400_000, 0], pa.date64()),
    **{
        f"timestamp[{unit}]": lambda unit=unit: pa.array([0, None, -5, 2**33, 1], pa.timestamp(unit))
        for unit in ("s", "ms", "us", "ns")
    },
    **{
        f"timestamp[{unit}, tz]": lambda unit=unit: pa.array(
            [0, None, -5, 2**33, 1], pa.timestamp(unit, "Europe/Paris")
        )
        for unit in ("s", "ms", "us", "ns")
    },
    "timestamp[us, +05:30]": lambda: pa.array([0, None, -5, 7, 1], pa.timestamp("us", "+05:30")),
    "time32[s]": lambda: pa.array([0, None, 5, 86_399, 1], pa.time32("s")),
    "time32[ms]": lambda: pa.array([0, None, 5, 86_399_999, 1], pa.time32("ms")),
    "time64[us]": lambda: pa.array([0, None, 5, 7, 1], pa.time64("us")),
    "time64[ns]": lambda: pa.array([0, None, 5000, 7000, 1000], pa.time64("ns")),
    **{
        f"duration[{unit}]": lambda unit=unit: pa.array([0, None, -5, 7, 1], pa.duration(unit))
        for unit in ("s", "ms", "us", "ns")
    },
    "month_day_nano_interval": lambda: pa.array(
        [(1, 2, 3000), None, (0, -1, 0), (0, 0, 0), (12, 0, 1)], pa.month_day_nano_interval()
    ),
    **{
        str(kind): lambda kind=kind: pa.array(["a", None, "", "é", "a text longer than twelve bytes"], kind)
        for kind in (pa.string(), pa.large_string(), pa.string_view())
    },
    **{
        str(kind): lambda kind=kind: pa.array([b"a", None, b"", b"\xff\0", b"some bytes longer than twelve"], kind)
        for kind in (pa.binary(), pa.large_binary(), pa.binary_view())
    },
    "fixed_size_binary": lambda: pa.array([b"abc", None, b"\0\0\0", b"xyz", b"123"], pa.binary(3)),
    "list": lambda: pa.array([[1], None, [], [None, 2], [3]]),
    "large_list": lambda: pa.array([[1], None, [], [None, 2], [3]], pa.large_list(pa.int64())),
    "list_view": lambda: pa.array([[1], None, [], [None, 2], [3]], pa.list_view(pa.int64())),
    "large_list_view": lambda: pa.array([[1], None, [], [None, 2], [3]], pa.large_list_view(pa.int64())),
    "fixed_size_list": lambda: pa.array([[1, 2], None, [3, None], [5, 6], [7, 8]], pa.list_(pa.int64(), 2)),
    "list<string_view>": lambda: pa.array([["a"], None, [], [None], ["b"]], pa.list_(pa.string_view())),
    "struct": lambda: pa.array(
        [{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {"a": 2, "b": None}, {"a": 3, "b": "z"}]
    ),
    "struct<>": lambda: pa.array([{}, None, {}, {}, {}], pa.struct([])),
    "struct<list<struct>>": lambda: pa.array(
        [{"a": [{"b": 1}]}, None, {"a": []}, {"a": None}, {"a": [None, {"b": 2}]}]
    ),
    "map": lambda: pa.array(
        [[("a", 1)], None, [], [("b", None), ("c", 2)], [("a", 3)]], pa.map_(pa.string(), pa.int64())
    ),
    "dense_union": lambda: _union(dense=True),
    "sparse_union": lambda: _union(dense=False),
    "dictionary<string>": lambda: pa.array(["a", None, "b", "a", "c"]).dictionary_encode(),
    "dictionary ordered": lambda: pa.DictionaryArray.from_arrays(
        pa.array([0, None, 1, 0, 1], pa.int8()), ["low", "high"], ordered=True
    ),
    "dictionary<int64>": lambda: pa.array([5, None, 7, 5, 5]).dictionary_encode(),
    "dictionary with null in it": lambda: pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 2, None, 0], pa.uint16()), pa.array(["a", None, "b"])
    ),
    "list<dictionary>": lambda: pa.array(
        [["a"], None, [], [None], ["b", "a"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))
    ),
    "run_end_encoded": lambda: pa.RunEndEncodedArray.from_arrays(
        pa.array([2, 3, 5], pa.int32()), pa.array([1, None, 3])
    ),
    "uuid": lambda: pa.array([b"0" * 16, None, b"1" * 16, b"2" * 16, b"3" * 16], pa.uuid()),
    "json": lambda: pa.array(['{"a":1}', None, "[]", "null", '"x"'], pa.json_()),
    "bool8": lambda: _extension(pa.bool8(), pa.array([1, None, 0, 1, 0], pa.int8())),
    "fixed_shape_tensor": lambda: _extension(
        pa.fixed_shape_tensor(pa.int32(), [2, 1]),
        pa.array([[1, 2], None, [3, 4], [5, 6], [7, 8]], pa.list_(pa.int32(), 2)),
    ),
    "opaque": lambda: _extension(pa.opaque(pa.int64(), "type", "vendor"), pa.array([1, None, 2, 3, 4])),
    "unknown extension": lambda: _extension(Unknown(), pa.array([1, None, 2, 3, 4])),
}
