"""Thousands of random filters over random tables: the answer must be DuckDB's own over its own copy of the table."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache, CacheError

from differential import Generator

TABLES = 20
PREDICATES = 40


@pytest.mark.parametrize("seed", range(4))
def test_filters_find_the_rows_that_duckdb_finds(seed: int) -> None:
    generator = Generator(seed)
    reference = duckdb.connect()
    reference.execute("SET TimeZone = 'UTC'")
    compared = 0
    for _ in range(TABLES):
        row_count = generator.random.choice([0, 1, 7, 100, 1000, 3000])
        table, columns = generator.table(row_count)
        reference.register("arrow_table", table)
        # A table of its own: the filters that DuckDB 1.5 hands to pyarrow get NaN wrong.
        reference.execute("CREATE OR REPLACE TABLE reference AS SELECT * FROM arrow_table")
        with ArrowCache(partition_size_rows=generator.random.choice([3, 50, 777]), thread_count=2) as cache:
            cache.query("SET TimeZone = 'UTC'")
            cache.put("t", table)
            for _ in range(PREDICATES):
                predicate = generator.predicate(columns)
                try:
                    expected = rows(reference.sql(f"SELECT row FROM reference WHERE {predicate}").to_arrow_table())
                except duckdb.Error:
                    # DuckDB has no answer (a literal out of the type's range, say); the cache must only survive it.
                    expected = None
                try:
                    found = rows(cache.query(f"SELECT row FROM _cache_t WHERE {predicate}", target_type="arrow"))
                except CacheError as error:
                    assert expected is None, f"{predicate}: {error}"
                    continue
                if expected is not None:
                    assert found == expected, predicate
                    compared += 1
    assert compared > TABLES * PREDICATES * 0.8


def rows(table: pa.Table) -> list[Any]:
    return table.column(0).to_pylist()
