"""Results of many rows: in few batches, and of columns that a statement only names without a way through DuckDB."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache

ROWS = 150_000


@pytest.fixture(scope="module")
def table() -> pa.Table:
    rng = np.random.default_rng(5)
    words = np.array([None, "", "a", "ünï", "x" * 40, *(f"w{number}" for number in range(50))], dtype=object)

    def holed(values: np.ndarray, kind: pa.DataType | None = None) -> pa.Array:
        return pa.array(values, kind, mask=rng.random(ROWS) < 0.1)

    return pa.table(
        {
            "Id": np.arange(ROWS),
            "k": holed(rng.integers(0, 100, ROWS)),
            "v": holed(rng.random(ROWS)),
            "b": holed(rng.random(ROWS) < 0.5),
            "s": pa.array(words[rng.integers(0, len(words), ROWS)]),
            "long": pa.array(words[rng.integers(0, len(words), ROWS)], pa.large_string()),
            "small": holed(rng.integers(-100, 100, ROWS).astype("i1")),
            "ts": holed(rng.integers(0, 10**15, ROWS), pa.timestamp("us")),
            "day": pa.array(rng.integers(0, 20_000, ROWS).astype("i4"), pa.date32()),
            "dict": pa.array(words[rng.integers(0, len(words), ROWS)]).dictionary_encode(),
            "list": pa.array([[1, 2]] * ROWS),
        }
    )


STATEMENTS = [
    "SELECT id, K, s FROM {t}",
    "SELECT Id AS x, long, v * 2 AS w, b FROM {t} WHERE id >= 0",
    "SELECT id, k, s, long, b, small FROM {t} WHERE k = 5",
    "SELECT id, k, s, long, b, small, ts, day, dict, list FROM {t} WHERE k < 50 AND v > 0.2",
    "SELECT id, s FROM {t} WHERE id BETWEEN 1000 AND 140000",
    "SELECT s, s AS s2, long, long AS L2, id FROM {t} WHERE id > 130000 OR id < 3",
    "SELECT k, k + 1 AS kk, id, ts FROM {t} AS q WHERE q.k IS NULL",
    "SELECT id, s, b FROM {t} WHERE false",
    "SELECT id, ts, b, s FROM {t} WHERE s LIKE 'w1%'",
    "SELECT id AS k, k AS id, ts, s FROM {t} WHERE k > 50",
    "SELECT id AS zz, s, v, k FROM {t} WHERE zz < 100",
    "SELECT true, id, NULL AS n, s, ts FROM {t} WHERE b",
    "SELECT s, b, long FROM {t} WHERE id % 3 = 0;",
]


@pytest.mark.parametrize("batch_rows", [ROWS, 7_777, 501])
@pytest.mark.parametrize("options", [{}, {"dictionary_encoding": True}, {"memory_limit": 10 << 20}], ids=["memory", "encoded", "spilled"])
def test_the_rows_are_those_of_duckdb(table: pa.Table, batch_rows: int, options: dict[str, object]) -> None:
    cut = pa.concat_tables([table.slice(start, batch_rows) for start in range(0, ROWS, batch_rows)])
    with ArrowCache(cache_query_results=False, **options) as cache, duckdb.connect() as plain:
        cache.put("t", cut)
        plain.register("t", table)
        for statement in STATEMENTS:
            got = cache.query(statement.format(t="_cache_t"), target_type="arrow")
            wanted = plain.sql(statement.format(t="t")).to_arrow_table()
            got.validate(full=True)
            assert got.schema.names == wanted.schema.names, statement
            for mine, theirs in zip(got.columns, wanted.columns, strict=True):
                assert mine.type == theirs.type or pa.types.is_dictionary(theirs.type), statement
                assert mine.cast(theirs.type).to_pylist() == theirs.to_pylist() if mine.type != theirs.type else mine.equals(theirs), statement


@pytest.mark.parametrize("item", ["q", "to_json(q)", "hash(q)", "q::VARCHAR", "struct_extract(q, 'k')", "q.k"])
def test_rows_as_a_whole_have_their_own_columns(cache: ArrowCache, item: str) -> None:
    table = pa.table({"id": np.arange(ROWS), "k": np.arange(ROWS) % 7, "s": [f"s{number}" for number in range(ROWS)]})
    cache.put("t", table)
    got = cache.query(f"SELECT id, s, {item} AS x FROM _cache_t AS q WHERE id % 3 = 0", target_type="arrow")
    with duckdb.connect() as plain:
        assert got.equals(plain.sql(f"SELECT id, s, {item} AS x FROM table AS q WHERE id % 3 = 0".replace("FROM table", 'FROM "table"')).to_arrow_table())


def test_results_come_in_few_batches(cache: ArrowCache, table: pa.Table) -> None:
    cache.put("t", table)
    for statement in (
        "SELECT id + 1 AS a, s, v FROM _cache_t ORDER BY k LIMIT 140000",
        "SELECT v * 2 AS w, upper(s) AS u FROM _cache_t",
        "SELECT id, k, s FROM _cache_t WHERE k > 10",
    ):
        for result in (cache.query(statement, target_type="arrow"), cache.query(statement, target_type="reader").read_all()):
            assert result.num_rows > 100_000
            assert len(result.to_batches()) <= 8, statement


@pytest.mark.parametrize("item", ["k", "k * 2 AS w"])
@pytest.mark.parametrize(("share", "is_shared"), [(1.0, True), (0.7, True), (0.3, False)])
def test_most_of_a_large_batch_is_handed_out_and_less_is_copied(cache: ArrowCache, item: str, share: float, is_shared: bool) -> None:
    if not cache.status()["duckdb"]["engine"] == "v2":
        pytest.skip("columns are fetched late on DuckDB 2")
    rows = 1_000_000
    table = pa.table({"id": np.arange(rows), "k": np.arange(rows) % 11, "ts": pa.array(np.arange(rows), pa.timestamp("us"))})
    cache.put("t", table)
    found = cache.query(f"SELECT id, ts, {item} FROM _cache_t WHERE id < {int(rows * share)}", target_type="arrow")
    assert found["id"].to_numpy().tolist() == list(range(int(rows * share)))
    for name in ("id", "ts"):
        [put] = table[name].chunks
        assert {chunk.buffers()[1].address == put.buffers()[1].address for chunk in found[name].chunks} == {is_shared}, name


def test_numbers_beside_wide_texts_are_handed_out(cache: ArrowCache) -> None:
    if not cache.status()["duckdb"]["engine"] == "v2":
        pytest.skip("columns are fetched late on DuckDB 2")
    table = pa.table({"id": np.arange(ROWS), "s": pa.array([None if n % 7 == 0 else f"s{n % 100}" for n in range(ROWS)], pa.large_string()), "v": np.arange(ROWS) * 0.5})
    cache.put("t", table)
    for sql in ("SELECT * FROM _cache_t", "SELECT id, s, v FROM _cache_t WHERE id >= 0", "SELECT id, s, v, id + 1 AS n FROM _cache_t"):
        found = cache.query(sql, target_type="arrow")
        found.validate(full=True)
        assert found.schema.field("s").type == pa.string()
        assert found.select(["id", "s", "v"]).cast(table.schema).equals(table)
        for name in ("id", "v"):
            [put] = table[name].chunks
            large = [chunk for chunk in found[name].chunks if len(chunk) >= 1 << 14]  # small ones are brought together
            assert {chunk.buffers()[1].address for chunk in large} == {put.buffers()[1].address}, (sql, name)


def test_results_are_counted_until_they_are_gone(table: pa.Table) -> None:
    with ArrowCache(cache_query_results=False) as cache:
        cache.put("t", table)
        result = cache.query("SELECT id, k, s, v FROM _cache_t WHERE k > 50", target_type="arrow")
        assert cache.status()["memory"]["results_bytes"] >= 0.9 * result.nbytes
        del result
        assert cache.status()["memory"]["results_bytes"] == 0


def test_types_are_as_duckdbs_settings_say(cache: ArrowCache, table: pa.Table) -> None:
    cache.put("t", table)
    cache.query("SET arrow_large_buffer_size = true")
    assert cache.query("SELECT id, k, s FROM _cache_t WHERE id < 10", target_type="arrow").schema.field("s").type == pa.large_string()


def test_views_that_stand_before_an_entry_are_read(cache: ArrowCache, table: pa.Table) -> None:
    cache.put("t", table)
    statement = "SELECT id, k, s FROM _cache_t WHERE id < 10"
    assert len(cache.query(statement)) == 10
    cache.query("CREATE SCHEMA other")
    cache.query("CREATE VIEW other._cache_t AS SELECT 7 AS id, 8 AS k, 'x' AS s")
    cache.query("SET search_path = 'other'")
    assert cache.query(statement).to_dict("records") == [{"id": 7, "k": 8, "s": "x"}]
