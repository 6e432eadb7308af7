"""A column of each Arrow type, with nulls where the type has them: what files must hold.

Every column has `ROWS` values from one seed, so that a failure can be looked at again.
"""

import decimal
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

ROWS = 203

Columns = dict[str, pa.Array]


class Values:
    """Makes values of one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def nullable(self, make: Callable[[int], Any]) -> list[Any]:
        return [None if self.random.random() < 0.2 else make(row) for row in range(ROWS)]

    def word(self, _: int = 0) -> str:
        return "".join(self.random.choice("abcdefghijé") for _ in range(self.random.randint(0, 30)))

    def numbers(self, _: int = 0) -> list[int | None]:
        return [self.random.choice([None, 1, 2, 3]) for _ in range(self.random.randint(0, 5))]


def numbers(values: Values) -> Iterator[tuple[str, pa.Array]]:
    """Integers, floats, booleans, decimals."""
    for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()):
        yield str(kind), pa.array(values.nullable(lambda row: row % 120), kind)
    yield "float16", pa.array(values.nullable(lambda row: np.float16(row / 2)), pa.float16())
    yield "float32", pa.array(values.nullable(lambda row: row / 3), pa.float32())
    yield "float64", pa.array(values.nullable(lambda row: row / 3), pa.float64())
    yield "bool", pa.array(values.nullable(lambda row: row % 3 == 0))
    yield "bool_without_nulls", pa.array([row % 3 == 0 for row in range(ROWS)])
    for kind in (pa.decimal32(7, 2), pa.decimal64(15, 3), pa.decimal128(20, 2), pa.decimal256(50, 5)):
        quarters = pa.array(values.nullable(lambda row: decimal.Decimal(row) / 4), pa.decimal128(20, 2))
        yield f"decimal{kind.bit_width}", quarters.cast(kind)
    yield "only_nulls", pa.array([None] * ROWS, pa.int32())
    yield "not_nullable", pa.array(range(ROWS))
    yield "null", pa.nulls(ROWS)


def times(values: Values) -> Iterator[tuple[str, pa.Array]]:
    """Dates, times, timestamps with and without a zone, durations, intervals."""
    yield "date32", pa.array(values.nullable(lambda row: row), pa.date32())
    yield "date64", pa.array(values.nullable(lambda row: row * 86_400_000), pa.date64())
    for unit in ("s", "ms"):
        yield f"time32_{unit}", pa.array(values.nullable(lambda row: row), pa.time32(unit))
    for unit in ("us", "ns"):
        yield f"time64_{unit}", pa.array(values.nullable(lambda row: row), pa.time64(unit))
    for unit in ("s", "ms", "us", "ns"):
        yield f"timestamp_{unit}", pa.array(values.nullable(lambda row: row), pa.timestamp(unit))
        yield f"timestamp_{unit}_zone", pa.array(values.nullable(lambda row: row), pa.timestamp(unit, "Europe/Berlin"))
        yield f"duration_{unit}", pa.array(values.nullable(lambda row: row), pa.duration(unit))
    months = values.nullable(lambda row: pa.MonthDayNano([1, row, 3]))
    yield "month_day_nano", pa.array(months, pa.month_day_nano_interval())


def texts(values: Values) -> Iterator[tuple[str, pa.Array]]:
    """Text and bytes, behind offsets and views, and of fixed size."""
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        yield str(kind), pa.array(values.nullable(values.word), kind)
    for kind in (pa.binary(), pa.large_binary(), pa.binary_view()):
        yield str(kind), pa.array(values.nullable(lambda row: values.word().encode()), kind)
    yield "fixed_binary", pa.array(values.nullable(lambda row: b"%05d" % row), pa.binary(5))
    yield "fixed_binary_of_none", pa.array([b""] * ROWS, pa.binary(0))
    yield "empty_text", pa.array([""] * ROWS)


def nested(values: Values) -> Iterator[tuple[str, pa.Array]]:
    """Lists of all layouts, structs, maps."""
    lists = {
        "list": pa.list_(pa.int32()), "large_list": pa.large_list(pa.int16()), "list_view": pa.list_view(pa.int64()),
        "large_list_view": pa.large_list_view(pa.int8()),
    }  # fmt: skip
    for name, kind in lists.items():
        yield name, pa.array(values.nullable(values.numbers), kind)
    yield "fixed_list", pa.array(values.nullable(lambda row: [row, None, 3]), pa.list_(pa.int32(), 3))
    yield "fixed_list_bool", pa.array(values.nullable(lambda row: [True, None, False]), pa.list_(pa.bool_(), 3))
    yield "list_text", pa.array(values.nullable(lambda row: [values.word(), None]), pa.list_(pa.string()))
    yield "list_list", pa.array(values.nullable(lambda row: [[1, 2], None, []]), pa.list_(pa.list_(pa.int8())))
    fields = [pa.field("a", pa.int32()), pa.field("b", pa.string(), metadata={"k": "v"}), pa.field("c", pa.list_(pa.bool_()))]
    rows = values.nullable(lambda row: {"a": row, "b": None if row % 3 else values.word(), "c": [True] * (row % 3)})
    yield "struct", pa.array(rows, pa.struct(fields))
    yield "struct_of_none", pa.array([{}] * ROWS, pa.struct([]))
    pairs = values.nullable(lambda row: [(values.word(), number) for number in range(row % 4)])
    yield "map", pa.array(pairs, pa.map_(pa.string(), pa.int32()))
    yield "map_sorted", pa.array(values.nullable(lambda row: [("a", 1)]), pa.map_(pa.string(), pa.int32(), keys_sorted=True))


def dictionaries(values: Values) -> Iterator[tuple[str, pa.Array]]:
    """Dictionaries with all widths of indices, of all kinds of values, inside of each other."""
    for index in (pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64()):
        encoded = pa.array(values.nullable(lambda row: f"k{row % 7}")).dictionary_encode()
        yield f"dictionary_{index}", encoded.cast(pa.dictionary(index, pa.string()))
    ordered = values.nullable(lambda row: row % 3)
    yield "dictionary_ordered", pa.DictionaryArray.from_arrays(pa.array(ordered, pa.int32()), pa.array(["x", None, "z"]), ordered=True)
    structs = pa.array([{"a": 1, "b": "x"}, {"a": 2, "b": None}])
    yield "dictionary_struct", pa.DictionaryArray.from_arrays(pa.array(values.nullable(lambda row: row % 2), pa.int8()), structs)
    inner = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int8()), pa.array(["p", "q"]))
    below = pa.StructArray.from_arrays([inner], ["i"])
    yield "dictionary_nested", pa.DictionaryArray.from_arrays(pa.array(values.nullable(lambda row: row % 3), pa.int8()), below)
    offsets = pa.array([min(row, 150) for row in range(ROWS + 1)], pa.int32())
    yield "list_dictionary", pa.ListArray.from_arrays(offsets, pa.array(["u", "v", "w"] * 50).dictionary_encode())


def encoded(values: Values) -> Iterator[tuple[str, pa.Array]]:
    """Runs, unions, extension types."""
    ends = [*range(5, ROWS, 5), ROWS]
    words = [None if run % 4 == 0 else f"r{run}" for run in range(len(ends))]
    for kind in (pa.int16(), pa.int32(), pa.int64()):
        yield f"runs_{kind}", pa.RunEndEncodedArray.from_arrays(pa.array(ends, kind), pa.array(words))
    ids = [values.random.randint(0, 1) for _ in range(ROWS)]
    children = [pa.array(range(ROWS), pa.int32()), pa.array([values.word() for _ in range(ROWS)])]
    yield "sparse_union", pa.UnionArray.from_sparse(pa.array(ids, pa.int8()), children, ["a", "b"], [0, 1])
    counts = [0, 0]
    offsets = []
    for child in ids:
        offsets.append(counts[child])
        counts[child] += 1
    types = pa.array([5 if child else 3 for child in ids], pa.int8())
    children = [pa.array(range(counts[0]), pa.int32()), pa.array([values.word() for _ in range(counts[1])])]
    yield "dense_union", pa.UnionArray.from_dense(types, pa.array(offsets, pa.int32()), children, ["a", "b"], [3, 5])
    uuids = pa.array([bytes([row % 256] * 16) for row in range(ROWS)], pa.binary(16))
    yield "uuid", pa.ExtensionArray.from_storage(pa.uuid(), uuids)
    yield "json", pa.ExtensionArray.from_storage(pa.json_(), pa.array([f'{{"a":{row}}}' for row in range(ROWS)]))
    yield "bool8", pa.ExtensionArray.from_storage(pa.bool8(), pa.array(values.nullable(lambda row: row % 2), pa.int8()))
    yield "opaque", pa.ExtensionArray.from_storage(pa.opaque(pa.int32(), "tn", "vn"), pa.array(range(ROWS), pa.int32()))


FAMILIES = (numbers, times, texts, nested, dictionaries, encoded)
WITH_METADATA = ("string", "list", "dictionary_int8")


def all_columns() -> Columns:
    """Every column by its name."""
    return {name: array for family in FAMILIES for name, array in family(Values(1))}


def all_types() -> pa.Table:
    """Every column in one table, with metadata on fields and schema."""
    columns = all_columns()
    fields = [
        pa.field(name, array.type, nullable=name != "not_nullable", metadata={"m": name} if name in WITH_METADATA else None)
        for name, array in columns.items()
    ]
    schema = pa.schema(fields, metadata={b"k1": b"v1", b"bin": b"\x00\xff"})
    return pa.Table.from_arrays(list(columns.values()), schema=schema)
