"""Tables and queries of databases: files, connection strings and connections of every kind."""

import datetime as dt
import decimal
import sqlite3
import sys

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from arrow_cache import InvalidArgument, InvalidArgumentType, MissingFileError, MissingPackageError, QueryError, StorageError, UnsupportedTypeError


@pytest.fixture
def sqlite_file(tmp_path):
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.executescript("CREATE TABLE Sales (item TEXT, price REAL, n INT); INSERT INTO Sales VALUES ('pen', 1.5, 2), (NULL, 2, NULL)")
        connection.execute("CREATE VIEW dear AS SELECT * FROM Sales WHERE price > 1.6")
    connection.close()
    return path


@pytest.fixture
def duckdb_file(tmp_path):
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE sales AS SELECT i, i::DECIMAL(9, 2) AS price, DATE '2020-01-01' + i::INT AS day FROM range(1000) t(i)")
        connection.execute("CREATE SCHEMA other; CREATE TABLE other.\"a b\" AS SELECT 7 AS seven; CREATE VIEW few AS FROM sales LIMIT 3")
    return path


@pytest.mark.parametrize("form", [str, lambda path: path, lambda path: f"sqlite:///{path}"])
@pytest.mark.parametrize("table_name", ["Sales", "sales", "main.Sales"])
def test_sqlite_file(cache, sqlite_file, form, table_name):
    assert cache.import_data("s", form(sqlite_file), table_name=table_name, ttl=60) == "s"
    pd.testing.assert_frame_equal(cache.get("s"), pd.DataFrame({"item": ["pen", None], "price": [1.5, 2.0], "n": [2.0, float("nan")]}), check_dtype=False)
    assert cache.get("s", "arrow").schema.types == [pa.string(), pa.float64(), pa.int64()]
    about = cache.get_metadata("s")
    assert about["kind"] == "pandas" and about["ttl"] > 50
    expected = {"source": str(form(sqlite_file)), "source_type": "sqlite", "import_method": "dbapi", "table_name": table_name}
    assert about["metadata"] == expected


def test_sqlite_file_by_query_view_and_type(cache, sqlite_file, tmp_path):
    cache.import_data("q", sqlite_file, query="SELECT count(*) AS n FROM sales")
    assert cache.get("q")["n"].tolist() == [2]
    cache.import_data("v", sqlite_file, table_name="dear")
    assert cache.get("v")["price"].tolist() == [2.0]
    strange = tmp_path / "without ending?#"
    sqlite_file.rename(strange)
    cache.import_data("x", strange, "sqlite", table_name="Sales", schema="main")
    cache.import_query("y", "SELECT price FROM sales WHERE n = :n", strange, options={"parameters": {"n": 2}})
    assert len(cache.get("x")) == 2 and cache.get("y")["price"].tolist() == [1.5]


def test_sqlite_file_is_only_read(cache, sqlite_file):
    with pytest.raises(QueryError, match="readonly"):
        cache.import_data("s", sqlite_file, query="DELETE FROM Sales RETURNING item")


@pytest.mark.parametrize("form", [str, lambda path: path, lambda path: f"duckdb:///{path}"])
def test_duckdb_file(cache, duckdb_file, form):
    cache.import_data("s", form(duckdb_file), table_name="SALES")
    table = cache.get("s", "arrow")
    assert table.schema.types == [pa.int64(), pa.decimal128(9, 2), pa.date32()] and table.num_rows == 1000
    assert table.column("price").to_pylist()[:2] == [decimal.Decimal("0.00"), decimal.Decimal("1.00")]
    assert cache.get_metadata("s")["metadata"]["import_method"] == "duckdb"
    cache.import_data("o", form(duckdb_file), table_name="a b", schema="other")
    assert cache.get("o")["seven"].tolist() == [7]
    cache.import_data("v", form(duckdb_file), table_name="few")
    cache.import_data("q", form(duckdb_file), query="SELECT sum(i)::BIGINT AS s FROM sales WHERE i < $1", options={"parameters": [10]})
    assert len(cache.get("v")) == 3 and cache.get("q")["s"].tolist() == [45]


def test_duckdb_file_that_is_open_already(cache, duckdb_file):
    with duckdb.connect(str(duckdb_file)) as connection:
        connection.execute("INSERT INTO sales SELECT 1000, 1, DATE '2020-01-01'")
        cache.import_data("s", duckdb_file, table_name="sales")
        assert len(cache.get("s")) == 1001
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_variables_of_this_package_are_no_tables(cache, duckdb_file):
    with pytest.raises(QueryError, match="does not exist"):
        cache.import_data("s", duckdb_file, query="SELECT * FROM reader")


def test_settings_of_duckdb(cache, duckdb_file):
    cache.import_data("s", duckdb_file, query="SELECT current_setting('threads') AS n", connection_options={"threads": 1})
    assert cache.get("s")["n"].tolist() == [1]


def test_connection_of_duckdb_keeps_its_own_tables_and_stays_open(cache):
    connection = duckdb.connect()
    connection.execute("CREATE TEMP TABLE mine AS SELECT 1 AS a, NULL AS b")
    cache.import_query("a", "SELECT * FROM mine", connection)
    cache.import_data("b", connection, table_name="mine")
    assert cache.get("a").equals(cache.get("b")) and cache.get("a")["a"].tolist() == [1]
    assert connection.execute("SELECT 2").fetchall() == [(2,)]
    with pytest.raises(InvalidArgument, match="gives no rows"):
        cache.import_query("c", "CREATE TABLE t(a INT)", connection)


def test_connection_of_sqlite_in_its_transaction(cache):
    connection = sqlite3.connect(":memory:")
    connection.row_factory = lambda cursor, row: {"never": "used"}
    connection.execute("CREATE TABLE t (a, b)")
    connection.execute("INSERT INTO t VALUES (1, x'00'), (2, NULL)")
    cache.import_query("t", "SELECT * FROM t WHERE a >= ?", connection, options={"parameters": (1,)})
    cache.import_data("u", connection, table_name="t")
    assert cache.get("t", "dict") == cache.get("u", "dict") == {"a": [1, 2], "b": [b"\0", None]}
    assert connection.in_transaction
    assert cache.get_metadata("t")["metadata"]["source"] == "sqlite3.Connection"


def test_any_dbapi_connection(cache):
    class Cursor:
        description = [("n", None), ("s", None)]

        def execute(self, sql):
            self.rows = [{"n": 1, "s": "x"}, {"n": 2, "s": None}]

        def fetchmany(self, count):
            taken, self.rows = self.rows[:count], self.rows[count:]
            return taken

        def close(self):
            closed.append(self)

    class Connection:
        def cursor(self):
            return Cursor()

    closed = []
    cache.import_data("t", Connection(), table_name="t", schema="s")
    assert cache.get("t", "dict") == {"n": [1, 2], "s": ["x", None]}
    assert len(closed) == 1


def test_columns_of_the_same_name(cache):
    cache.import_query("t", "SELECT 1 AS a, 2 AS a", sqlite3.connect(":memory:"))
    assert cache.get("t").to_numpy().tolist() == [[1, 2]] and list(cache.get("t").columns) == ["a", "a"]


def test_adbc_sqlite(cache, sqlite_file):
    dbapi = pytest.importorskip("adbc_driver_sqlite.dbapi")
    with dbapi.connect(str(sqlite_file)) as connection:
        cache.import_query("q", "SELECT item, n FROM sales WHERE price < ?", connection, options={"parameters": (1.6,)})
        cache.import_data("t", connection, table_name="sales")
        with pytest.raises(InvalidArgument, match="no table 'Salse'; the nearest is 'Sales'"):
            cache.import_data("x", connection, table_name="Salse")
        with pytest.raises(QueryError, match="nowhere"):
            cache.import_query("x", "SELECT * FROM nowhere", connection)
        with pytest.raises(InvalidArgument, match="gives no rows"):
            cache.import_query("x", "CREATE TEMP TABLE t (a)", connection)
    assert cache.get("q", "dict") == {"item": ["pen"], "n": [2]}
    assert cache.get("t", "arrow").num_rows == 2
    about = cache.get_metadata("q")["metadata"]
    assert (about["source_type"], about["import_method"], about["source"]) == ("sqlite", "adbc", "adbc_driver_sqlite.dbapi.AdbcSqliteConnection")


def test_adbc_that_fails_half_way(cache):
    dbapi = pytest.importorskip("adbc_driver_sqlite.dbapi")
    sql = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) SELECT CASE WHEN i < 9000 THEN i ELSE 'x' || i END AS i FROM n"
    with dbapi.connect() as connection, pytest.raises(QueryError, match="adbc_driver_sqlite.*expected INT64"):
        cache.import_query("t", sql, connection)
    assert "t" not in cache


def test_sqlalchemy(cache, sqlite_file):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine(f"sqlite:///{sqlite_file}")
    cache.import_data("e", engine, table_name="Sales")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("INSERT INTO Sales VALUES ('cap', 9, 1)"))
        cache.import_query("c", "SELECT item FROM Sales", connection)
        connection.rollback()
    cache.import_query("u", "SELECT item FROM Sales", f"sqlite+pysqlite:///{sqlite_file}")
    assert len(cache.get("e")) == 2
    assert cache.get("c", "dict")["item"] == ["pen", None, "cap"]
    assert cache.get("u", "dict")["item"] == ["pen", None]
    assert engine.pool.checkedout() == 0
    with pytest.raises(MissingPackageError, match="pip install MySQLdb"):
        cache.import_query("m", "SELECT 1", "mysql://me:hidden@localhost/db")


@pytest.mark.parametrize("missing", ["sqlalchemy"])
def test_without_sqlalchemy(cache, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingPackageError, match="pip install sqlalchemy") as caught:
        cache.import_query("m", "SELECT 1", "mysql://me:hidden@localhost/db")
    assert "hidden" not in str(caught.value)
    assert isinstance(caught.value, ImportError)


def test_without_a_driver_of_postgres(cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingPackageError, match="pip install adbc-driver-postgresql") as caught:
        cache.import_data("p", "postgresql://me:hidden@localhost/db", table_name="t")
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({}, InvalidArgument, "needs either table_name or query"),
        ({"table_name": "sales", "query": "SELECT 1"}, InvalidArgument, "not both"),
        ({"table_name": "slaes"}, InvalidArgument, "no table 'slaes'; the nearest is 'Sales' (there are 'Sales', 'dear')"),
        ({"table_name": "sales", "schema": "nowhere"}, QueryError, "nowhere"),
        ({"table_name": ""}, InvalidArgumentType, "table_name: give a text"),
        ({"table_name": 3}, InvalidArgumentType, "table_name: give a text"),
        ({"query": "SELECT 1", "schema": "main"}, InvalidArgument, "schema: is for table_name"),
        ({"query": "SELEC 1"}, QueryError, "syntax error"),
        ({"query": "SELECT * FROM nowhere"}, QueryError, "no such table"),
        ({"query": "SELECT ?"}, QueryError, "bindings"),
        ({"query": "SELECT ?", "options": {"parameter": [1]}}, InvalidArgument, "options: 'parameter' is unknown"),
        ({"table_name": "sales", "options": {"parameters": [1]}}, InvalidArgument, "table_name takes none"),
        ({"query": "SELECT 1", "connection_options": {"no": 1}}, StorageError, "no"),
        ({"query": "SELECT 1", "connection_options": "timeout=1"}, InvalidArgumentType, "connection_options: give a mapping"),
        ({"query": "SELECT 1", "source_type": "postgress"}, InvalidArgument, "'postgress' is unknown; the nearest is 'postgres' (one of auto, parquet"),
        ({"query": "SELECT 1", "source_type": "iceberg"}, InvalidArgument, "pyiceberg"),
        ({"query": "SELECT 1", "source_type": None}, InvalidArgumentType, "source_type: give a name"),
        ({"query": "SELECT 1", "source_type": "duckdb"}, StorageError, "can't be opened"),
        ({"query": "SELECT 1", "ttl": -1}, InvalidArgument, "ttl"),
        ({"query": "SELECT 1", "metadata": 1}, InvalidArgumentType, "metadata"),
    ],
)
def test_wrong_arguments(cache, sqlite_file, arguments, error, words):
    with pytest.raises(error) as caught:
        cache.import_data("s", sqlite_file, **arguments)
    assert words in str(caught.value)
    assert cache.get_keys() == []


@pytest.mark.parametrize(
    ("connection", "more", "error", "words"),
    [
        (3, {}, InvalidArgumentType, "connection: give a path, URL, connection string or connection, not int"),
        (None, {}, InvalidArgumentType, "connection: give"),
        (sqlite3.Connection, {}, InvalidArgumentType, "connection: give"),
        ("", {}, InvalidArgument, "connection: it is empty"),
        ("no/such.db", {}, MissingFileError, "no SQLite file"),
        ("no/such.duckdb", {}, MissingFileError, "no DuckDB file"),
        ("sqlite://", {}, InvalidArgument, "in memory"),
        ("duckdb:///:memory:", {}, InvalidArgument, "in memory"),
        ("x.parquet", {}, InvalidArgument, "name its kind in connection_type"),
        ("x", {"connection_type": "parquet"}, InvalidArgument, "query: x is a file"),
        ("x", {"connection_type": "nosuch"}, InvalidArgument, "connection_type: 'nosuch' is unknown"),
        ("somewhere", {"connection_type": "postgres"}, InvalidArgument, "no PostgreSQL address"),
        (sqlite3.connect(":memory:"), {"connection_options": {"timeout": 1}}, InvalidArgument, "takes none"),
        (sqlite3.connect(":memory:"), {"connection_type": "csv"}, InvalidArgument, "is for files"),
    ],
)
def test_wrong_connections(cache, connection, more, error, words):
    with pytest.raises(error) as caught:
        cache.import_query("s", "SELECT 1", connection, **more)
    assert words in str(caught.value)


def test_wrong_sql(cache):
    with pytest.raises(InvalidArgumentType, match="sql: give the text"):
        cache.import_query("s", None, sqlite3.connect(":memory:"))
    with pytest.raises(InvalidArgument, match="sql: it is empty"):
        cache.import_query("s", " ", sqlite3.connect(":memory:"))


def test_a_column_that_does_not_fit_is_named(cache):
    with pytest.raises(UnsupportedTypeError, match="column 'b' of the result has values of both int64 and string: cast it in SQL"):
        cache.import_query("s", "SELECT 1 AS a, 2 AS b UNION ALL SELECT 3, 'x'", sqlite3.connect(":memory:"))


def test_metadata_of_the_caller_comes_first(cache):
    mine = {"source": "my own", "day": dt.date(2020, 1, 1)}
    cache.import_query("s", "SELECT 1 AS a", sqlite3.connect(":memory:"), metadata=mine)
    about = cache.get_metadata("s")["metadata"]
    assert about == {**mine, "source_type": "sqlite", "import_method": "dbapi", "query": "SELECT 1 AS a"}
    assert mine == {"source": "my own", "day": dt.date(2020, 1, 1)}


def test_partitions_as_asked_for(cache):
    rows = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 299999) SELECT i FROM n"
    cache.import_query("one", rows, sqlite3.connect(":memory:"), auto_partition=False)
    assert cache.get_metadata("one")["partition_count"] == 1
    with pytest.raises(InvalidArgumentType, match="auto_partition"):
        cache.import_query("one", rows, sqlite3.connect(":memory:"), auto_partition="yes")
