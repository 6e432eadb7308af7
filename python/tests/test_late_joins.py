"""Joins whose named columns come from the entries' own buffers: the answers are those of plain DuckDB, whatever the tables look like."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache, CacheError

from differential.answers import difference

WORDS = np.array(["", "a", "some", "a text of more than sixteen bytes", "é" * 9, "x" * 16, "y" * 17])


def table(rows: int, keys: int, form: str, seed: int) -> pa.Table:
    """Columns of many types, some with nulls; in one batch, in many, or a slice of something larger."""
    random = np.random.default_rng(seed)

    def words() -> np.ndarray[Any, Any]:
        return WORDS[random.integers(0, len(WORDS), rows)]

    drawn = random.integers(0, keys, rows)
    made = pa.table({
        "row": np.arange(rows), "key": pa.array(drawn.astype(np.int32), mask=random.random(rows) < 0.1), "s": pa.array(words(), mask=random.random(rows) < 0.2),
        "V": random.random(rows), "flag": pa.array(random.random(rows) < 0.5, mask=random.random(rows) < 0.3), "d": pa.array(drawn).cast(pa.decimal128(24, 2)),
        "ts": pa.array(random.integers(0, 10**15, rows)).cast(pa.timestamp("us")), "n8": (drawn % 100).astype(np.int8), "large": pa.array(words(), pa.large_string()),
        "code": pa.array(words()).dictionary_encode(), "list": pa.ListArray.from_arrays(pa.array(np.arange(rows + 1, dtype=np.int32)), pa.array(np.arange(rows))),
        'a"b': pa.array([b"12", None] * (rows // 2) + [b""] * (rows % 2), pa.binary()),
    })  # fmt: skip
    if form == "slice":
        return pa.concat_tables([made.slice(0, 3), made]).slice(3)
    return pa.Table.from_batches(made.to_batches(max_chunksize=7001)) if form == "batches" and rows else made


COLUMNS = (
    "x.*, y.V AS v2, y.s AS s2", "*", "x.*, y.*", 'x.row, x.s AS "S q", y.V * 2, y.s, x.v AS vv, x.s || y.s', "y.*, x.V, x.row", 'X.ROW, x."A""B", x.n8 + 1, x.flag, x.code, x.list, y.d',
    "x.s, x.V, x.s", "y.s, y.V", "x.s a, y.large b, x.ts", "x.row, s", "x.s, x.v, nothing",
)  # fmt: skip


@pytest.mark.parametrize(
    ("left", "right", "keys"),
    [((60_000, "batches"), (100, "one"), 50), ((130_000, "one"), (5_000, "slice"), 5_000), ((300, "slice"), (70_000, "batches"), 20_000), ((60_000, "slice"), (0, "one"), 9),
     ((70_000, "batches"), (70_000, "batches"), 100_000), ((500, "one"), (60, "one"), 20)],
)  # fmt: skip
@pytest.mark.parametrize("partition_rows", [5_000, 10**9])
def test_answers_are_those_of_duckdb(left: tuple[int, str], right: tuple[int, str], keys: int, partition_rows: int) -> None:
    tables = {"x": table(left[0], keys, left[1], 1), "y": table(right[0], keys, right[1], 2)}
    with duckdb.connect() as reference, ArrowCache(memory_limit="1GiB", spill_to_disk=False, partition_size_rows=partition_rows, cache_query_results=False) as cache:
        for name, made in tables.items():
            reference.register("made", made)
            reference.execute(f"CREATE TABLE {name} AS FROM made")
            cache.put(name, made)
        # DuckDB 1 has no such columns: there a few are enough.
        for number, columns in enumerate(COLUMNS if duckdb.__version__ >= "2" else COLUMNS[:3]):
            for position, join in enumerate(("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")):
                where = ("", "WHERE x.V < 0.3", "WHERE y.V > 0.5 AND x.key IS NOT NULL", "WHERE y.row IS NULL", "WHERE false")[(number + position) % 5]
                on = ("ON x.key = y.key", "ON x.key = y.key AND x.n8 < 30", "USING (key)", "ON x.row = y.row", "USING (ROW, n8)")[(number + position) % 5]
                sql = f"SELECT {columns} FROM {{0}}x AS x {join} {{0}}y y {on} {where}"
                try:
                    expected = reference.sql(sql.format("")).to_arrow_table()
                except duckdb.Error:
                    with pytest.raises(CacheError):
                        cache.query(sql.format("_cache_"))
                    continue
                found = cache.query(sql.format("_cache_"), target_type="arrow")
                found.validate(full=True)
                assert difference(found, expected, is_ordered=False) is None, sql


def test_a_newer_table_is_joined(cache: ArrowCache) -> None:
    cache.put("x", table(60_000, 50, "batches", 1))
    sql = "SELECT x.*, y.name FROM _cache_x x JOIN _cache_y y ON x.key = y.key"
    for number in range(3):
        cache.put("y", pa.table({"key": [number], "name": [f"text {number}"]}), overwrite=True)
        found = cache.query(sql, target_type="arrow")
        assert set(found["name"].to_pylist()) == {f"text {number}"}
        assert set(found["key"].to_pylist()) == {number}


def test_results_outlive_the_entries(cache: ArrowCache) -> None:
    made = table(60_000, 50, "batches", 1)
    cache.put("x", made)
    cache.put("y", pa.table({"key": [7], "name": ["seven"]}))
    found = cache.query("SELECT x.*, y.name FROM _cache_x x LEFT JOIN _cache_y y ON x.key = y.key", target_type="arrow")
    cache.remove("x")
    cache.remove("y")
    kept = [name for name in found.schema.names if name not in ("name", "code", "large")]
    assert difference(found.select(kept), made.select(kept), is_ordered=False) is None
