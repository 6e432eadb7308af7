"""Blocks that statistics let a scan leave out: what is skipped is counted, and never changes an answer."""

import datetime as dt
from decimal import Decimal

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache

BLOCK = 2048

skips = pytest.mark.skipif(not duckdb.__version__.startswith("2"), reason="DuckDB 1 offers no predicates")


def scanned(cache, sql, parameters=None):
    """The rows of a query, and what its scans read and skipped."""
    before = cache.status()["scans"]
    rows = cache.query(sql, parameters, target_type="arrow").to_pylist()
    after = cache.status()["scans"]
    return rows, {name: after[name] - before[name] for name in after if name != "skip_rate"}


@skips
@pytest.mark.parametrize("partition_rows", [None, 100_000, 30_000])
def test_one_percent_of_a_sorted_column_skips_98_percent_of_the_blocks(partition_rows):
    rows = 2_000_000
    config = {} if partition_rows is None else {"partition_size_rows": partition_rows}
    with ArrowCache(**config, cache_query_results=False) as cache:
        ids = np.arange(rows)
        columns = {
            "id": ids,
            "f": ids / 7,
            "t": pa.array(ids).cast(pa.timestamp("us", "UTC")),
            "m": pa.array(ids * 1000).cast(pa.timestamp("ms", "Europe/Berlin")),
            "d": pa.array(ids).cast(pa.decimal128(20, 0)),
            "s": pa.array([f"https://example.org/a/long/common/prefix/{i:010d}" for i in range(rows)]),
        }
        cache.put("t", pa.table(columns), auto_partition=partition_rows is not None)
        low, high = 700_000, 700_000 + rows // 100 - 1
        conditions = {
            "id": f"id BETWEEN {low} AND {high}",
            "f": f"f >= {low / 7!r} AND f <= {high / 7!r}",
            "t": f"t >= make_timestamptz({low}) AND t <= make_timestamptz({high})",
            "m": f"m >= make_timestamptz({low * 1_000_000}) AND m <= make_timestamptz({high * 1_000_000})",
            "d": f"d BETWEEN {low}::DECIMAL(20, 0) AND {high}::DECIMAL(20, 0)",
            "s": f"s >= 'https://example.org/a/long/common/prefix/{low:010d}' AND s <= 'https://example.org/a/long/common/prefix/{high:010d}'",
        }
        for name, condition in conditions.items():
            for _ in range(2):  # the statistics are made by the first, known to the second
                found, scan = scanned(cache, f"SELECT count(*) AS n, min(id) AS low, max(id) AS high FROM _cache_t WHERE {condition}")
                assert found == [{"n": rows // 100, "low": low, "high": high}], name
                blocks = scan["blocks_read"] + scan["blocks_skipped"]
                assert blocks >= rows // BLOCK and scan["blocks_skipped"] >= 0.98 * blocks, (name, scan)


@skips
def test_predicates_of_one_reference_skip_for_no_other(cache):
    cache.put("t", pa.table({"id": range(100_000)}))
    for sql, expected in [
        ("WITH c AS (SELECT * FROM _cache_t) SELECT (SELECT count(*) FROM c WHERE id < 10) AS a, (SELECT count(*) FROM c) AS b", (10, 100_000)),
        ("SELECT count(*) FILTER (x.id < 10) AS a, count(*) AS b FROM _cache_t x JOIN _cache_t y ON x.id = y.id", (10, 100_000)),
        ("SELECT (SELECT count(*) FROM (SELECT * FROM _cache_t WHERE id = 5 UNION ALL SELECT * FROM _cache_t)) AS a, 0 AS b", (100_001, 0)),
        ("SELECT count(*) AS a, sum(y.id) AS b FROM _cache_t x, _cache_t y WHERE x.id = 7 AND y.id > 99997", (2, 199_997)),
    ]:
        (row,) = cache.query(sql, target_type="arrow").to_pylist()
        assert (row["a"], row["b"]) == expected, sql
    cache.query("CREATE VIEW v AS SELECT * FROM _cache_t WHERE id < 3000")
    assert cache.query("SELECT count(*) AS n FROM v WHERE id > 2047", target_type="arrow").to_pylist() == [{"n": 952}]
    assert cache.query("SELECT count(*) AS n FROM v", target_type="arrow").to_pylist() == [{"n": 3000}]


def test_a_new_version_has_statistics_of_its_own(cache):
    for shift in (0, 50_000, -7):
        cache.put("t", pa.table({"id": np.arange(10_000) + shift}))
        for _ in range(2):
            rows = cache.query("SELECT count(*) AS n FROM _cache_t WHERE id >= 52000", target_type="arrow").to_pylist()
            assert rows == [{"n": 8000 if shift == 50_000 else 0}]


@skips
def test_on_disk_only_the_blocks_that_are_wanted_are_read(tmp_path):
    rows = 1_000_000
    with ArrowCache(spill_directory=str(tmp_path), memory_limit="4MB", auto_partition=True, cache_query_results=False) as cache:
        cache.put("t", pa.table({"id": np.arange(rows), "v": np.arange(rows) * 2}))
        sql = "SELECT sum(v) AS s FROM _cache_t WHERE id BETWEEN 500000 AND 500010"
        assert scanned(cache, sql)[0] == [{"s": 2 * sum(range(500_000, 500_011))}]
        found, scan = scanned(cache, sql)
        assert found == [{"s": 2 * sum(range(500_000, 500_011))}]
        assert scan["disk_bytes"] <= 2 * BLOCK * 16 + 4096 and scan["rows"] <= 2 * BLOCK, scan


def values(kind, count, rng):
    """Values of a kind that lie about block bounds: runs, nulls, extremes."""
    base = np.sort(rng.integers(-1000, 1000, count)) if rng.random() < 0.6 else rng.integers(-1000, 1000, count)
    base = [int(value) for value in base]
    if kind == "text":
        shared = rng.choice(["", "k", "a common prefix of more than sixteen bytes/", "é" * 40, "x" * 70])
        made = [f"{shared}{value + 5000:05d}" if value % 9 else ("" if value % 2 else shared) for value in base]
    elif kind in ("float", "float32"):
        made = [float("nan") if value % 17 == 0 else -0.0 if value % 5 == 0 and abs(value) < 50 else value / 8 for value in base]
        if rng.random() < 0.3:
            made = [float("inf") if value > 990 else float("-inf") if value < -990 else made[i] for i, value in enumerate(base)]
    elif kind == "bool":
        made = [value > 0 for value in base]
    elif kind == "decimal":
        made = [Decimal(value) / 100 for value in base]
    elif kind == "wide decimal":
        made = [Decimal(value) * 10**20 for value in base]
    elif kind == "date":
        made = [dt.date(2020, 1, 1) + dt.timedelta(days=value) for value in base]
    elif kind == "unsigned":
        made = [value + 1000 for value in base]
    elif kind == "time":
        made = [(dt.datetime(2020, 1, 1) + dt.timedelta(seconds=value + 1000)).time() for value in base]
    elif kind.startswith("timestamp"):
        made = [dt.datetime(1970, 1, 1) + dt.timedelta(hours=value) for value in base]
    else:
        made = base
    nulls = rng.choice(["none", "part", "runs", "all"], p=[0.4, 0.25, 0.25, 0.1])
    if nulls == "all":
        return [None] * count
    if nulls == "part":
        return [None if rng.random() < 0.1 else value for value in made]
    if nulls == "runs":
        return [None if (row // BLOCK) % 2 else value for row, value in enumerate(made)]
    return made


TYPES = {
    "int": pa.int32(),
    "unsigned": pa.uint64(),
    "float": pa.float64(),
    "float32": pa.float32(),
    "text": pa.string(),
    "bool": pa.bool_(),
    "decimal": pa.decimal128(9, 2),
    "wide decimal": pa.decimal128(38, 0),
    "date": pa.date32(),
    "date64": pa.date64(),
    "time": pa.time64("us"),
    "time32": pa.time32("s"),
    "timestamp s": pa.timestamp("s"),
    "timestamp us": pa.timestamp("us"),
    "timestamp ns": pa.timestamp("ns"),
    "timestamp s tz": pa.timestamp("s", "Europe/Berlin"),
    "timestamp ns tz": pa.timestamp("ns", "UTC"),
}


def literal(con, name, rng):
    """A value of the column as SQL, sometimes moved a little."""
    row = con.execute(f"SELECT {name}::VARCHAR, typeof({name}) FROM plain WHERE {name} IS NOT NULL USING SAMPLE 1 (reservoir, {int(rng.integers(1 << 30))})").fetchone()
    if row is None:
        return "NULL"
    text = row[0].replace("'", "''")
    return f"'{text}'::{row[1]}"


def condition(con, name, kind, rng):
    one, two = literal(con, name, rng), literal(con, name, rng)
    forms = [
        f"{name} {rng.choice(['=', '<>', '<', '<=', '>', '>='])} {one}",
        f"{one} {rng.choice(['=', '<', '>='])} {name}",
        f"{name} BETWEEN least({one}, {two}) AND greatest({one}, {two})",
        f"{name} >= {one} AND {name} < {two}",
        f"{name} IN ({one}, {two})",
        f"{name} IS NULL",
        f"{name} IS NOT NULL AND {name} > {one}",
        f"({name} < {one} OR {name} > {two})",
        f"NOT ({name} < {one})",
        f"{name} IS DISTINCT FROM {one}",
        f"{name} IS NOT DISTINCT FROM {one}",
    ]
    if kind == "bool":
        forms += [name, f"NOT {name}", f"{name} = true", f"{name} IS NOT TRUE"]
    if kind == "text":
        forms += [f"starts_with({name}, substr({one}, 1, {int(rng.integers(0, 50))}))", f"{name} LIKE '%1'", f"{name} LIKE 'a common%'"]
    if kind.startswith("float"):
        forms += [f"{name} > 'NaN'::DOUBLE", f"{name} >= 'NaN'::DOUBLE", f"{name} = 0.0", f"{name} = -0.0", f"{name} = 'NaN'::DOUBLE", f"isnan({name})"]
    return str(rng.choice(forms))


@pytest.mark.parametrize("count", [0, 1, 2047, 2048, 2049, 4096, 10_000])
@pytest.mark.parametrize("seed", range(2))
def test_answers_are_duckdbs_own(count, seed):
    rng = np.random.default_rng([count, seed])
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    with ArrowCache(partition_size_rows=int(rng.choice([1500, 2048, 5000, 1_000_000])), cache_query_results=False) as cache:
        cache.query("SET TimeZone = 'UTC'")
        columns = {"row": pa.array(range(count), pa.int64())}
        for kind, arrow_type in TYPES.items():
            made = values("timestamp" if kind.startswith("timestamp") else kind.replace("date64", "date").replace("time32", "time"), count, rng)
            columns[kind.replace(" ", "_")] = pa.array(made, arrow_type)
        table = pa.table(columns)
        # Batches of any size: blocks do not begin where they do.
        cuts = sorted(rng.integers(0, count + 1, 3).tolist())
        pieces = [table.slice(start, end - start) for start, end in zip([0, *cuts], [*cuts, count], strict=True)]
        cache.put("t", pa.concat_tables(pieces), auto_partition=bool(rng.random() < 0.7))
        con.register("source", table)
        con.execute("CREATE TABLE plain AS SELECT * FROM source")
        for kind in TYPES:
            name = kind.replace(" ", "_")
            for _ in range(4):
                where = condition(con, name, kind, rng)
                sql = "SELECT count(*) AS n, sum(\"row\") AS s, min(\"row\") AS low, max(\"row\") AS high FROM {} WHERE " + where
                expected = con.execute(sql.format("plain")).fetchall()
                for _ in range(2):
                    found = [tuple(row.values()) for row in cache.query(sql.format("_cache_t"), target_type="arrow").to_pylist()]
                    assert found == expected, where


@skips
def test_boxes_of_blocks():
    with ArrowCache(cache_query_results=False) as cache:
        count = 100_000
        wkb = [b"\x01\x01\x00\x00\x00" + np.array([i / 100, -i / 100]).tobytes() for i in range(count)]
        wkb[5000] = None
        field = pa.field("g", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"})
        cache.put("g", pa.table([pa.array(wkb, pa.binary()), range(count)], schema=pa.schema([field, ("id", pa.int64())])))
        sql = "SELECT count(*) AS n, min(id) AS low, max(id) AS high FROM _cache_g WHERE g && 'POLYGON((200 -201, 201 -201, 201 -200, 200 -201))'::GEOMETRY"
        for _ in range(2):
            found, scan = scanned(cache, sql)
            assert found == [{"n": 101, "low": 20_000, "high": 20_100}]
            assert scan["blocks_read"] <= 2, scan
        assert scanned(cache, "SELECT count(*) AS n FROM _cache_g WHERE NOT (g && 'POINT(5000 5000)'::GEOMETRY)")[0] == [{"n": count - 1}]


def test_ascending_columns_are_known(cache):
    cache.put("t", pa.table({"id": range(50_000), "r": np.random.default_rng(1).permutation(50_000)}))
    cache.query("SELECT count(*) FROM _cache_t WHERE id < 5 AND r < 5")
    rows = cache.query("SELECT column_name, ascending, min, max FROM arrow_cache.statistics WHERE key = 't' ORDER BY ALL", target_type="arrow").to_pylist()
    assert [tuple(row.values()) for row in rows] == [("id", True, "0", "49999"), ("r", False, "0", "49999")]


def test_distinct_values_are_estimated_when_asked_for(tmp_path):
    n = 40_000
    numbers = np.arange(n)
    columns = {
        "id": pa.array(numbers), "half": pa.array(numbers // 2), "few": pa.array(numbers % 7), "none": pa.nulls(n, pa.int32()), "f": pa.array(np.where(numbers % 2, np.nan, -0.0)),
        "text": pa.array([f"value {number % 3000}" for number in numbers]),
        "price": pa.array([Decimal(int(number % 900)) / 100 for number in numbers], pa.decimal128(15, 2)), "flag": pa.array(numbers % 3 == 0),
    }  # fmt: skip
    expected = {"id": n, "half": n // 2, "few": 7, "none": 0, "f": 2, "text": 3000, "price": 900, "flag": 2}
    question = "SELECT column_name AS name, distinct_estimate AS n FROM arrow_cache.statistics WHERE key = 't'"
    for memory_limit in (2**30, 2**20):
        with ArrowCache(memory_limit=memory_limit, spill_directory=str(tmp_path), dictionary_encoding=False) as cache:
            cache.put("t", pa.table(columns))
            for name in columns:
                cache.query(f"SELECT count(*) FROM _cache_t WHERE {name} IS NULL")
            found = {row["name"]: row["n"] for row in cache.query(question, target_type="arrow").to_pylist()}
            if memory_limit == 2**20:
                assert set(found.values()) == {None}, "rows on disk are not read for it"
                continue
            assert found.keys() == expected.keys()
            for name, count in expected.items():
                assert abs(found[name] - count) <= 0.1 * count, name


def test_bounds_are_told_as_duckdb_orders_and_writes_them():
    nan = float("nan")
    table = pa.table(
        {
            "nothing": [nan, nan, nan],
            "part": [1.5, nan, -2.0],
            "d": pa.array([Decimal("-0.05"), Decimal("12.30"), None], pa.decimal128(20, 2)),
            "down": [3, 2, 1],
        }
    )
    with ArrowCache() as cache:
        cache.put("t", table)
        cache.query("SELECT * FROM _cache_t WHERE nothing > 1 OR part > 1 OR d > 1 OR down > 1")
        rows = cache.query("SELECT column_name AS c, min, max, ascending FROM arrow_cache.statistics", target_type="arrow").to_pylist()
    told = {row["c"]: (row["min"], row["max"], row["ascending"]) for row in rows}
    assert told == {"nothing": ("nan", "nan", None), "part": ("-2.0", "nan", None), "d": ("-0.05", "12.30", None), "down": ("1", "3", None)}
