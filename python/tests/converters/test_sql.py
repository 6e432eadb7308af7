"""What SQL sees of an entry: plain names and types, in DuckDB itself over the very table that goes into the cache."""

from __future__ import annotations

from typing import Any

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from .conftest import Stored
from .samples import EXTENSIONS, NUMPY, OBJECTS

SEEN = {
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "uint64": "UBIGINT",
    "float16": "FLOAT",
    "float64": "DOUBLE",
    "float64 big-endian": "DOUBLE",
    "complex128": "STRUCT(re DOUBLE, im DOUBLE)",
    "datetime64[s]": "TIMESTAMP_S",
    "datetime64[us]": "TIMESTAMP",
    "datetime64[ns]": "TIMESTAMP_NS",
    "timedelta64[s]": "INTERVAL",
    "timedelta64[us]": "INTERVAL",
    "Int64 nullable": "BIGINT",
    "boolean": "BOOLEAN",
    "string[python]": "VARCHAR",
    "category of str": "VARCHAR",
    "category of int": "BIGINT",
    "category of bool": "BOOLEAN",
    "category of datetime": "TIMESTAMP WITH TIME ZONE",
    "category of interval": "VARCHAR",
    "category of period": "DATE",
    "category of mixed objects": "VARCHAR",
    "category, none at all": None,
    "Interval int": 'STRUCT("left" BIGINT, "right" BIGINT)',
    "Period[M]": "DATE",
    "Period[h]": "TIMESTAMP_S",
    "Period[us]": "TIMESTAMP",
    "Sparse[int]": "BIGINT",
    "object: str": "VARCHAR",
    "object: all None": None,
    "object: bytes": "BLOB",
    "object: int": "BIGINT",
    "object: int beyond 64 bits": "DECIMAL(38,0)",
    "object: int beyond 38 digits": "VARCHAR",
    "object: Decimal": "DECIMAL(3,2)",
    "object: Decimal of mixed scale": "DECIMAL(4,3)",
    "object: Decimal beyond fixed point": "VARCHAR",
    "object: date": "DATE",
    "object: time": "TIME",
    "object: datetime": "TIMESTAMP",
    "object: datetime with zone": "TIMESTAMP WITH TIME ZONE",
    "object: timedelta": "INTERVAL",
    "object: UUID": "UUID",
    "object: list of int": "BIGINT[]",
    "object: tuple": "BIGINT[]",
    "object: dict of one shape": "STRUCT(a BIGINT, b VARCHAR)",
    "object: dict of several shapes": "STRUCT(a BIGINT, b VARCHAR)",
    "object: dict of int keys": "MAP(BIGINT, VARCHAR)",
    "object: dict as JSON": "JSON",
    "object: numpy array": "DOUBLE[]",
}
EVERY = {**NUMPY, **EXTENSIONS, **{f"object: {name}": build for name, build in OBJECTS.items()}}
pytestmark = pytest.mark.filterwarnings("ignore:PeriodDtype:FutureWarning")


CONNECTION = duckdb.connect()


def sql(text: str, entry: Any) -> Any:
    """Rows of a query over the table ``entry``."""
    CONNECTION.register("entry", entry)
    return CONNECTION.sql(text).to_arrow_table().to_pylist()


@pytest.mark.parametrize("name", EVERY)
def test_duckdb_reads_every_column(name: str) -> None:
    frame = pd.DataFrame({"x": EVERY[name](), "n": range(5)})
    table = Stored(frame).table
    rows = sql("SELECT n, x IS NULL AS missing FROM entry WHERE n >= 0 ORDER BY n", table)
    nulls = table.column("x").is_null().to_pylist()
    assert [row["missing"] for row in rows] == nulls
    sql("SELECT count(*) FROM (SELECT x, count(*) FROM entry GROUP BY x)", table)
    described = sql("DESCRIBE SELECT x FROM entry", table)[0]["column_type"]
    if SEEN.get(name) is not None:
        assert described == SEEN[name]


@pytest.mark.parametrize("name", EVERY)
def test_null_in_sql_is_missing_in_pandas(name: str) -> None:
    if name in (
        "Float64 with NaN and NA",
        "object: complex",
        "complex64",
        "complex128",
        "double[pyarrow] with NaN and NA",
    ):
        pytest.skip("NaN is a value there")
    values = pd.Series(EVERY[name]())
    nulls = Stored(pd.DataFrame({"x": values})).table.column("x").is_null().to_pylist()
    if name == "object: Decimal beyond fixed point":
        assert nulls == [value is None for value in values]  # NaN is kept as text
    elif name != "dictionary[pyarrow]":
        assert nulls == values.isna().tolist()


@pytest.mark.parametrize("rows", [5_000, 50_000])
def test_what_broke_duckdb(rows: int) -> None:
    """Intervals by qcut, as categories, column and index; categories of categories: all in one query after the other."""
    numbers = pd.Series(np.random.default_rng(0).random(rows))
    cut = pd.qcut(numbers, 10)
    intervals = pd.IntervalIndex(cut.array)
    frame = pd.DataFrame({"cut": cut.array, "span": intervals.array, "n": numbers.array}, index=intervals)
    levels = pd.MultiIndex.from_arrays([cut.array, pd.Categorical(["a", "b"] * (rows // 2))])
    for entry in (Stored(frame).table, Stored(frame.set_index(levels)).table):
        assert sql("SELECT count(*) AS n FROM entry", entry)[0]["n"] == rows
        assert len(sql("SELECT cut, avg(n) FROM entry GROUP BY cut", entry)) == 10
        assert sql('SELECT count(span."left") AS n FROM entry', entry)[0]["n"] == rows
        assert len(sql("SELECT DISTINCT span FROM entry", entry)) == 10
        assert sql("SELECT count(*) AS n FROM (SELECT * FROM entry ORDER BY ALL)", entry)[0]["n"] == rows


def test_names() -> None:
    labels = pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])
    frame = pd.DataFrame([[1, 2], [3, 4]], columns=labels, index=pd.Index(["x", "y"], name="k"))
    assert sql("SELECT a_1 + a_2 AS s FROM entry WHERE k = 'y'", Stored(frame).table) == [{"s": 7}]
    numbered = pd.DataFrame(np.ones((2, 2)), index=["p", "q"])
    assert sql('SELECT "0" + "1" AS s, __index_level_0__ AS i FROM entry LIMIT 1', Stored(numbered).table) == [
        {"s": 2.0, "i": "p"}
    ]
    series = pd.Series([1, 2, 3])
    assert sql("SELECT sum(value) AS s FROM entry", Stored(series).table) == [{"s": 6}]


def test_times_are_the_same_moments() -> None:
    frame = pd.DataFrame({"t": pd.to_datetime(["2020-03-29 01:30"]).tz_localize("UTC").tz_convert("Europe/Paris")})
    assert sql("SELECT epoch(t) AS e FROM entry", Stored(frame).table) == [{"e": frame["t"][0].timestamp()}]


def test_period_start_can_be_compared() -> None:
    frame = pd.DataFrame({"p": pd.period_range("2020-01", periods=12, freq="M")})
    assert sql("SELECT count(*) AS n FROM entry WHERE p >= DATE '2020-07-01'", Stored(frame).table) == [{"n": 6}]


def test_json_can_be_reached_into() -> None:
    frame = pd.DataFrame({"j": [{"a": 1}, {"a": "x", "b": [1, 2]}, {"a": [1]}]})
    assert sql("SELECT j->>'$.b[1]' AS b FROM entry WHERE j->>'a' = 'x'", Stored(frame).table) == [{"b": "2"}]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_with_a_zone_can_be_computed_with(unit: str) -> None:
    times = pd.DatetimeIndex(["2020-03-29 01:30:00", None], tz="UTC").as_unit(unit).tz_convert("Europe/Paris")
    text = "SELECT extract(year FROM t) AS y, date_trunc('month', t) < t + INTERVAL 1 day AS b, t - t AS z FROM entry WHERE t IS NOT NULL"
    for column in (times, times.astype(object)):
        rows = sql(text, Stored(pd.DataFrame({"t": column})).table)
        assert [(row["y"], row["b"]) for row in rows] == [(2020, True)]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_missing_durations_can_be_read(unit: str) -> None:
    table = Stored(pd.DataFrame({"d": pd.to_timedelta(["1D", None]).as_unit(unit)})).table
    assert sql("SELECT count(d) AS n, max(d) = INTERVAL 1 day AS m FROM entry", table) == [{"n": 1, "m": True}]


@pytest.mark.parametrize("crs", [None, "EPSG:4326", "EPSG:27700", "+proj=laea +lat_0=10 +lon_0=20"])
def test_geometry_is_geometry(crs: Any) -> None:
    frame = gpd.GeoDataFrame({"n": [1, 2]}, geometry=gpd.points_from_xy([0, 1], [2, 3]), crs=crs)
    table = Stored(frame).table
    assert sql("DESCRIBE SELECT geometry FROM entry", table)[0]["column_type"].startswith("GEOMETRY")
    assert sql("SELECT ST_AsText(geometry) AS g FROM entry ORDER BY n", table)[1]["g"] == "POINT (1 3)"
    from arrow_cache import converters

    with duckdb.connect() as connection:
        connection.register("entry", table)
        back = converters.from_result(
            connection.sql("SELECT geometry, n FROM entry WHERE n = 2").to_arrow_table(), "geopandas"
        )
    assert back.geometry.iloc[0].wkt == "POINT (1 3)"
    assert back.crs == frame.crs


def test_spatial_functions_where_the_extension_is_there() -> None:
    extension = pytest.importorskip("duckdb_extension_spatial")
    found = next(__import__("pathlib").Path(extension.__file__).parent.rglob("spatial.duckdb_extension"))
    square = gpd.GeoDataFrame(
        {"n": [1]}, geometry=gpd.GeoSeries.from_wkt(["POLYGON ((-1 -1, 1 -1, 1 1, -1 1, -1 -1))"]), crs="EPSG:4326"
    )
    with duckdb.connect() as connection:
        connection.execute(f"LOAD '{found}'")
        connection.register("entry", Stored(square).table)
        assert connection.sql("SELECT n FROM entry WHERE ST_Contains(geometry, ST_Point(0, 0))").fetchall() == [(1,)]


def test_arrow_columns_that_duckdb_lacks_are_kept_out_of_pandas_entries() -> None:
    """No pandas column, whatever its dtype, becomes a type on which DuckDB's import fails (half floats, wide decimals)."""
    for name, build in EVERY.items():
        kind = Stored(pd.DataFrame({"x": build()})).table.schema.field("x").type
        assert not pa.types.is_float16(kind), name
        assert not pa.types.is_decimal256(kind), name
