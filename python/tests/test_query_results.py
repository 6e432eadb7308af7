"""Results of queries are kept for who asks again: only where asking again would give the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal
from query_answers import answer_of, hits

from arrow_cache import ArrowCache, QueryError

TIMES = 3


def asked(cache: ArrowCache, sql: str, parameters: Any = None) -> int:
    """How many of some equal queries a kept result has answered."""
    before = hits(cache)
    for _ in range(TIMES):
        cache.query(sql, parameters)
    return hits(cache) - before


KEPT = [
    "SELECT a, sum(b) AS s FROM _cache_x GROUP BY a ORDER BY a",
    "SELECT a, sum(b) AS s FROM _cache_x GROUP BY a ORDER BY a;  ",
    "FROM _cache_x LIMIT 3",
    "WITH q AS (SELECT a FROM _cache_x), r AS (SELECT a FROM q) SELECT count(*) FROM r JOIN _CACHE_Y USING (a)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i), (SELECT max(a) FROM _cache_x) FROM n",
    "SELECT name, row_number() OVER (ORDER BY name) FROM _cache_y WHERE a IN (SELECT a FROM _cache_x WHERE b > 100) AND name LIKE '%b%'",
    "SELECT * FROM _cache_y, (VALUES (1), (2)) v(z), range(3) ORDER BY ALL",
    "SELECT 'a;b', list(a ORDER BY a), CASE WHEN count(*) > 1 THEN 'many' END FROM _cache_y -- it's a comment; with a semicolon",
    "SELECT year(t), date_trunc('month', t), strftime(t, '%Y'), round(avg(b), 2) FROM _cache_x GROUP BY ALL",
    "SELECT jaro_winkler_similarity(name, 'b'), damerau_levenshtein(name, 'ab') FROM _cache_y",
    "SELECT a FROM _cache_x UNION SELECT a FROM _cache_y EXCEPT SELECT 3 ORDER BY 1",
    "SELECT nullif(a, 3), a::VARCHAR || '!', [x + 1 FOR x IN [a]], {'k': a}.k FROM _cache_y",
]

NOT_KEPT = [
    "SELECT a, random() FROM _cache_x",
    "SELECT now(), count(*) FROM _cache_x",
    "SELECT current_timestamp, count(*) FROM _cache_x",
    "SELECT count(*) FROM _cache_x WHERE t < current_date",
    "SELECT current_localtimestamp(), count(*) FROM _cache_x",
    "SELECT age(t) FROM _cache_x",
    "SELECT gen_random_uuid(), a FROM _cache_y",
    "SELECT nextval('numbers'), a FROM _cache_y",
    "SELECT current_setting('TimeZone'), a FROM _cache_y",
    "SELECT getvariable('v'), a FROM _cache_y",
    "SELECT * FROM _cache_x USING SAMPLE 5",
    "SELECT * FROM _cache_x TABLESAMPLE 50%",
    "SELECT * FROM _cache_y, own_table",
    "SELECT * FROM own_view",
    "SELECT (SELECT max(n) FROM own_table), a FROM _cache_y",
    "SELECT count(*) FROM duckdb_tables(), _cache_y",
    "SELECT count(*) FROM arrow_cache.entries, _cache_y",
    "SELECT own_macro(a) FROM _cache_y",
    "SELECT * FROM query('FROM _cache_y')",
    "SELECT * FROM query_table('_cache_y')",
    "SELECT 1",
    "DESCRIBE _cache_y",
    "SELECT 1; SELECT a FROM _cache_y",
    "WITH own_table AS (SELECT * FROM own_table) SELECT * FROM own_table, _cache_y",
    "WITH q AS (SELECT * FROM r), r AS (SELECT 1 AS z) SELECT * FROM q, _cache_y",
]


@pytest.mark.parametrize("sql", KEPT)
def test_what_reads_entries_alone_is_kept(full: ArrowCache, sql: str) -> None:
    first = full.query(sql)
    assert asked(full, sql) >= TIMES - 1
    assert_frame_equal(full.query(sql), first)


@pytest.mark.parametrize("sql", NOT_KEPT)
def test_what_may_give_something_else_is_not_kept(full: ArrowCache, sql: str) -> None:
    for statement in (
        "CREATE SEQUENCE numbers",
        "CREATE TABLE own_table AS SELECT 1 AS n",
        "CREATE TABLE r AS SELECT 1 AS n",
        "CREATE VIEW own_view AS SELECT * FROM _cache_y",
        "CREATE MACRO own_macro(x) AS x + 1",
        "SET VARIABLE v = 3",
    ):
        full.query(statement)
    assert asked(full, sql) == 0


def test_files_are_read_again(full: ArrowCache, tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    for count in (1, 2):
        file.write_text("n\n" + "1\n" * count)
        for _ in range(TIMES):
            assert full.query(f"SELECT count(*) AS n FROM '{file}', (SELECT max(a) FROM _cache_x)")["n"][0] == count
            assert full.query(f"SELECT count(*) AS n FROM read_csv('{file}'), (SELECT max(a) FROM _cache_x)")["n"][0] == count
    full.put("f.csv", pa.table({"n": [1]}))
    for count in (1, 2):
        full.put("f.csv", pa.table({"n": [1] * count}))
        for _ in range(TIMES):
            assert full.query('SELECT count(*) AS n FROM "_cache_f.csv"')["n"][0] == count


def test_a_hit_is_the_same_memory_and_no_writer_reaches_it(full: ArrowCache) -> None:
    sql = "SELECT a, b, 'x' || a AS s FROM _cache_x ORDER BY b"
    original = full.query(sql, target_type="arrow").to_pandas()
    full.query(sql)
    tables = [full.query(sql, target_type="arrow") for _ in range(2)]
    assert tables[0]["b"].chunk(0).buffers()[1].address == tables[1]["b"].chunk(0).buffers()[1].address
    first, second = full.query(sql), full.query(sql)
    first.iloc[0, 0] = 99
    first["b"] = 0.0
    first.loc[:, "s"] = "?"
    first.columns = pd.Index(["p", "q", "r"])
    first.attrs["a"] = 1
    for frame in (second, full.query(sql), full.query(sql, target_type="pandas_arrow")):
        assert frame["a"].tolist() == original["a"].tolist() and frame["b"].tolist() == original["b"].tolist()
        assert frame["s"].tolist() == original["s"].tolist() and not frame.attrs
    for target in ("numpy", "dict", "polars", "arrow"):
        full.query(sql, target_type=target)
    assert hits(full) >= 7


def test_parameters_are_part_of_the_question(full: ArrowCache) -> None:
    sql = "SELECT count(*) AS n, $1 AS v, typeof($1) AS t FROM _cache_x WHERE a = $1"
    values: list[Any] = [1, 1.0, True, "1", None, 2, b"1", 2**70, -0.0, 0.0]
    answers = []
    for value in values:
        try:
            answers.append(full.query(sql, [value]))
        except QueryError as error:
            answers.append(str(error))
    for _ in range(TIMES):
        for value, answer in zip(values, answers, strict=True):
            if isinstance(answer, str):
                with pytest.raises(QueryError):
                    full.query(sql, [value])
            else:
                assert_frame_equal(full.query(sql, [value]), answer)
    assert hits(full) > 0
    assert asked(full, "SELECT $b - $a AS d, max(a) FROM _cache_x", {"a": 1, "b": 5}) >= 1
    assert full.query("SELECT $b - $a AS d, max(a) FROM _cache_x", {"b": 1, "a": 5})["d"][0] == -4


def test_texts_that_look_alike_are_apart(cache: ArrowCache) -> None:
    composed, apart = "caf\u00e9", "cafe\u0301"
    cache.put("w", pa.table({"v": [composed, apart, apart]}))
    for _ in range(TIMES):
        for text, count in ((composed, 1), (apart, 2)):
            assert cache.query(f"SELECT count(*) AS n FROM _cache_w WHERE v = '{text}'")["n"][0] == count
            assert cache.query("SELECT count(*) AS n FROM _cache_w WHERE v = ?", [text])["n"][0] == count


CHANGES: dict[str, Callable[[ArrowCache], object]] = {
    "put": lambda cache: cache.put("x", pa.table({"a": [1], "b": [1.0]})),
    "other case": lambda cache: cache.put("X", pa.table({"a": [1], "b": [1.0]})),
    "remove": lambda cache: cache.remove("x"),
    "clear": lambda cache: cache.clear(),
    "ttl": lambda cache: (cache.update_ttl("x", 1e-6), threading.Event().wait(0.01)),
    "table": lambda cache: cache.query("CREATE TABLE _cache_x AS SELECT 8 AS a, 9 AS b"),
    "view": lambda cache: cache.query("CREATE VIEW _cache_x AS SELECT 8 AS a, 9 AS b"),
    "temporary table": lambda cache: cache.query("CREATE TEMP TABLE _cache_x AS SELECT 8 AS a, 9 AS b"),
    "among others": lambda cache: cache.query("CREATE TABLE _cache_x AS SELECT 8 AS a, 9 AS b; SELECT 1"),
    "in a transaction": lambda cache: cache.query("BEGIN; CREATE TABLE _cache_x AS SELECT 8 AS a, 9 AS b"),
    "prepared": lambda cache: (answer_of(cache, "PREPARE p AS CREATE TABLE _cache_x AS SELECT 8 AS a, 9 AS b"), answer_of(cache, "EXECUTE p")),
    "analysed": lambda cache: cache.explain("CREATE TABLE _cache_x AS SELECT 8 AS a, 9 AS b", analyze=True),
    "macro": lambda cache: cache.query("CREATE MACRO sum(v) AS 7"),
    "temporary macro": lambda cache: cache.query("CREATE TEMP MACRO sum(v) AS 7"),
    "setting": lambda cache: cache.query("SET default_null_order = 'nulls_first'"),
    "schema": lambda cache: cache.query("CREATE SCHEMA s; CREATE TABLE s._cache_x AS SELECT 8 AS a, 9 AS b; USE s"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("sql", ["SELECT sum(b) AS s, count(*) AS n FROM _cache_x", "SELECT max(a) AS m FROM _cache_x"])
def test_after_a_change_the_answer_is_the_one_that_would_be_without(change: str, sql: str) -> None:
    answers = []
    for keeps in (True, False):
        with ArrowCache(memory_limit="64MiB", cache_query_results=keeps) as cache:
            cache.put("x", pd.DataFrame({"a": range(10), "b": np.arange(10.0)}))
            found: list[Any] = [answer_of(cache, sql) for _ in range(TIMES)]
            CHANGES[change](cache)
            found += [answer_of(cache, sql) for _ in range(TIMES)]
            answers.append(found)
            assert (hits(cache) > 0) == keeps
    assert answers[0] == answers[1]


def test_what_a_thread_has_of_its_own_stays_with_it(full: ArrowCache) -> None:
    sql = "SELECT count(*) AS n FROM _cache_y"
    for _ in range(TIMES):
        assert full.query(sql)["n"][0] == 7

    def in_thread(body: Callable[[], object]) -> None:
        failures: list[BaseException] = []

        def run() -> None:
            try:
                body()
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        assert not failures, failures

    def other() -> None:
        full.query("CREATE TEMP TABLE _cache_y AS SELECT 1 AS a")
        for _ in range(TIMES):
            assert full.query(sql)["n"][0] == 1
        full.query("DROP TABLE _cache_y")
        for _ in range(TIMES):
            assert full.query(sql)["n"][0] == 7

    in_thread(other)
    for _ in range(TIMES):
        assert full.query(sql)["n"][0] == 7
    full.query("CREATE TEMP TABLE _cache_y AS SELECT 1 AS a")
    for _ in range(TIMES):
        assert full.query(sql)["n"][0] == 1

    def third() -> None:
        for _ in range(TIMES):
            assert full.query(sql)["n"][0] == 7

    in_thread(third)
    before = hits(full)
    in_thread(third)
    assert hits(full) > before, "threads that have changed nothing share results"


def test_a_time_zone_is_each_threads(cache: ArrowCache) -> None:
    cache.put("z", pd.DataFrame({"t": pd.to_datetime(["2024-06-01 12:00"]).tz_localize("UTC")}))
    sql = "SELECT hour(t) AS h FROM _cache_z"
    for zone, hour in (("UTC", 12), ("Asia/Tokyo", 21), ("UTC", 12)):
        cache.query(f"SET TimeZone = '{zone}'")
        for _ in range(TIMES):
            assert cache.query(sql)["h"][0] == hour


def test_a_hit_is_a_use_of_what_it_has_read(full: ArrowCache) -> None:
    sql = "SELECT count(*) AS n FROM _cache_y"
    for _ in range(TIMES):
        full.query(sql)
    counts = [full.get_metadata("y")["access_count"] for _ in range(2)]
    before = hits(full)
    full.query(sql)
    assert hits(full) == before + 1
    assert full.get_metadata("y")["access_count"] == counts[1] + 1 and counts[0] == counts[1]
    status = full.status()
    full.query(sql)
    assert full.status()["query_count"] == status["query_count"] + 1 and full.status()["hits"] == status["hits"] + 1


def test_off_by_configuration() -> None:
    with ArrowCache(memory_limit="64MiB", cache_query_results=False) as cache:
        cache.put("x", pa.table({"a": [1, 2]}))
        assert asked(cache, "SELECT sum(a) FROM _cache_x") == 0
        assert cache.status()["query_results"] == {"hits": 0, "misses": 0, "count": 0, "bytes": 0}


def test_plans_are_used_again_where_results_are_not_kept() -> None:
    sql = "SELECT a, count(*) AS n FROM _cache_x WHERE a > 2 GROUP BY a ORDER BY a"
    for keeps in (True, False):
        with ArrowCache(memory_limit="64MiB", cache_query_results=False, cache_query_plans=keeps) as cache:
            cache.put("x", pa.table({"a": [1, 2, 3, 3]}))
            for _ in range(5):
                assert cache.query(sql, target_type="dict") == {"a": [3], "n": [2]}
            assert cache.status()["query_plans"]["hits"] == (3 if keeps else 0)
            cache.put("x", pa.table({"a": [4.5, 4.5]}))
            for _ in range(3):
                assert cache.query(sql, target_type="dict") == {"a": [4.5], "n": [2]}


@pytest.mark.parametrize("end", ["remove", "clear", "replace", "expire", "setting"])
def test_results_go_with_what_they_have_read(end: str) -> None:
    with ArrowCache(memory_limit="80MB", query_target_type="arrow") as cache:
        cache.put("t", pd.DataFrame({"a": np.arange(200_000)}), ttl=1.0 if end == "expire" else None)
        cache.put("other", pd.DataFrame({"a": [1]}))
        for number in range(5):
            cache.query(f"SELECT a + {number} AS x FROM _cache_t WHERE a < 200000")
        assert cache.query("SELECT a FROM _cache_other")["a"].to_pylist() == cache.query("SELECT a FROM _cache_other")["a"].to_pylist() == [1]
        assert cache.status()["query_results"]["count"] == 6
        if end == "remove":
            cache.remove("t")
        elif end == "clear":
            cache.clear()
        elif end == "replace":
            cache.put("t", pd.DataFrame({"a": [2]}))
        elif end == "expire":
            time.sleep(1.2)
            assert not cache.contains("t")
        else:
            cache.query("CREATE TABLE x(i INT)")
        assert cache.status()["query_results"]["count"] == (0 if end in ("clear", "setting") else 1)
