"""Columns that are kept in fewer bytes once scans read them again: every Arrow type of numbers and times stays what it is."""

from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache

ROWS = 30_000
INTEGERS = [pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64()]
TIMES = [pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")]
STAMPS = [pa.timestamp(unit, tz) for unit in ("s", "ms", "us", "ns") for tz in (None, "UTC", "Asia/Kathmandu")]
DURATIONS = [pa.duration(unit) for unit in ("s", "ms", "us", "ns")]
DECIMALS = [pa.decimal32(5, 1), pa.decimal64(12, 3), pa.decimal128(3, 0), pa.decimal128(9, 2), pa.decimal128(18, 6), pa.decimal128(38, 2)]
QUESTIONS = ["SELECT row + 0 AS row, n FROM {t}", "SELECT n, count(*) AS c FROM {t} GROUP BY n ORDER BY n", "SELECT max(n) AS m FROM {t} WHERE row % 3 = 1"]


def column(kind: pa.DataType) -> pa.Array:
    step = 86_400_000 if kind == pa.date64() else 1
    numbers = [None if row % 11 == 0 else row * 7 % 100 * step for row in range(ROWS)]
    if pa.types.is_decimal(kind):
        return pa.array([None if number is None else Decimal(number) for number in numbers], kind)
    storage = {32: pa.int32(), 64: pa.int64()}.get(kind.bit_width, kind)
    return pa.array(numbers, kind if pa.types.is_integer(kind) else storage).cast(kind)


CONDITIONS = [
    "n = {a}", "n <> {a}", "n < {a}", "n <= {a}", "n > {b}", "n >= {b}", "n BETWEEN {a} AND {b}", "n BETWEEN {b} AND {a}", "n IN ({a}, {b})", "n NOT IN ({a}, {b})",
    "n IS NULL", "n IS DISTINCT FROM {a}", "n = {a} OR n = {b}", "n > {a} AND n < {b} AND row > 900", "NOT n > {a}",
]  # fmt: skip


@pytest.mark.parametrize("kind", INTEGERS + TIMES + STAMPS + DURATIONS + DECIMALS, ids=str)
def test_a_column_stays_what_it_is_however_often_it_is_read(kind: pa.DataType) -> None:
    table = pa.table({"n": column(kind), "row": range(ROWS)})
    with duckdb.connect() as plain, ArrowCache(memory_limit="64MiB", cache_query_results=False, query_target_type="arrow") as cache:
        plain.register("t", table)
        cache.put("t", table)
        for sql in QUESTIONS:
            expected = plain.sql(sql.format(t="t")).to_arrow_table()
            for _ in range(4):
                assert cache.query(sql.format(t="_cache_t")).equals(expected), sql
        assert cache.get("t", target_type="arrow").equals(table)


@pytest.mark.parametrize("kind", INTEGERS + TIMES + STAMPS + DURATIONS + DECIMALS, ids=str)
def test_filters_find_the_same_rows_however_often_they_are_asked(kind: pa.DataType) -> None:
    table = pa.table({"n": column(kind), "row": range(ROWS)})
    with duckdb.connect() as plain, ArrowCache(memory_limit="64MiB", cache_query_results=False, query_target_type="arrow") as cache:
        plain.register("source", table)
        plain.execute("CREATE TABLE t AS SELECT * FROM source")  # 1.5 has no filters on nanoseconds of Arrow tables
        cache.put("t", table)
        for engine in (plain.execute, cache.query):
            engine("SET TimeZone = 'UTC'")
        type_name, least, some, most = plain.sql(
            "SELECT typeof(any_value(n)), min(n)::VARCHAR, (min(n) FILTER (row = 5))::VARCHAR, max(n)::VARCHAR FROM t"
        ).fetchall()[0]
        literals = [f"CAST('{value}' AS {type_name})" for value in (least, some, most)]
        for condition in CONDITIONS:
            for a, b in [(literals[0], literals[1]), (literals[1], literals[2])]:
                sql = f"SELECT count(*) AS c, sum(row) AS s, min(n) AS l FROM {{t}} WHERE {condition.format(a=a, b=b)}"
                expected = plain.sql(sql.format(t="t")).to_arrow_table()
                for _ in range(2):
                    assert cache.query(sql.format(t="_cache_t")).equals(expected), sql
