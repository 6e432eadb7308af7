"""One of everything that pandas can hold, by name: what the tests go through and what docs/fidelity.md lists.

Five rows each, with a missing value where the dtype has one. Builders, so that each user gets data of its own.
"""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

PANDAS_3 = int(pd.__version__.partition(".")[0]) >= 3
PARIS = zoneinfo.ZoneInfo("Europe/Paris")
D = decimal.Decimal


def objects(*values: Any) -> Any:
    """A column of Python objects, exactly these."""
    array = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        array[row] = value
    return pd.Series(array, dtype=object)


def _nat(values: list[Any], dtype: str) -> Any:
    return np.array(values, dtype=dtype)


NUMPY: dict[str, Callable[[], Any]] = {
    "bool": lambda: np.array([True, False, True, False, True]),
    **{
        f"{sign}{bits}": lambda name=f"{sign}{bits}": np.array([0, 1, 2, np.iinfo(name).max, np.iinfo(name).min], name)
        for sign in ("int", "uint")
        for bits in (8, 16, 32, 64)
    },
    **{
        f"float{bits}": lambda bits=bits: np.array([1.5, np.nan, np.inf, -np.inf, -0.0], f"float{bits}")
        for bits in (16, 32, 64)
    },
    "complex64": lambda: np.array([1, 1j, np.nan, 2 - 1j, 0], "complex64"),
    "complex128": lambda: np.array([1, 1j, complex(np.nan, 1), 2 - 1j, 0]),
    "float64 big-endian": lambda: np.array([1, np.nan, 2, 3, 4], ">f8"),
    "int32 big-endian": lambda: np.arange(5, dtype=">i4"),
    **{
        f"datetime64[{unit}]": lambda unit=unit: _nat(
            ["2020-01-01", "NaT", "1900-02-03", "2262-01-01", "1970-01-01"], f"M8[{unit}]"
        )
        for unit in ("s", "ms", "us", "ns")
    },
    "datetime64[s] far": lambda: _nat(["0001-01-01", "NaT", "9999-12-31", "99999-01-01", "-4000-01-01"], "M8[s]"),
    **{
        f"timedelta64[{unit}]": lambda unit=unit: _nat([0, "NaT", -5, 7, 2**40], f"m8[{unit}]")
        for unit in ("s", "ms", "us", "ns")
    },
}

EXTENSIONS: dict[str, Callable[[], Any]] = {
    **{
        f"{name} nullable": lambda name=name: pd.array([1, None, 0, 100, None], dtype=name)
        for name in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64")
    },
    "Float64 with NaN and NA": lambda: pd.arrays.FloatingArray(
        np.array([np.nan, 1.0, 2, np.inf, 0]), np.array([False, False, True, False, False])
    ),
    "boolean": lambda: pd.array([True, None, False, True, None], dtype="boolean"),
    "string[python]": lambda: pd.array(["a", None, "", "é", "\0x"], dtype="string[python]"),
    "string[pyarrow]": lambda: pd.array(["a", None, "", "é", "x"], dtype="string[pyarrow]"),
    "int64[pyarrow]": lambda: pd.array([1, None, 3, 2**60, 5], dtype="int64[pyarrow]"),
    "double[pyarrow] with NaN and NA": lambda: pd.array(
        __import__("pyarrow").array([1.0, None, float("nan"), 2, 3]), dtype="double[pyarrow]"
    ),
    "list<int>[pyarrow]": lambda: _over_arrow([[1], None, [], [2, None], [3]]),
    "struct[pyarrow]": lambda: _over_arrow([{"a": 1}, None, {"a": None}, {"a": 2}, {"a": 3}]),
    "dictionary[pyarrow]": lambda: pd.arrays.ArrowExtensionArray(
        __import__("pyarrow").chunked_array([["a", None, "b", "a", "a"]]).dictionary_encode()
    ),
    "timestamp[pyarrow]": lambda: pd.array(
        [pd.Timestamp("2020", tz="UTC"), None] + [pd.Timestamp("2021", tz="UTC")] * 3,
        dtype="timestamp[us, tz=UTC][pyarrow]",
    ),
    "decimal128[pyarrow]": lambda: _over_arrow([D("1.50"), None, D("2.25"), D("0.00"), D("-1.00")]),
    "category of str": lambda: pd.Categorical(["a", None, "b", "a", "c"], categories=["c", "b", "a", "unused"]),
    "category ordered": lambda: pd.Categorical(["a", None, "b", "a", "c"], categories=["c", "b", "a"], ordered=True),
    "category of int": lambda: pd.Categorical([3, None, 1, 3, 2]),
    "category of range": lambda: pd.Categorical.from_codes([0, -1, 1, 2, 0], pd.RangeIndex(3)),
    "category of float": lambda: pd.Categorical([0.5, None, 1.5, 0.5, -1]),
    "category of bool": lambda: pd.Categorical([True, None, False, True, True]),
    "category of datetime": lambda: pd.Categorical.from_codes(
        [0, -1, 1, 1, 0], pd.date_range("2020", periods=2, freq="D", tz="Asia/Tokyo", name="when")
    ),
    "category of interval": lambda: pd.Categorical(pd.cut(np.array([0.1, np.nan, 0.5, 0.9, 0.2]), 3)),
    "category of period": lambda: pd.Categorical(
        pd.PeriodIndex(["2020-01", None, "2020-02", "2020-01", "2020-01"], freq="M")
    ),
    "category of mixed objects": lambda: pd.Categorical([1, None, "1", (2, 3), 1]),
    "category of Int64": lambda: pd.Categorical(pd.array([1, None, 2, 1, 2], dtype="Int64")),
    "category, none used": lambda: pd.Categorical([None] * 5, categories=["a"]),
    "category, none at all": lambda: pd.Categorical([None] * 5),
    "Interval int": lambda: pd.arrays.IntervalArray.from_breaks(range(6), closed="left"),
    "Interval float": lambda: pd.arrays.IntervalArray.from_tuples(
        [(0.0, 1.5), np.nan, (1, 2), (2, 3), (3, np.inf)], closed="both"
    ),
    "Interval datetime": lambda: pd.interval_range(pd.Timestamp("2020", tz="UTC"), periods=5).array,
    "Interval timedelta": lambda: pd.interval_range(pd.Timedelta(0), periods=5).array,
    **{
        f"Period[{freq}]": lambda freq=freq: pd.PeriodIndex.from_ordinals([0, 100, -7, 1, 12345], freq=freq).array
        for freq in (
            "D",
            "B",
            "W",
            "W-WED",
            "M",
            "2M",
            "Q",
            "Q-JAN",
            "Y",
            "Y-MAR",
            "h",
            "3h",
            "min",
            "s",
            "ms",
            "us",
            "ns",
        )
    },
    "Period with NaT": lambda: pd.PeriodIndex(["2020-01", None, "1900-05", "2020-01", "2021-01"], freq="M").array,
    "Sparse[int]": lambda: pd.arrays.SparseArray([0, 0, 1, 0, 2]),
    "Sparse[float] block": lambda: pd.arrays.SparseArray([np.nan, 1, np.nan, 2, 3], kind="block"),
    "Sparse[float, 0]": lambda: pd.arrays.SparseArray([0, 1.5, np.nan, 0, 0], fill_value=0.0),
    "Sparse[bool]": lambda: pd.arrays.SparseArray([False, True, False, False, True]),
    "Sparse[datetime]": lambda: pd.arrays.SparseArray(np.array(["2020", "NaT", "NaT", "NaT", "NaT"], "M8[ns]")),
}
for unit in ("s", "ms", "us", "ns"):
    EXTENSIONS[f"datetime64[{unit}, Europe/Paris]"] = lambda unit=unit: (
        pd.DatetimeIndex(["2020-10-25 00:30", None, "1900-02-03", "2262-01-01", "1970-01-01"], tz="UTC")
        .as_unit(unit)
        .tz_convert(PARIS)
        .array
    )
if PANDAS_3:
    EXTENSIONS["str"] = lambda: pd.array(["a", None, "", "é", "x"], dtype="str")
    EXTENSIONS["str[python]"] = lambda: pd.array(
        ["a", None, "", "é", "x"], dtype=pd.StringDtype("python", na_value=np.nan)
    )
else:
    EXTENSIONS["string[pyarrow_numpy]"] = lambda: pd.array(["a", None, "", "é", "x"], dtype="string[pyarrow_numpy]")

EXTENSIONS["datetime64[ns, UTC] with nanoseconds"] = lambda: (
    pd.DatetimeIndex(np.array([1, "NaT", -1, 2**62, 0], "M8[ns]"), tz="UTC").array
)
EXTENSIONS["datetime64[s, UTC] far"] = lambda: (
    pd.DatetimeIndex(np.array(["99999-01-01", "NaT", "2000", "0001-01-01", "1970"], "M8[s]"), tz="UTC").array
)

ZONES: dict[str, Callable[[], Any]] = {
    "zoneinfo Europe/Paris": lambda: PARIS,
    "zoneinfo UTC": lambda: zoneinfo.ZoneInfo("UTC"),
    "zoneinfo GMT": lambda: zoneinfo.ZoneInfo("GMT"),
    "zoneinfo Asia/Calcutta (an alias)": lambda: zoneinfo.ZoneInfo("Asia/Calcutta"),
    "timezone.utc": lambda: dt.timezone.utc,
    "+05:30": lambda: dt.timezone(dt.timedelta(hours=5, minutes=30)),
    "-03:00 named": lambda: dt.timezone(dt.timedelta(hours=-3), "BRT"),
    "+00:01:01": lambda: dt.timezone(dt.timedelta(seconds=61)),
    "pytz Europe/Paris": lambda: __import__("pytz").timezone("Europe/Paris"),
    "pytz UTC": lambda: __import__("pytz").UTC,
    "pytz fixed": lambda: __import__("pytz").FixedOffset(90),
    "dateutil Europe/Paris": lambda: __import__("dateutil.tz").tz.gettz("Europe/Paris"),
    "dateutil UTC": lambda: __import__("dateutil.tz").tz.tzutc(),
    "dateutil offset": lambda: __import__("dateutil.tz").tz.tzoffset("X", 3600),
}

OBJECTS: dict[str, Callable[[], Any]] = {
    "str": lambda: objects("a", None, "b", "", "é"),
    "str with NaN": lambda: objects("a", np.nan, "b", np.nan, "é"),
    "str with None, NaN, NA, NaT": lambda: objects("a", None, np.nan, pd.NA, pd.NaT),
    "str with a NUL": lambda: objects("a\0b", None, "\0", "", "x"),
    "all None": lambda: objects(*[None] * 5),
    "all NaN": lambda: objects(*[np.nan] * 5),
    "all missing, mixed": lambda: objects(None, np.nan, pd.NA, pd.NaT, np.float64("nan")),
    "bytes": lambda: objects(b"a", None, b"", b"\xff\0", b"e"),
    "bool": lambda: objects(True, None, False, True, True),
    "int": lambda: objects(1, None, -3, 2**62, np.nan),
    "int beyond 64 bits signed": lambda: objects(2**64 - 1, 1, 2, 3, None),
    "int beyond 64 bits": lambda: objects(2**80, -1, 2, 3, None),
    "int beyond 38 digits": lambda: objects(10**50, -1, 2, 3, None),
    "float": lambda: objects(1.5, None, np.nan, np.inf, -0.0),
    "complex": lambda: objects(1j, None, 2 + 1j, complex("nan"), 3j),
    "Decimal": lambda: objects(D("1.50"), None, D("2.25"), D("-3.00"), D("0.00")),
    "Decimal of mixed scale": lambda: objects(D("1.5"), None, D("1.50"), D("1"), D("0.000")),
    "Decimal beyond fixed point": lambda: objects(D("NaN"), D("Infinity"), D("-0"), D("1E+5"), None),
    "Decimal of 60 digits": lambda: objects(D("1." + "1" * 59), None, D(1), D(2), D(3)),
    "date": lambda: objects(dt.date(1, 1, 1), None, dt.date(9999, 12, 31), dt.date(2020, 1, 1), pd.NaT),
    "time": lambda: objects(dt.time(1, 2, 3, 4), None, dt.time(0), dt.time(23, 59, 59, 999999), dt.time(5)),
    "datetime": lambda: objects(
        dt.datetime(1, 1, 1), None, dt.datetime(9999, 12, 31, 23, 59, 59, 999999), dt.datetime(2020, 1, 1), pd.NaT
    ),
    "datetime with zone": lambda: objects(
        dt.datetime(2020, 10, 25, 2, 30, tzinfo=PARIS, fold=1),
        None,
        dt.datetime(2020, 10, 25, 2, 30, tzinfo=PARIS),
        dt.datetime(2020, 7, 1, tzinfo=PARIS),
        pd.NaT,
    ),
    "datetime UTC": lambda: objects(*[dt.datetime(2020, 1, day, tzinfo=dt.timezone.utc) for day in range(1, 6)]),
    "timedelta": lambda: objects(
        dt.timedelta(1), None, dt.timedelta(-1, 3, 4), dt.timedelta(0), dt.timedelta(100_000_000)
    ),
    "UUID": lambda: objects(uuid.UUID(int=1), None, uuid.UUID(int=2**128 - 1), uuid.UUID(int=3), uuid.UUID(int=4)),
    "numpy int64": lambda: objects(np.int64(1), None, np.int64(2**62), np.int64(-4), np.int64(5)),
    "numpy float32": lambda: objects(np.float32(1.5), None, np.float32("inf"), np.float32(4), np.float32("nan")),
    "numpy float16": lambda: objects(np.float16(1.5), None, np.float16("inf"), np.float16(4), np.float16(5)),
    "numpy bool": lambda: objects(np.bool_(True), None, np.bool_(False), np.bool_(True), np.bool_(True)),
    "numpy str_": lambda: objects(np.str_("a"), None, np.str_(""), np.str_("é"), np.str_("b")),
    "Timestamp": lambda: objects(
        pd.Timestamp("2020-01-01 00:00:00.000000001"),
        pd.NaT,
        pd.Timestamp(2, unit="ns"),
        pd.Timestamp(3, unit="ns"),
        None,
    ),
    "Timestamp with zone": lambda: objects(
        pd.Timestamp("2020-10-25 00:30", tz="UTC").tz_convert(PARIS),
        pd.NaT,
        pd.Timestamp("2020-10-25 01:30", tz="UTC").tz_convert(PARIS),
        pd.Timestamp("2020-07-01", tz=PARIS),
        None,
    ),
    "Timedelta": lambda: objects(pd.Timedelta(1, "ns"), pd.NaT, pd.Timedelta(-5, "ns"), pd.Timedelta(7, "ns"), None),
    "Period": lambda: objects(pd.Period("2020", "M"), None, pd.Period("1900", "M"), pd.Period("2021", "M"), pd.NaT),
    "Interval": lambda: objects(pd.Interval(0, 1), None, pd.Interval(-1, 5), pd.Interval(2, 3), pd.Interval(0, 1)),
    "list of int": lambda: objects([1, 2], None, [], [3, None], [4]),
    "list of float with NaN and None": lambda: objects([1.0, float("nan"), None], None, [], [2.0], [None]),
    "list of str": lambda: objects(["a", "é"], None, [], [None], ["b"]),
    "list of lists": lambda: objects([["a"], []], None, [], [None], [[None]]),
    "list of dicts": lambda: objects([{"a": 1}], None, [], [{"a": None}, {"a": 2}], [None]),
    "list of dates": lambda: objects([dt.date(2020, 1, 1)], None, [], [None], [dt.date(1, 1, 1)]),
    "list of Decimals": lambda: objects([D("1.5")], None, [], [None], [D("2.5"), D("-1.0")]),
    "list, all empty": lambda: objects([], [], None, [], []),
    "tuple": lambda: objects((1, 2), None, (), (3,), (None,)),
    "tuple of tuples": lambda: objects(((1,), (2, 3)), None, (), ((),), (None,)),
    "set": lambda: objects({1, 2}, None, set(), {3}, {4, 5, 6}),
    "frozenset": lambda: objects(frozenset("ab"), None, frozenset(), frozenset("c"), frozenset("d")),
    "dict of one shape": lambda: objects(
        {"a": 1, "b": "x"}, None, {"a": 2, "b": None}, {"a": None, "b": "y"}, {"a": 4, "b": "z"}
    ),
    "dict of several shapes": lambda: objects({"a": 1}, None, {"b": "x"}, {"b": "x", "a": 1}, {}),
    "dict of int keys": lambda: objects({1: "a"}, None, {2: "b", 3: None}, {}, {4: "d"}),
    "dict of many keys": lambda: objects({f"k{i}": i for i in range(100)}, None, {"a": 1}, {}, {"b": 2, "c": None}),
    "dict nested": lambda: objects(
        {"a": {"b": [1, 2]}, "c": (1.5,)},
        None,
        {"a": {"b": []}, "c": ()},
        {"a": None, "c": None},
        {"a": {"b": None}, "c": (None,)},
    ),
    "dict with case-folded keys": lambda: objects(
        {"a": 1, "A": 2}, None, {"a": 3, "A": 4}, {"a": 5, "A": 6}, {"a": 7, "A": 8}
    ),
    "dict with odd keys": lambda: objects({"": 1}, None, {"": 2}, {"": 3}, {"": 4}),
    "dict as JSON": lambda: objects({"a": [1, "x"]}, None, {"a": {"b": 1.5}}, {"a": None}, {"c": True, "d": "\ud800"}),
    "list as JSON": lambda: objects([1, "a"], None, [2.5], [None], [{}]),
    "numpy array": lambda: objects(np.array([1.0, np.nan]), None, np.array([]), np.array([2.0]), np.array([3.0])),
    "numpy array int8": lambda: objects(
        np.array([1, -2], "int8"), None, np.array([], "int8"), np.array([3], "int8"), np.array([4], "int8")
    ),
    "numpy array bool": lambda: objects(
        np.array([True]), None, np.array([], bool), np.array([False, True]), np.array([True])
    ),
    "numpy array datetime": lambda: objects(
        np.array(["2020", "NaT"], "M8[s]"),
        None,
        np.array([], "M8[s]"),
        np.array(["1900"], "M8[s]"),
        np.array(["2021"], "M8[s]"),
    ),
    "numpy array of objects": lambda: objects(
        np.array(["a", None], object), None, np.array([], object), np.array(["b"], object), np.array(["c"], object)
    ),
}


def _over_arrow(values: list[Any]) -> Any:
    import pyarrow as pa

    return pd.arrays.ArrowExtensionArray(
        pa.chunked_array([pa.array(values[:2]).cast(pa.array(values).type), pa.array(values)[2:]])
    )
