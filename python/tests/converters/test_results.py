"""Query results in every form: DuckDB's types as those who asked expect them."""

from __future__ import annotations

import decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from arrow_cache import converters

from .samples import PANDAS_3


def query(sql: str) -> pa.Table:
    with duckdb.connect() as connection:
        return connection.sql(sql).to_arrow_table()


def as_pandas(sql: str) -> pd.DataFrame:
    found = converters.from_result(query(sql), "pandas")
    assert isinstance(found, pd.DataFrame)
    return found


def test_sum_of_integers_is_an_integer() -> None:
    back = as_pandas("SELECT sum(i) AS s FROM range(10) t(i)")
    assert back["s"].dtype == np.int64
    assert back["s"].tolist() == [45]
    assert converters.from_result(query("SELECT sum(i) AS s FROM range(10) t(i)"), "polars").schema["s"] == pl.Int64


def test_sum_beyond_64_bits_stays_exact() -> None:
    back = as_pandas("SELECT sum(i) AS s FROM (SELECT 9223372036854775807 AS i UNION ALL SELECT 1)")
    assert back["s"].tolist() == [decimal.Decimal(2**63)]


def test_sum_with_missing_groups() -> None:
    back = as_pandas("SELECT sum(i) AS s FROM (VALUES (1, 1), (2, NULL)) t(g, i) GROUP BY g ORDER BY g")
    assert back["s"].tolist()[0] == 1
    assert np.isnan(back["s"].tolist()[1])


def test_big_integers_beside_nulls_stay_exact() -> None:
    back = as_pandas("SELECT * FROM (VALUES (9007199254740993), (NULL)) t(i)")
    assert back["i"].dtype == "Int64"
    assert back["i"].tolist() == [9007199254740993, pd.NA]


def test_decimals_stay_exact() -> None:
    assert as_pandas("SELECT 1.10::DECIMAL(10, 2) AS d")["d"].tolist() == [decimal.Decimal("1.10")]


def test_intervals_without_months_are_durations() -> None:
    back = as_pandas("SELECT i FROM (VALUES (INTERVAL '1 day 2 seconds'), (NULL), (-INTERVAL '3 hours')) t(i)")
    assert back["i"].dtype.kind == "m"
    assert back["i"].tolist() == [pd.Timedelta("1 day 2s"), pd.NaT, pd.Timedelta("-3h")]
    assert converters.from_result(query("SELECT INTERVAL '1 day' AS i"), "polars").schema["i"] == pl.Duration("us")


def test_intervals_with_months_are_offsets() -> None:
    back = as_pandas("SELECT INTERVAL '1 month 2 days' AS i")
    assert pd.Timestamp("2020-01-31") + back["i"].iloc[0] == pd.Timestamp("2020-03-02")


@pytest.mark.parametrize(
    ("sql", "dtype", "values"),
    [
        ("SELECT 1::TINYINT", "int8", [1]),
        ("SELECT 1::UBIGINT", "uint64", [1]),
        ("SELECT 1.5::FLOAT", "float32", [1.5]),
        ("SELECT true", "bool", [True]),
        ("SELECT 'x'", "str" if PANDAS_3 else "object", ["x"]),
        ("SELECT TIMESTAMP '2020-01-01 00:00:01'", "datetime64[us]", [pd.Timestamp("2020-01-01 00:00:01")]),
        ("SELECT TIMESTAMP_NS '2020-01-01 00:00:01'", "datetime64[ns]", [pd.Timestamp("2020-01-01 00:00:01")]),
        ("SELECT 'x'::ENUM('y', 'x')", "category", ["x"]),
        ("SELECT 'a'::BLOB", "object", [b"a"]),
        ("SELECT NULL", None, [None]),
        ("SELECT {'a': 1, 'b': [1, 2]}", "object", [{"a": 1, "b": [1, 2]}]),
        ("SELECT MAP {'a': 1}", "object", [[("a", 1)]]),
        ("SELECT union_value(k := 1)", "object", [1]),
        ("SELECT '12345678-1234-1234-1234-123456789012'::UUID", None, None),
    ],
)
def test_types(sql: str, dtype: Any, values: Any) -> None:
    column = as_pandas(sql).iloc[:, 0]
    assert dtype is None or str(column.dtype) == dtype
    assert len(column) == 1
    if values is not None:
        found = column.tolist()[0]
        if isinstance(found, dict):
            found["b"] = found["b"].tolist()
        assert found == values[0] or (values[0] is None and pd.isna(found))


@pytest.mark.parametrize("target", [kind for kind in converters.target_kinds() if kind not in ("geopandas", "capsule")])
def test_every_form(target: str) -> None:
    back = converters.from_result(query("SELECT i, i::VARCHAR AS s FROM range(1000) t(i)"), target)
    if target == "reader":
        back = back.read_all()
    if isinstance(back, dict):
        assert [len(column) for column in back.values()] == [1000, 1000]
        back = {name: list(column) for name, column in back.items()}
        assert (back["i"][999], back["s"][999]) == (999, "999")
    else:
        assert len(back) == 1000
        assert list(map(int, back["i"].to_pylist() if isinstance(back, pa.Table) else back["i"]))[999] == 999


def test_no_rows_and_no_columns_of_the_same_name() -> None:
    assert as_pandas("SELECT 1 AS a, 2 AS A WHERE false").shape == (0, 2)
    doubled = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert converters.from_result(doubled, "pandas").columns.tolist() == ["a", "a_1"]


def test_results_can_be_written_to() -> None:
    table = query("SELECT i FROM range(5) t(i)")
    back = converters.from_result(table, "pandas")
    back.iloc[0, 0] = 99
    back["j"] = back["i"] + 1
    assert table.column("i").to_pylist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "names",
    [["x", "x"], ["x", "x", "X", "x_1", "x"], ["a", "A", "a_1", "A_1", "a"], ["x_1", "x", "x"], ["", "", "Ä", "ä"], ["b", "a"], ["a", "a_1", "a_1", "a", "a"]],
)
def test_columns_of_one_name_are_named_as_duckdbs_client_does(names: list[str]) -> None:
    sql = "SELECT " + ", ".join(f'{number} AS "{name}"' if name else f"{number} AS c" for number, name in enumerate(names))
    with duckdb.connect() as connection:
        expected = connection.execute(sql).df()
    back = as_pandas(sql)
    assert back.columns.tolist() == expected.columns.tolist()
    assert back.iloc[0].tolist() == expected.iloc[0].tolist()
    assert converters.from_result(query(sql), "polars").columns == back.columns.tolist()
    assert converters.from_result(query(sql), "arrow").column_names == query(sql).column_names
