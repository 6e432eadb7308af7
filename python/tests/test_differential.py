"""Thousands of generated queries over generated tables: the answers must be plain DuckDB's over its own copy of the tables.

Each is asked several times, after a setting has changed, and again after another put of the key. More of them: ``python -m differential`` in this folder.
"""

from __future__ import annotations

import pytest

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
    assert compared > 6 * statement_count * len(seeds) * 0.8  # of the rest DuckDB has no answer either


@pytest.mark.parametrize("first", range(0, 80, CASES_A_TEST))
def test_answers_are_those_of_duckdb(first: int) -> None:
    compare(range(first, first + CASES_A_TEST), 25)


@pytest.mark.parametrize("first", range(0, 6, 2))
def test_answers_over_large_tables_are_those_of_duckdb(first: int) -> None:
    compare(range(first, first + 2), 10, large=True)
