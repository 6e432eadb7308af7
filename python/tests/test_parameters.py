import datetime as dt
import decimal
import enum
import math
import uuid
from collections import OrderedDict
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from arrow_cache import CacheError, InvalidArgument, InvalidArgumentType, QueryError
from arrow_cache.parameters import tag, tag_parameters
from arrow_cache.wording import shortened

D = decimal.Decimal
UTC = dt.UTC


class Size(enum.IntEnum):
    LARGE = 3


class Color(str, enum.Enum):
    RED = "red"


class Plain(enum.Enum):
    ONE = 1


#: value, DuckDB's type of it, DuckDB's text of it
VALUES = [
    (None, '"NULL"', None),
    (True, "BOOLEAN", "true"),
    (np.bool_(False), "BOOLEAN", "false"),
    (0, "INTEGER", "0"),
    (-5, "INTEGER", "-5"),
    (2**31 - 1, "INTEGER", "2147483647"),
    (2**31, "BIGINT", "2147483648"),
    (-(2**63), "BIGINT", "-9223372036854775808"),
    (2**63, "UBIGINT", "9223372036854775808"),
    (2**64 - 1, "UBIGINT", "18446744073709551615"),
    (2**64, "HUGEINT", "18446744073709551616"),
    (-(2**63) - 1, "HUGEINT", "-9223372036854775809"),
    (2**127 - 1, "HUGEINT", str(2**127 - 1)),
    (-(2**127) + 1, "HUGEINT", str(-(2**127) + 1)),
    (Size.LARGE, "INTEGER", "3"),
    (np.int8(-1), "INTEGER", "-1"),
    (np.uint64(2**64 - 1), "UBIGINT", str(2**64 - 1)),
    (1.5, "DOUBLE", "1.5"),
    (float("nan"), "DOUBLE", "nan"),
    (float("-inf"), "DOUBLE", "-inf"),
    (-0.0, "DOUBLE", "-0.0"),
    (np.float32(0.5), "DOUBLE", "0.5"),
    (np.float16(0.5), "DOUBLE", "0.5"),
    ("", "VARCHAR", ""),
    ("it's \"so\" 🦆 ; -- \\ \n", "VARCHAR", "it's \"so\" 🦆 ; -- \\ \n"),
    (np.str_("x"), "VARCHAR", "x"),
    (Color.RED, "VARCHAR", "red"),
    (b"", "BLOB", ""),
    (b"a\x00\xff", "BLOB", "a\\x00\\xFF"),
    (bytearray(b"ab"), "BLOB", "ab"),
    (memoryview(b"ab"), "BLOB", "ab"),
    (memoryview(b"abcd")[::2], "BLOB", "ac"),
    (dt.date(1969, 12, 31), "DATE", "1969-12-31"),
    (dt.date(1, 1, 1), "DATE", "0001-01-01"),
    (dt.date(9999, 12, 31), "DATE", "9999-12-31"),
    (dt.time(1, 2, 3, 4), "TIME", "01:02:03.000004"),
    (dt.datetime(1969, 12, 31, 23, 59, 59, 999999), "TIMESTAMP", "1969-12-31 23:59:59.999999"),
    (dt.datetime(9999, 12, 31, 23, 59, 59, 999999), "TIMESTAMP", "9999-12-31 23:59:59.999999"),
    (dt.datetime.min, "TIMESTAMP", "0001-01-01 00:00:00"),
    (pd.Timestamp("2020-01-02 03:04:05.678901"), "TIMESTAMP", "2020-01-02 03:04:05.678901"),
    (pd.Timestamp("2020-01-02 03:04:05.678901234"), "TIMESTAMP_NS", "2020-01-02 03:04:05.678901234"),
    (pd.Timestamp("9999-01-01").as_unit("s"), "TIMESTAMP", "9999-01-01 00:00:00"),
    (np.datetime64("2020-01-02"), "DATE", "2020-01-02"),
    (np.datetime64("1969-11"), "DATE", "1969-11-01"),
    (np.datetime64("20000"), "DATE", "20000-01-01"),
    (np.datetime64("2020-01-02", "W"), "DATE", "2020-01-02"),
    (np.datetime64("2020-01-02T03"), "TIMESTAMP", "2020-01-02 03:00:00"),
    (np.datetime64("2020-01-02T00:00:00"), "TIMESTAMP", "2020-01-02 00:00:00"),
    (np.datetime64("NaT", "D"), '"NULL"', None),
    (np.datetime64("2020-01-02T03:04:05.000000001"), "TIMESTAMP_NS", "2020-01-02 03:04:05.000000001"),
    (dt.timedelta(days=-1, microseconds=1), "INTERVAL", "-23:59:59.999999"),
    (dt.timedelta(days=3, hours=2), "INTERVAL", "3 days 02:00:00"),
    (pd.Timedelta("-1 days"), "INTERVAL", "-1 day"),
    (np.timedelta64(90, "s"), "INTERVAL", "00:01:30"),
    (D("1.50"), "DECIMAL(3,2)", "1.50"),
    (D("-0.001"), "DECIMAL(3,3)", "-.001"),
    (D("1E+3"), "DECIMAL(4,0)", "1000"),
    (D("0"), "DECIMAL(1,0)", "0"),
    (D("9" * 38), "DECIMAL(38,0)", "9" * 38),
    (D("0." + "9" * 38), "DECIMAL(38,38)", "." + "9" * 38),
    (uuid.UUID("12345678-1234-5678-9abc-def012345678"), "UUID", "12345678-1234-5678-9abc-def012345678"),
    (pd.NaT, '"NULL"', None),
    (pd.NA, '"NULL"', None),
    (np.datetime64("NaT", "s"), '"NULL"', None),
    (np.timedelta64("NaT", "s"), '"NULL"', None),
    ([1, 2, None], "INTEGER[]", "[1, 2, NULL]"),
    ((1, 2), "INTEGER[]", "[1, 2]"),
    ([1, 2**40], "BIGINT[]", "[1, 1099511627776]"),
    ([1, 2.5], "DOUBLE[]", "[1.0, 2.5]"),
    ([2**64 - 1, None], "UBIGINT[]", "[18446744073709551615, NULL]"),
    ([2**64 - 1, 1], "HUGEINT[]", "[18446744073709551615, 1]"),
    ([2**64 - 1, 2**64, -1], "HUGEINT[]", "[18446744073709551615, 18446744073709551616, -1]"),
    ([2**63, 0.5], "DOUBLE[]", "[9.223372036854776e+18, 0.5]"),
    ([2**64 - 1, D("0.5")], "DECIMAL(21,1)[]", "[18446744073709551615.0, 0.5]"),
    ([[1], [2**64 - 1]], "HUGEINT[][]", "[[1], [18446744073709551615]]"),
    ({"a": 2**64 - 1}, "STRUCT(a UBIGINT)", "{'a': 18446744073709551615}"),
    (np.array(["2020-01-02", "NaT"], "M8[D]"), "DATE[]", "[2020-01-02, NULL]"),
    ([np.datetime64("2020-01-02"), dt.date(1969, 1, 1)], "DATE[]", "[2020-01-02, 1969-01-01]"),
    ([np.datetime64("1969-01-02"), dt.datetime(2020, 1, 1, 2)], "TIMESTAMP[]", "['1969-01-02 00:00:00', '2020-01-01 02:00:00']"),
    ([D("1.5"), D("10.25")], "DECIMAL(4,2)[]", "[1.50, 10.25]"),
    (["a", "b"], "VARCHAR[]", "[a, b]"),
    ([[1], [], [2, 3]], "INTEGER[][]", "[[1], [], [2, 3]]"),
    (np.array([1.5, 2.5]), "DOUBLE[]", "[1.5, 2.5]"),
    (np.array(["a", "b"]), "VARCHAR[]", "[a, b]"),
    (np.array(5), "INTEGER", "5"),
    ({"a": 1, "b": "x"}, "STRUCT(a INTEGER, b VARCHAR)", "{'a': 1, 'b': x}"),
    (OrderedDict(a=[1]), "STRUCT(a INTEGER[])", "{'a': [1]}"),
    ([{"a": 1}, {"a": 2}], "STRUCT(a INTEGER)[]", "[{'a': 1}, {'a': 2}]"),
]


@pytest.mark.parametrize(("value", "kind", "text"), VALUES, ids=lambda value: repr(value)[:50])
def test_a_value_reaches_duckdb_with_its_type(cache, value, kind, text):
    got = cache.query("SELECT typeof(?) AS kind, CAST(? AS VARCHAR) AS text", [value, value], target_type="arrow").to_pylist()[0]
    # Integers in a list are as wide as the API of DuckDB makes them.
    assert got["kind"] in (kind, kind.replace("INTEGER[", "BIGINT["))
    assert got["text"] == text


@pytest.mark.parametrize("value", [dt.datetime(2020, 6, 1, 12, tzinfo=ZoneInfo("Europe/Zurich")), pd.Timestamp("2020-06-01 12:00", tz="Europe/Zurich")])
def test_a_moment_with_a_zone_is_that_moment(cache, value):
    got = cache.query("SELECT typeof(?) AS kind, epoch_us(?) AS moment", [value, value])
    assert got["kind"][0] == "TIMESTAMP WITH TIME ZONE"
    assert got["moment"][0] == dt.datetime(2020, 6, 1, 10, tzinfo=UTC).timestamp() * 1_000_000


def test_values_come_back_as_they_went_in(cache):
    values = [1, 2**62, 1.5, "x", b"y", dt.date(2020, 1, 1), dt.datetime(2020, 1, 1, 1), dt.time(1), D("1.50"), True, None, [1, 2], {"a": 1}]
    row = cache.query("SELECT " + ", ".join(f"? AS c{n}" for n in range(len(values))), values, target_type="arrow").to_pylist()[0]
    assert list(row.values()) == values


@pytest.mark.parametrize(
    ("sql", "parameters", "result"),
    [
        ("SELECT ? + ? AS a", [1, 2], 3),
        ("SELECT $1 - $2 AS a", (5, 3), 2),
        ("SELECT $2 - $1 AS a", (5, 3), -2),
        ("SELECT $1 + $1 AS a", [4], 8),
        ("SELECT $low + $high AS a", {"low": 1, "high": 2}, 3),
        ("SELECT $x || $X AS a", {"x": "ab"}, "abab"),
        ("SELECT $low AS a", OrderedDict(low=7), 7),
        ("SELECT 1 AS a", [], 1),
        ("SELECT 1 AS a", {}, 1),
        ("SELECT 1 AS a", None, 1),
        ("SELECT '?' || ? AS a", ["!"], "?!"),
        ("SELECT count(*) AS a FROM _cache_t WHERE n IN (?, ?)", [1, 3], 2),
        ("SELECT count(*) AS a FROM _cache_t WHERE n IN (SELECT unnest(?))", [[1, 3, 5]], 3),
        ("SELECT count(*) AS a FROM _cache_t WHERE list_contains($names, s)", {"names": ["1", "9"]}, 2),
        ("SELECT n AS a FROM _cache_t ORDER BY n LIMIT ? OFFSET 2", [1], 2),
        ("SELECT ? AS a", np.array([9]), 9),
    ],
)
def test_by_position_and_by_name(cache, table, sql, parameters, result):
    cache.put("t", table)
    assert cache.query(sql, parameters)["a"][0] == result


def test_parameters_of_ddl_and_dml(cache):
    cache.query("CREATE TABLE t (i INTEGER, s VARCHAR)")
    cache.query("INSERT INTO t VALUES (?, ?)", [1, "it's"])
    assert cache.query("UPDATE t SET s = $s WHERE i = $i", {"s": "new", "i": 1})["Count"][0] == 1
    assert cache.query("SELECT s FROM t")["s"].tolist() == ["new"]


@pytest.mark.parametrize("parameters", ["ab", b"ab", bytearray(b"ab"), memoryview(b"ab"), 5, {1, 2}, (n for n in range(2)), object(), pd.Series([1])])
def test_what_is_neither_list_nor_mapping_is_refused(cache, parameters):
    for call in (cache.query, cache.explain):
        with pytest.raises(InvalidArgumentType, match="parameters: give a list or tuple"):
            call("SELECT ?", parameters)


@pytest.mark.parametrize("name", [1, None, "", b"a"])
def test_names_are_text(cache, name):
    with pytest.raises(InvalidArgumentType, match="names of a mapping"):
        cache.query("SELECT $a", {name: 1})


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (2**127, "128 bits"),
        (-(2**128), "129 bits"),
        (10**5000, "beyond HUGEINT's 127 and a sign"),
        (D("NaN"), "float"),
        (D("Infinity"), "float"),
        (D("1E+38"), "39 digits"),
        (D("1E-39"), "39 digits"),
        (D("1" * 39), "39 digits"),
        (dt.time(1, tzinfo=UTC), "TIMETZ"),
        (dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=1))), "beyond what DuckDB holds"),
        (np.datetime64(2**62, "s"), "beyond what DuckDB holds"),
        (np.datetime64(2**62, "Y"), "beyond what DuckDB holds"),
        (np.datetime64(-(2**63) + 1, "M"), "beyond what DuckDB holds"),
        (np.datetime64(2**31 - 1, "D"), "beyond what DuckDB holds"),
        (np.timedelta64(5, "M"), "can't be bound"),
        ({}, "empty dict"),
        ({1: 2}, "names of a dict"),
        ("\ud800", "not valid Unicode"),
        (1j, "complex"),
        ({1, 2}, "set"),
        (object(), "object"),
        (Plain.ONE, "Plain"),
        (pd.DataFrame(), "DataFrame"),
        (pa.scalar(1), "Int64Scalar"),
        (int, "type"),
    ],
    ids=lambda value: shortened(value, 40),
)
def test_what_has_no_type_is_refused_with_its_place(cache, value, says):
    with pytest.raises(InvalidArgument, match=f"(?s)parameter 2.*{says}"):
        cache.query("SELECT ?, ?", [1, value])
    with pytest.raises(InvalidArgument, match=rf"(?s)parameter \$high.*{says}"):
        cache.query("SELECT $low, $high", {"low": 1, "high": value})
    with pytest.raises(InvalidArgument, match=rf"(?s)parameter 1\[1\].*{says}"):
        cache.query("SELECT ?", [[None, value]])
    with pytest.raises(InvalidArgument, match=rf"(?s)parameter 1\['a'\].*{says}"):
        cache.query("SELECT ?", [{"a": value}])


def test_a_list_that_holds_itself_is_refused(cache):
    endless = []
    endless.append(endless)
    with pytest.raises(InvalidArgument, match="nested more than"):
        cache.query("SELECT ?", [endless])


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("SELECT $1", {"1": 5}),
        ("SELECT ?", []),
        ("SELECT ?", None),
        ("SELECT ?", [1, 2]),
        ("SELECT 1", [1]),
        ("SELECT $a", {"b": 1}),
        ("SELECT $a", {"a": 1, "b": 2}),
        ("SELECT $a", {}),
        ("SELECT $a", [1]),
        ("SELECT ?", {"a": 1}),
        ("SELECT ?, $a", [1]),
    ],
)
def test_a_mismatch_is_an_error(cache, sql, parameters):
    with pytest.raises(CacheError) as caught:
        cache.query(sql, parameters)
    assert isinstance(caught.value, (QueryError, InvalidArgument)) and str(caught.value)
    assert cache.query("SELECT 1 AS a")["a"][0] == 1


def test_no_text_is_ever_sql(cache, table):
    cache.put("t", table)
    evil = "1; DROP TABLE x; --' OR '1'='1"
    assert cache.query("SELECT ? AS a", [evil])["a"][0] == evil
    assert len(cache.query("SELECT * FROM _cache_t WHERE s = ?", [evil])) == 0


def test_tags_are_the_contract_of_the_engine():
    assert tag_parameters(None) is None
    assert tag_parameters([None, 1, 2**70]) == [("null", None), ("int", 1), ("hugeint", str(2**70))]
    assert tag_parameters({"a": b"x"}) == {"a": ("blob", b"x")}
    assert tag(D("-1.20"), "x") == ("decimal", ("-120", 3, 2))
    assert tag(dt.timedelta(days=-1), "x") == ("interval", (0, -1, 0))
    assert tag({"a": [1]}, "x") == ("struct", [("a", ("list", [("int", 1)]))])
    kind, value = tag(np.float64("nan"), "x")
    assert kind == "double" and type(value) is float and math.isnan(value)


def test_many_parameters(cache):
    sql = f"SELECT list_sum([{', '.join('?' * 1000)}]) AS a"
    assert cache.query(sql, list(range(1000)))["a"][0] == 499_500


def test_a_long_list(cache):
    assert cache.query("SELECT sum(x) AS a FROM (SELECT unnest(?) AS x)", [np.arange(20_000)])["a"][0] == 199_990_000
