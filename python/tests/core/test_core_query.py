"""SQL through the native module: parameters by tag, results, plans, errors."""

import datetime as dt
import decimal
import uuid
from typing import Any

import pyarrow as pa
import pytest

import arrow_cache
from arrow_cache import _core

InvalidArgument = arrow_cache.errors.InvalidArgument


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (("null", None), None),
        (("bool", True), True),
        (("int", -(2**63)), -(2**63)),
        (("int", 2**63 - 1), 2**63 - 1),
        (("hugeint", str(2**100)), 2**100),
        (("double", 0.1), 0.1),
        (("text", "a\0'ж"), "a\0'ж"),
        (("text", ""), ""),
        (("blob", b"\x00\xff"), b"\x00\xff"),
        (("date", -1), dt.date(1969, 12, 31)),
        (("time", 1), dt.time(0, 0, 0, 1)),
        (("timestamp", 1_000_000), dt.datetime(1970, 1, 1, 0, 0, 1)),
        (("decimal", ("12345", 10, 2)), decimal.Decimal("123.45")),
        (("list", [("int", 1), ("null", None)]), [1, None]),
        (("struct", [("a", ("int", 1)), ("b", ("text", "x"))]), {"a": 1, "b": "x"}),
    ],
)
def test_parameter_of_each_tag(core: Any, parameter: tuple[str, Any], value: Any) -> None:
    if parameter[0] == "hugeint":
        assert core.query("SELECT $1::VARCHAR AS v", [parameter]) == [{"v": str(value)}]
    else:
        assert core.query("SELECT $1 AS v", [parameter]) == [{"v": value}]


def test_parameters_that_arrow_shows_otherwise(core: Any) -> None:
    identity = uuid.uuid4()
    rows = core.query(
        "SELECT $1::VARCHAR AS u, $2::VARCHAR AS i, $3::VARCHAR AS n, epoch_us($4) AS z",
        [("uuid", str(identity)), ("interval", (14, 3, 1_000_000)), ("timestamp_ns", 1), ("timestamptz", 5)],
    )
    assert rows == [{"u": str(identity), "i": "1 year 2 months 3 days 00:00:01", "n": "1970-01-01 00:00:00.000000001", "z": 5}]


def test_parameters_by_name(core: Any, numbers: pa.Table) -> None:
    core.put("k", numbers)
    rows = core.query("SELECT n FROM _cache_k WHERE n > $low AND n < $high", {"low": ("int", 2), "high": ("int", 5)})
    assert rows == [{"n": 3}, {"n": 4}]


def nested(depth: int) -> Any:
    return ("list", [nested(depth - 1)]) if depth else ("int", 1)


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        (5, TypeError, "parameters must be a sequence, not int"),
        ("ab", TypeError, "parameters must be a sequence, not str"),
        ([5], TypeError, r"parameters\[0\] must be a tuple, not int"),
        ([("int",)], InvalidArgument, r"parameters\[0\] must have 2 elements, not 1"),
        ([(1, 1)], TypeError, r"the tag of parameters\[0\] must be a str"),
        ([("number", 1)], InvalidArgument, r'parameters\[0\] has the unknown tag "number"'),
        ([("int", 2**63)], InvalidArgument, r"parameters\[0\] is beyond 64 bits"),
        ([("int", 1.5)], TypeError, r"parameters\[0\] must be an int, not float"),
        ([("date", 2**31)], InvalidArgument, r"parameters\[0\] is 2147483648: it must be within"),
        ([("hugeint", "12x")], InvalidArgument, "it must be an integer within 128 bits"),
        ([("hugeint", str(2**127))], InvalidArgument, "it must be an integer within 128 bits"),
        ([("text", "\ud800")], ValueError, "lone surrogate"),
        ([("blob", "text")], TypeError, r"parameters\[0\] must be bytes, not str"),
        ([("interval", (1, 2))], InvalidArgument, r"parameters\[0\] must have 3 elements, not 2"),
        ([("interval", (2**31, 0, 0))], InvalidArgument, r"the months of parameters\[0\]"),
        ([("decimal", ("1", 39, 0))], InvalidArgument, r"DECIMAL\(39, 0\)"),
        ([("decimal", ("1", 3, 4))], InvalidArgument, r"DECIMAL\(3, 4\)"),
        ([("decimal", ("1234", 3, 0))], InvalidArgument, "more digits"),
        ([("list", 1)], TypeError, r"parameters\[0\] must be a sequence"),
        ([("list", [("int", "x")])], TypeError, r"parameters\[0\]\[0\] must be an int"),
        ([("struct", [("a", ("int", "x"))])], TypeError, r"parameters\[0\].a must be an int"),
        ([nested(70)], InvalidArgument, "nested deeper than 64 levels"),
        ({1: ("int", 1)}, TypeError, "a key of parameters must be a str"),
        ({"a": 1}, TypeError, r'parameters\["a"\] must be a tuple'),
    ],
)
def test_wrong_parameters(core: Any, parameters: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        core.query("SELECT $1", parameters)
    assert core.query("SELECT $1 AS v", [("int", 1)]) == [{"v": 1}]


@pytest.mark.parametrize("parameters", [None, [], [("int", 1)], [("int", 1)] * 3, {"a": ("int", 1)}])
def test_number_of_parameters_must_fit(core: Any, parameters: Any) -> None:
    with pytest.raises(arrow_cache.CacheError):
        core.query("SELECT $1 + $2", parameters)
    assert core.query("SELECT 1 AS v") == [{"v": 1}]


@pytest.mark.parametrize("sql", ["SELEC 1", "", ";", "SELECT * FROM nowhere", "SELECT 'x'::INTEGER", "SELECT * FROM _cache_missing"])
def test_sql_errors_are_query_errors(core: Any, sql: str) -> None:
    with pytest.raises(arrow_cache.errors.QueryError):
        core.query(sql)
    assert core.query("SELECT 1 AS v") == [{"v": 1}]


def test_sql_must_be_text_without_nul(core: Any) -> None:
    with pytest.raises(TypeError, match="sql must be a str, not bytes"):
        core.query(b"SELECT 1")
    with pytest.raises(InvalidArgument, match="NUL"):
        core.query("SELECT 1\0; DROP TABLE x")
    with pytest.raises(TypeError, match="streaming must be a bool, not int"):
        _core.query(core.handle, "SELECT 1", None, 1, None)


def test_result_that_streams_is_the_same(core: Any, numbers: pa.Table) -> None:
    core.put("k", numbers)
    sql = "SELECT n, s FROM _cache_k ORDER BY n DESC"
    assert core.query(sql, streaming=True) == core.query(sql) == numbers.select(["n", "s"]).to_pylist()[::-1]


def test_error_while_a_result_is_read(core: Any) -> None:
    sql = "SELECT CASE WHEN i = 900000 THEN error('far down') ELSE i END AS v FROM range(1000000) t(i)"
    with pytest.raises(arrow_cache.errors.QueryError, match="far down"):
        core.query(sql)
    with pytest.raises((arrow_cache.errors.QueryError, OSError), match="far down"):
        core.query(sql, streaming=True)
    assert core.query("SELECT 1 AS v") == [{"v": 1}]


def test_plan(core: Any, numbers: pa.Table) -> None:
    core.put("k", numbers)
    assert "arrow_cache" in _core.explain(core.handle, "SELECT sum(n) FROM _cache_k", None, False, None).lower()
    assert "total time" in _core.explain(core.handle, "SELECT sum(n) FROM _cache_k", None, True, None).lower()
    with pytest.raises(arrow_cache.errors.QueryError):
        _core.explain(core.handle, "SELECT 1; SELECT 2", None, False, None)


def test_queries_are_counted(core: Any) -> None:
    core.query("SELECT 1")
    _core.explain(core.handle, "SELECT 1", None, False, None)
    status = _core.status(core.handle)
    assert status["query_count"] == 2
    assert status["duckdb_engine"] == ("v2" if status["duckdb_version"].startswith("v2") else "v1")
    assert status["uptime_seconds"] > 0
    assert set(map(type, status.values())) <= {int, float, str, type(None), dict}
    assert set(status["causes"]) == {"spilled", "loaded", "evicted", "expired"}
