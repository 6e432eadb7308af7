"""A PostgreSQL server for real: every way to it, every type, gigabytes not needed."""

import datetime as dt
import decimal
import sys
import uuid
from urllib.parse import quote

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import postgres_server
from arrow_cache import InvalidArgument, MissingFileError, QueryError, StorageError, UnsupportedTypeError

psycopg = pytest.importorskip("psycopg")
adbc = pytest.importorskip("adbc_driver_postgresql.dbapi")
if postgres_server.why_not():
    pytest.skip(postgres_server.why_not(), allow_module_level=True)

D = decimal.Decimal
UTC = dt.timezone.utc
TYPES = """
  SELECT 1::int2 AS i2, 2::int4 AS i4, 3::int8 AS i8, 1.5::float4 AS f4, 2.5::float8 AS f8, true AS b, 'x'::text AS t, 'y'::varchar(5) AS v,
    'z '::char(2) AS c, '\\x01'::bytea AS bytes, date '2020-01-02' AS day, time '10:00:00.000001' AS clock, timestamp '2020-01-01 10:00' AS at,
    timestamptz '2020-01-01 10:00+02' AS zoned, 1.50::numeric(9, 2) AS n2, 12345.678901::numeric AS n, '{"a":  1}'::json AS js,
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS u, array[1, 2, null]::int4[] AS list, null::int4 AS gone
  UNION ALL SELECT null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 1.5, null, null, null, null
"""
SETUP = """
  CREATE TABLE customers AS SELECT i AS id, 'name ' || i AS name, i % 3 = 0 AS active FROM generate_series(1, 50000) i;
  CREATE SCHEMA "Other one"; CREATE TABLE "Other one"."T" AS SELECT 7 AS seven;
  CREATE MATERIALIZED VIEW some_customers AS SELECT * FROM customers LIMIT 3;
  CREATE TYPE mood AS ENUM ('sad', 'ok');
"""


@pytest.fixture(scope="module")
def server():
    with postgres_server.running() as started:
        url = f"postgresql://{started.user}:{quote(started.password, safe='')}@{started.host}:{started.port}/{started.dbname}"
        with psycopg.connect(url) as connection:
            connection.execute(SETUP)
        yield started, url


@pytest.fixture(params=["adbc", "psycopg"])
def driver(request, monkeypatch):
    """Either driver, the other one not there."""
    monkeypatch.setitem(sys.modules, "psycopg" if request.param == "adbc" else "adbc_driver_postgresql.dbapi", None)
    return request.param


def connected(name, url):
    return adbc.connect(url) if name == "adbc" else psycopg.connect(url)


def test_by_url(cache, server, driver):
    started, url = server
    cache.import_data("c", url, table_name="customers", schema="public")
    frame = cache.get("c")
    expected = pd.DataFrame({"id": range(1, 50_001)}, dtype="int32")
    expected["name"] = [f"name {i}" for i in expected["id"]]
    expected["active"] = expected["id"] % 3 == 0
    pd.testing.assert_frame_equal(frame, expected)
    about = cache.get_metadata("c")["metadata"]
    assert about == {
        "source": f"postgresql://tester:***@127.0.0.1:{started.port}/postgres",
        "source_type": "postgres",
        "import_method": "adbc" if driver == "adbc" else "dbapi",
        "table_name": "customers",
        "schema": "public",
    }


def test_by_settings(cache, server, driver):
    started, _ = server
    options = {"host": started.host, "port": started.port, "dbname": started.dbname, "user": started.user, "password": started.password}
    cache.import_data("a", "postgres", "postgres", connection_options=options, table_name="Customers")
    cache.import_query("b", "SELECT * FROM customers WHERE id <= 5", f"host={started.host} port={started.port} dbname=postgres user=tester password='{started.password}'")
    cache.import_query("c", "SELECT 1 AS a", f"postgresql://{started.host}:{started.port}/postgres", connection_options={"user": started.user, "password": started.password})
    assert [len(cache.get(key)) for key in "abc"] == [50_000, 5, 1]
    for key in "abc":
        assert started.password not in str(cache.get_metadata(key)) and quote(started.password, safe="") not in str(cache.get_metadata(key))


def test_tables_of_other_kinds(cache, server, driver):
    _, url = server
    cache.import_data("t", url, table_name="T", schema="Other one")
    cache.import_data("v", url, table_name="some_customers")
    assert cache.get("t")["seven"].tolist() == [7] and len(cache.get("v")) == 3
    with pytest.raises(InvalidArgument, match="no table 'custommers'; the nearest is 'customers'"):
        cache.import_data("x", url, table_name="custommers")
    with pytest.raises(InvalidArgument, match="schema 'Other one' of .* has no table 'X'; the nearest is 'T'"):
        cache.import_data("x", url, table_name="X", schema="Other one")


@pytest.mark.parametrize("name", ["adbc", "psycopg"])
def test_every_type(cache, server, name):
    with connected(name, server[1]) as connection:
        cache.import_query("t", TYPES, connection)
    table = cache.get("t", "arrow")
    types = dict(zip(table.schema.names, table.schema.types, strict=True))
    assert types["i2"] == pa.int16() and types["i4"] == pa.int32() and types["i8"] == pa.int64() and types["gone"] == pa.int32()
    assert types["n2"] == pa.decimal128(3, 2)  # a union forgets the digits that a part declares
    assert types["n"] == pa.decimal128(11, 6)
    assert types["zoned"] == pa.timestamp("us", "UTC") and types["at"] == pa.timestamp("us") and types["clock"] == pa.time64("us")
    first, second = table.to_pylist()
    expected = {
        "i2": 1, "i4": 2, "i8": 3, "f4": 1.5, "f8": 2.5, "b": True, "t": "x", "v": "y", "c": "z ", "bytes": b"\x01", "day": dt.date(2020, 1, 2),
        "clock": dt.time(10, 0, 0, 1), "at": dt.datetime(2020, 1, 1, 10), "zoned": dt.datetime(2020, 1, 1, 8, tzinfo=UTC), "n2": D("1.50"),
        "n": D("12345.678901"), "js": '{"a":  1}', "u": uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), "list": [1, 2, None], "gone": None,
    }  # fmt: skip
    assert first == expected
    assert second == {**dict.fromkeys(expected), "n": D("1.500000")}
    frame = cache.get("t")
    assert frame["n2"][0] == D("1.50") and frame["day"][0] == dt.date(2020, 1, 2)
    assert cache.query("SELECT n, u::VARCHAR AS u, list[2] AS two FROM _cache_t WHERE i4 = 2", target_type="dict") == {
        "n": [D("12345.678901")], "u": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], "two": [2]
    }  # fmt: skip


@pytest.mark.parametrize("name", ["adbc", "psycopg"])
def test_numbers_whose_digits_grow(cache, server, name):
    sql = "SELECT (10::numeric ^ (i / 5000)) + 1 / (2::numeric ^ (i % 3)) AS n FROM generate_series(0, 99999) i"
    with connected(name, server[1]) as connection:
        cache.import_query("t", sql, connection)
    column = cache.get("t", "arrow").column("n")
    assert column.to_pylist() == [D(10) ** (i // 5000) + 1 / D(2) ** (i % 3) for i in range(100_000)]


@pytest.mark.parametrize("name", ["adbc", "psycopg"])
def test_numbers_with_declared_digits(cache, server, name):
    with connected(name, server[1]) as connection:
        cache.import_query("t", "SELECT i::numeric(9, 2) AS n, NULL::numeric(38, 38) AS m, i::numeric(50, 1) AS o FROM generate_series(1, 3) i", connection)
    assert cache.get("t", "arrow").schema.types[:2] == [pa.decimal128(9, 2), pa.decimal128(38, 38)]
    assert cache.get("t", "dict") == {"n": [D("1.00"), D("2.00"), D("3.00")], "m": [None] * 3, "o": [D("1.0"), D("2.0"), D("3.0")]}


@pytest.mark.parametrize("name", ["adbc", "psycopg"])
def test_no_rows_keep_columns_and_types(cache, server, name):
    with connected(name, server[1]) as connection:
        cache.import_query("t", "SELECT * FROM customers WHERE id < 0 -- none\n; ", connection)
        cache.import_query("u", "SELECT id, name AS n FROM customers WHERE id < $1" if name == "adbc" else "SELECT id, name AS n FROM customers WHERE id < %s", connection, options={"parameters": (0,)})
    assert cache.get("t", "arrow").schema.remove_metadata().equals(pa.schema([("id", pa.int32()), ("name", pa.string()), ("active", pa.bool_())]))
    assert cache.get("u", "arrow").schema.names == ["id", "n"] and len(cache.get("u")) == 0


@pytest.mark.parametrize("name", ["adbc", "psycopg"])
@pytest.mark.parametrize("sql", ["SELECT 1 AS a, timetz '10:00+02' AS strange", "SELECT 1 AS a, inet '127.0.0.1' AS strange", "SELECT 'NaN'::numeric(5, 2) AS strange", "SELECT 'NaN'::numeric AS strange"])
def test_what_has_no_arrow_type_is_refused_by_name(cache, server, name, sql):
    with connected(name, server[1]) as connection, pytest.raises(UnsupportedTypeError, match="strange|decimals"):
        cache.import_query("t", sql, connection)
    assert "t" not in cache


@pytest.mark.parametrize("name", ["adbc", "psycopg"])
def test_enums_are_text(cache, server, name):
    with connected(name, server[1]) as connection:
        cache.import_query("t", "SELECT 'ok'::mood AS m UNION ALL SELECT NULL", connection)
    assert cache.get("t", "dict") == {"m": ["ok", None]}


def test_a_connection_goes_on_in_its_transaction(cache, server):
    with psycopg.connect(server[1], row_factory=psycopg.rows.dict_row) as connection:
        connection.execute("CREATE TEMP TABLE mine AS SELECT 1 AS a")
        cache.import_query("t", "SELECT a FROM mine WHERE a = %(a)s", connection, options={"parameters": {"a": 1}})
        cache.import_data("u", connection, table_name="mine")
        cache.import_query("none", "SELECT a FROM mine WHERE a > 1", connection)
        with pytest.raises(InvalidArgument, match="columns can't be told"):
            cache.import_query("x", "DELETE FROM mine WHERE a > 1 RETURNING a", connection)
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
        assert connection.execute("SELECT count(*) AS n FROM mine").fetchone() == {"n": 1}
        connection.rollback()
    assert cache.get("t")["a"].tolist() == cache.get("u")["a"].tolist() == [1]
    assert cache.get_metadata("t")["metadata"]["source"] == "psycopg.Connection"


def test_psycopg_does_not_read_all_at_once(cache, server):
    import subprocess

    program = (
        "import resource, sys, psycopg, arrow_cache\n"
        "from arrow_cache.sources.connecting import database_of\n"
        "connection = psycopg.connect(sys.argv[1])\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10\n"
        "def read(count): return sum(b.num_rows for b in database_of(connection, 'auto', {}).read(f\"SELECT i, repeat('x', 1000) AS s FROM generate_series(1, {count}) i\", None))\n"
        "read(10000); before = peak()\n"
        "rows = read(300000)\n"
        "print(rows, peak() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, server[1]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows, growth_mib = map(int, done.stdout.split())
    assert rows == 300_000
    assert growth_mib < 150, done.stdout  # of 300 MB


@pytest.mark.parametrize("name", ["adbc", "psycopg"])
def test_a_failure_half_way(cache, server, name):
    with connected(name, server[1]) as connection, pytest.raises(QueryError, match="division by zero"):
        cache.import_query("t", "SELECT 1 / (i - 90000) AS a FROM generate_series(1, 100000) i", connection)
    assert "t" not in cache


def test_errors_are_the_database_s_words_without_the_password(cache, server, driver):
    started, url = server
    with pytest.raises(QueryError, match='relation "nowhere" does not exist') as caught:
        cache.import_query("t", "SELECT * FROM nowhere", url)
    assert started.password not in str(caught.value)
    wrong = url.replace(quote(started.password, safe=""), "wrong-one")
    with pytest.raises(StorageError, match="can't be reached: .*password authentication failed") as caught:
        cache.import_query("t", "SELECT 1", wrong)
    assert "wrong-one" not in str(caught.value) and not isinstance(caught.value, MissingFileError)
    with pytest.raises(QueryError, match="syntax error"):
        cache.import_query("t", "SELEC", url)


def test_through_sqlalchemy(cache, server):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine(server[1].replace("postgresql://", "postgresql+psycopg://"))
    cache.import_query("t", "SELECT id FROM customers WHERE id < 4", engine)
    assert np.array_equal(cache.get("t")["id"], [1, 2, 3])
    cache.import_query("u", "SELECT 1 AS a", server[1].replace("postgresql://", "postgresql+psycopg://"))
    assert engine.pool.checkedout() == 0
