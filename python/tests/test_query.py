
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal
from query_answers import values

from arrow_cache import ArrowCache, CacheError


def test_a_query_gives_a_frame(sales):
    got = sales.query("SELECT region, sum(amount) AS total FROM _cache_sales GROUP BY region ORDER BY region LIMIT 2")
    assert isinstance(got, pd.DataFrame)
    assert values(got) == [("n", 4.0), ("s", 6.0)]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT name, sum(n) FROM _cache_sales JOIN _cache_regions USING (region) GROUP BY ALL ORDER BY 1", [("north", 2), ("south", 4)]),
        ("WITH s AS (SELECT * FROM _cache_sales) SELECT count(*) FROM s a, s b WHERE a.n < b.n", [(10,)]),
        ("SELECT count(*) FROM _cache_sales WHERE region IN (SELECT region FROM _cache_regions)", [(4,)]),
        ("SELECT max(n) FROM (SELECT n FROM _cache_sales WHERE amount > 1)", [(3,)]),
        ("SELECT n FROM _cache_sales ORDER BY n DESC LIMIT 1 OFFSET 1", [(3,)]),
        ("FROM _cache_regions SELECT count(*)", [(2,)]),
        ('SELECT count(*) FROM "_cache_sales"', [(5,)]),
        ("SELECT count(*) FROM _CACHE_SALES", [(5,)]),
        ("SELECT s.n FROM _cache_sales AS s WHERE s.amount IS NULL", [(4,)]),
        ("SELECT 1 UNION ALL SELECT n FROM _cache_sales WHERE n = 3", [(1,), (3,)]),
        ("SELECT n, rank() OVER (ORDER BY n DESC) FROM _cache_sales QUALIFY rank() OVER (ORDER BY n DESC) = 1", [(4, 1)]),
        ("SELECT 1; SELECT 2", [(2,)]),
        ("SELECT 1;;", [(1,)]),
        ("-- a comment\nSELECT /* another */ 1", [(1,)]),
        ("SELECT ';' AS a", [(";",)]),
    ],
)
def test_sql_over_entries(sales, sql, rows):
    assert values(sales.query(sql)) == rows


def test_sql_is_another_name_of_query(sales):
    assert_frame_equal(sales.sql("SELECT 1 AS a"), sales.query("SELECT 1 AS a"))
    assert sales.sql("SELECT ? AS a", [5], target_type="dict") == {"a": [5]}


@pytest.mark.parametrize(
    "key",
    ["with space", 'a "quoted" one', "it's", "dots.and.more", "1st", "ключ", "🦆", "semi;colon", "MiXed", "select", "new\nline", "x" * 300],
)
def test_any_key_is_a_table(cache, key):
    cache.put(key, pd.DataFrame({"v": [7]}))
    quoted = '"_cache_' + key.replace('"', '""') + '"'
    assert cache.query(f"SELECT v FROM {quoted}")["v"][0] == 7
    assert values(cache.query(f"DESCRIBE {quoted}"))[0][:2] == ("v", "BIGINT")
    assert "v" in cache.query(f"SUMMARIZE {quoted}")["column_name"].tolist()
    assert cache.query(f"SELECT count(*) AS n FROM {quoted} a JOIN {quoted} b USING (v)")["n"][0] == 1


def test_keys_that_differ_by_case(cache):
    cache.put("Abc", pa.table({"v": [1]}))
    cache.put("abc", pa.table({"v": [2]}))
    assert cache.query("SELECT v FROM _cache_Abc")["v"][0] == 1
    assert cache.query("SELECT v FROM _cache_abc")["v"][0] == 2
    with pytest.raises(CacheError, match="(?s)Abc.*abc"):
        cache.query("SELECT v FROM _cache_ABC")
    cache.remove("Abc")
    assert cache.query("SELECT v FROM _cache_ABC")["v"][0] == 2


def test_a_query_sees_the_present_version(cache):
    for number in range(5):
        cache.put("t", pa.table({f"c{number}": [number]}))
        got = cache.query("SELECT * FROM _cache_t")
        assert list(got.columns) == [f"c{number}"] and got.iloc[0, 0] == number


# --- targets -----------------------------------------------------------------------------------------------------------------


def test_targets(sales):
    sql = "SELECT n, region FROM _cache_sales ORDER BY n"
    expected = {"n": [0, 1, 2, 3, 4], "region": ["n", "s", "n", "s", "w"]}
    assert sales.query(sql).to_dict("list") == expected
    assert sales.query(sql, target_type="pandas").to_dict("list") == expected
    arrow = sales.query(sql, target_type="arrow")
    assert isinstance(arrow, pa.Table) and arrow.to_pydict() == expected
    polars = sales.query(sql, target_type="polars")
    assert isinstance(polars, pl.DataFrame) and polars.to_dict(as_series=False) == expected
    reader = sales.query(sql, target_type="reader")
    assert isinstance(reader, pa.RecordBatchReader) and reader.read_all().to_pydict() == expected
    assert {name: list(column) for name, column in sales.query(sql, target_type="dict").items()} == expected
    numbers = sales.query(sql, target_type="numpy")
    assert {name: list(numbers[name]) for name in ("n", "region")} == expected
    capsule = sales.query(sql, target_type="capsule")
    assert pa.RecordBatchReader._import_from_c_capsule(capsule).read_all().to_pydict() == expected


def test_the_configured_target(table):
    with ArrowCache(query_target_type="arrow") as cache:
        assert isinstance(cache.query("SELECT 1"), pa.Table)
        assert isinstance(cache.query("SELECT 1", target_type="pandas"), pd.DataFrame)


def test_a_reader_produces_rows_while_it_is_read(cache):
    reader = cache.query("SELECT range AS n FROM range(3000000)", target_type="reader")
    first = reader.read_next_batch()
    assert 0 < first.num_rows < 3_000_000 and first["n"][0].as_py() == 0
    assert first.num_rows + sum(batch.num_rows for batch in reader) == 3_000_000


def test_a_reader_that_is_dropped_ends_its_query(cache):
    for _ in range(20):
        reader = cache.query("SELECT range AS n FROM range(100000000)", target_type="reader")
        reader.read_next_batch()
        del reader
    assert cache.query("SELECT 1 AS a")["a"][0] == 1


def test_a_stream_that_fails_says_so(cache):
    # DuckDB 1.5 tells now and then of the threads that it stopped in place of the error that made it stop them.
    with pytest.raises((pa.ArrowException, CacheError, OSError), match="Could not convert string 'x'|interrupted"):
        cache.query(
            "SELECT CAST(CASE WHEN range = 2999999 THEN 'x' ELSE '1' END AS INTEGER) FROM range(3000000)", target_type="reader"
        ).read_all()
    assert cache.query("SELECT 1 AS a")["a"][0] == 1


def test_results_outlive_the_cache(sales):
    got = sales.query("SELECT * FROM _cache_sales", target_type="arrow")
    sales.remove("sales")
    sales.close()
    assert got.num_rows == 5 and got["region"].to_pylist() == ["n", "s", "n", "s", "w"]
    got.validate(full=True)


def test_results_without_rows_have_columns(sales):
    got = sales.query("SELECT region, n FROM _cache_sales WHERE n > 100")
    assert got.shape == (0, 2) and list(got.columns) == ["region", "n"]


def test_columns_of_one_name(sales):
    got = sales.query("SELECT 1 AS a, 2 AS a", target_type="arrow")
    assert got.column_names == ["a", "a"] and [column.to_pylist() for column in got.columns] == [[1], [2]]
    for _ in range(3):  # also where the result was kept
        frame = sales.query("SELECT x.region, y.region, x.n AS Region FROM _cache_sales x JOIN _cache_sales y USING (n)")
        assert frame.columns.tolist() == ["region", "region_1", "Region_2"]


# --- statements --------------------------------------------------------------------------------------------------------------


def test_statements_without_rows_give_what_duckdbs_client_gives(cache):
    import duckdb

    client = duckdb.connect()
    for sql in (
        "CREATE TABLE t (i INTEGER, s VARCHAR)",
        "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
        "UPDATE t SET s = 'c' WHERE i = 1",
        "DELETE FROM t WHERE i = 5",
        "CREATE VIEW v AS SELECT * FROM t",
        "SELECT * FROM v ORDER BY i",
        "ALTER TABLE t ADD COLUMN d DOUBLE",
        "DESCRIBE t",
        "SHOW TABLES",
        "DROP VIEW v",
        "CREATE MACRO twice(a) AS 2 * a",
        "SELECT twice(21) AS answer",
        "CREATE SEQUENCE s",
        "CREATE TYPE mood AS ENUM ('sad', 'glad')",
        "DROP TABLE t",
        "CHECKPOINT",
    ):
        expected, got = client.execute(sql).df(), cache.query(sql)
        assert list(got.columns) == list(expected.columns), sql
        assert got.astype(object).where(got.notna(), None).values.tolist() == expected.astype(object).where(expected.notna(), None).values.tolist(), sql


def test_tables_and_views_of_ones_own(sales):
    sales.query("CREATE TABLE totals AS SELECT region, sum(amount) AS total FROM _cache_sales GROUP BY region")
    sales.query("CREATE VIEW large AS SELECT * FROM totals WHERE total > 5")
    assert values(sales.query("SELECT region FROM large")) == [("s",)]
    sales.query("CREATE VIEW live AS SELECT count(*) AS n FROM _cache_sales")
    assert sales.query("SELECT n FROM live")["n"][0] == 5


def test_files_in_sql(sales, tmp_path):
    file = tmp_path / "out.parquet"
    sales.query(f"COPY (SELECT * FROM _cache_sales ORDER BY n) TO '{file}'")
    assert sales.query(f"SELECT count(*) AS n FROM '{file}'")["n"][0] == 5
    assert pd.read_parquet(file)["n"].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE _cache_sales",
        "DELETE FROM _cache_sales",
        "UPDATE _cache_sales SET n = 0",
        "INSERT INTO _cache_sales VALUES ('x', 1, 1)",
        "ALTER TABLE _cache_sales DROP COLUMN n",
        "TRUNCATE _cache_sales",
        "ATTACH ':memory:' AS other; USE other",
        "DROP SCHEMA main CASCADE",
        "BEGIN; CREATE TABLE half (i INTEGER)",
        "ROLLBACK",
        "DETACH memory",
        "SET threads = 'many'",
    ],
)
def test_no_sql_damages_the_cache(sales, sql):
    try:
        sales.query(sql)
    except CacheError:
        pass
    assert values(sales.query("SELECT count(*), sum(n) FROM _cache_sales")) == [(5, 10)]
    assert sales.get("sales")["n"].tolist() == [0, 1, 2, 3, 4]
    assert sales.get_keys() == ["sales", "regions"]


def test_large_numbers_of_rows(cache):
    rows = 300_000
    cache.put("t", pa.table({"n": np.arange(rows), "s": pa.array(np.arange(rows).astype(str))}))
    got = cache.query("SELECT * FROM _cache_t WHERE n % 2 = 0 ORDER BY n")
    assert len(got) == rows // 2 and got["n"].iloc[-1] == rows - 2 and got["s"].iloc[-1] == str(rows - 2)


def test_a_collected_result_does_not_hold_its_producers_back(cache):
    ask = "SELECT any_value(value) AS size FROM duckdb_settings() WHERE name LIKE '%streaming%buffer%size'"

    def sizes():
        streamed = cache.query(ask, target_type="reader").read_all()
        return cache.query(ask, target_type="arrow")["size"][0].as_py(), streamed["size"][0].as_py()

    collected, streamed = sizes()
    assert streamed == duckdb.connect().execute(ask).fetchone()[0]
    assert collected != streamed
    assert sizes() == (collected, streamed)

    cache.query("SET streaming_buffer_size = '7MB'")
    assert sizes() == ("6.6 MiB", "6.6 MiB")
