"""Thousands of generated queries over generated tables: the answers must be plain DuckDB's over its own copy of the tables.

Each is asked several times, after a setting has changed, and again after another put of the key. More of them: ``python -m differential`` in this folder.
"""

from __future__ import annotations

import pyarrow as pa
import pytest

from arrow_cache import ArrowCache

from differential.case import Disagreement, random_case, run
from differential.reduction import report

CASES_A_TEST = 4


def compare(seeds: range, statement_count: int, large: bool = False) -> None:
    compared = 0
    for seed in seeds:
        case = random_case(seed, statement_count, large)
        try:
            compared += run(case)
        except Disagreement as found:
            pytest.fail(report(case, found), pytrace=False)
    assert compared > 6 * statement_count * len(seeds) * 0.7  # of the rest DuckDB has no answer either


@pytest.mark.parametrize("first", range(0, 80, CASES_A_TEST))
def test_answers_are_those_of_duckdb(first: int) -> None:
    compare(range(first, first + CASES_A_TEST), 25)


@pytest.mark.parametrize("first", range(0, 6, 2))
def test_answers_over_large_tables_are_those_of_duckdb(first: int) -> None:
    compare(range(first, first + 2), 10, large=True)


@pytest.mark.parametrize("join", ["a LEFT JOIN b ON a.row = b.row", "b RIGHT JOIN a ON a.row = b.row"])
def test_an_outer_join_keeps_the_filters_of_its_other_side(join: str, cache: ArrowCache) -> None:
    """DuckDB 2.0.0 by itself forgets them over Arrow tables: it takes IS NULL for the sign of a row without a match."""
    cache.put("t", pa.table({"row": range(10), "n": [None if row % 2 else 3 for row in range(10)]}))
    sql = f"WITH a AS (FROM _cache_t), b AS (SELECT row FROM _cache_t WHERE n IS NULL) SELECT a.row FROM {join} WHERE b.row IS NULL ORDER BY ALL"
    assert cache.query(sql, target_type="arrow")["row"].to_pylist() == [0, 2, 4, 6, 8]
