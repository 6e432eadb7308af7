"""Real spilling: every kind of data comes back from files as it was."""

import gc
from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from spilling import KINDS, LIMIT, MB, ROWS, files_in, frame, nested, numbers, rows_of, same, tiers

from arrow_cache import ArrowCache


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_comes_back_as_it_was(small, spill, kind):
    tables = {f"t{number}": KINDS[kind](number) for number in range(6)}
    for key, data in tables.items():
        small.put(key, data)
        assert small.status()["memory"]["allocated_bytes"] <= LIMIT
    del data
    gc.collect()
    memory, disk = tiers(small)
    assert memory <= LIMIT and disk > 0 and len(small) == 6 and files_in(spill)
    for key, data in tables.items():
        same(small.get(key, offset=19_990, limit=30), rows_of(data, 19_990, 30))
        same(small.get(key), data)
        assert small.get(key, "arrow", columns=["i" if kind != "arrow" else "id"]).num_rows == ROWS
        assert small.get(key, offset=ROWS, limit=5).shape[0] == 0
        [[count]] = small.query(f"SELECT count(*) AS n FROM _cache_{key}").to_numpy()
        assert count == ROWS
    assert small.status()["evicted_count"] == 0


def test_sql_over_what_is_spilled(small):
    tables = {f"t{number}": numbers(number) for number in range(8)}
    with ArrowCache(memory_limit="1GB", spill_to_disk=False) as other:
        for key, table in tables.items():
            small.put(key, table)
            other.put(key, table)
        assert tiers(small)[1] > 0
        for sql in (
            "SELECT count(*) AS n, sum(c3) AS s, min(c7) AS a, max(id) AS z FROM _cache_t0",
            "SELECT * FROM _cache_t1 WHERE id BETWEEN 9_990 AND 10_010 ORDER BY id",
            "SELECT id % 10 AS k, sum(c1) AS s FROM _cache_t2 GROUP BY k ORDER BY k",
            "SELECT a.id, a.c0 + b.c0 AS s FROM _cache_t3 AS a JOIN _cache_t4 AS b ON a.id = b.id ORDER BY s DESC LIMIT 5",
            " UNION ALL ".join(f"SELECT '{key}' AS k, count(*) AS n FROM _cache_{key} WHERE c0 < 0.5" for key in tables) + " ORDER BY k",
        ):
            pd.testing.assert_frame_equal(small.query(sql), other.query(sql))


def test_a_table_larger_than_the_limit_streams_to_disk(small):
    schema = numbers(0).schema

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(12):
            yield from numbers(number).to_batches()
            memory, _ = tiers(small)
            assert memory <= LIMIT

    small.put("large", pa.RecordBatchReader.from_batches(schema, batches()))
    memory, disk = tiers(small)
    assert memory <= LIMIT and disk >= 12 * 3 * MB - LIMIT
    assert small.get_metadata("large")["num_rows"] == 12 * ROWS
    for number in (0, 5, 11):
        same(small.get("large", "arrow", offset=number * ROWS, limit=ROWS).combine_chunks(), numbers(number).combine_chunks())
    total = sum(numbers(number)["c2"].to_numpy().sum() for number in range(12))
    assert small.query("SELECT sum(c2) AS s FROM _cache_large")["s"][0] == pytest.approx(total)
    rows = 0
    for batch in small.get("large", "reader"):
        rows += batch.num_rows
    assert rows == 12 * ROWS


def test_a_pandas_frame_larger_than_the_limit(spill):
    large = pd.concat([frame(number) for number in range(5)], ignore_index=True)
    with ArrowCache(memory_limit=4 * MB, spill_directory=spill) as cache:
        cache.put("f", large)
        memory, disk = tiers(cache)
        assert memory <= 4 * MB and disk > 0
        same(cache.get("f", offset=3 * ROWS - 5, limit=10), large.iloc[3 * ROWS - 5 : 3 * ROWS + 5])
        same(cache.get("f"), large)


def test_a_parquet_file_larger_than_the_limit(small, tmp_path):
    large = pa.concat_tables([numbers(number) for number in range(6)])
    pq.write_table(large, tmp_path / "large.parquet", row_group_size=20_000)
    small.put("f", tmp_path / "large.parquet")
    assert tiers(small)[0] <= LIMIT and tiers(small)[1] > 0
    same(small.get("f", "arrow").combine_chunks(), large.combine_chunks())


@pytest.mark.parametrize(("kind", "level"), [("lz4", 1), ("zstd", 1), ("zstd", 9), ("none", 3)])
def test_compressed_files(spill, kind, level):
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill, enable_compression=True, compression_type=kind, compression_level=level) as cache:
        tables = {f"t{number}": nested(number) for number in range(6)}
        for key, table in tables.items():
            cache.put(key, table)
        assert tiers(cache)[0] <= LIMIT and files_in(spill)
        for key, table in tables.items():
            same(cache.get(key, offset=30_000, limit=10), table.slice(30_000, 10))
            same(cache.get(key), table)
            assert cache.query(f"SELECT sum(i) AS s FROM _cache_{key}")["s"][0] == sum(range(ROWS))


def test_what_was_handed_out_outlives_entry_cache_and_files(spill):
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:
        for number in range(6):
            cache.put(f"t{number}", numbers(number))
        kept = {number: cache.get(f"t{number}") for number in range(6)}
        cache.put("t0", numbers(99))
        cache.remove("t1")
    assert not files_in(spill)
    for number, table in kept.items():
        same(table, numbers(number))


def test_memory_that_results_hold_is_shown_apart(small):
    small.put("t", numbers(0))
    held = small.get("t")
    for number in range(1, 6):
        small.put(f"t{number}", numbers(number))
    status = small.status()["memory"]
    assert status["allocated_bytes"] <= LIMIT and status["leased_bytes"] >= 0
    same(held, numbers(0))
