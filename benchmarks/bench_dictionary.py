"""GROUP BY over texts that repeat: kept as dictionaries, kept as they are, and DuckDB's own table; and what each takes to put, keep and get.

    python benchmarks/bench_dictionary.py [--rows 10000000] [--rounds 7]

Processor milliseconds of all threads, medians, so that other work on the machine counts less. Answers are compared before anything is timed.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from arrow_cache import ArrowCache

QUERY = "SELECT s, count(*) AS n, sum(v) AS total FROM {t} GROUP BY s"


def table(rows: int, distinct: int) -> pa.Table:
    """`rows` rows of texts of 18 bytes, `distinct` of them, in batches of a million, and numbers."""
    random = np.random.default_rng(distinct)
    words = pa.array([f"word-number-{number:06d}" for number in range(distinct)])
    batches = []
    for start in range(0, rows, 1_000_000):
        count = min(1_000_000, rows - start)
        texts = words.take(pa.array(random.integers(0, distinct, count)))
        batches.append(pa.record_batch({"s": texts, "v": random.integers(0, 1000, count)}))
    return pa.Table.from_batches(batches)


def measured(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, int]:
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, run in work.items():
            started = time.process_time()
            run()
            times[name].append(time.process_time() - started)
    return {name: round(1000 * statistics.median(taken)) for name, taken in times.items()}


def rows_of(answer: pa.Table) -> list[tuple[object, ...]]:
    return sorted(zip(*(column.to_pylist() for column in answer.columns), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    for distinct in (25, 1_000, 5_000, 50_000):
        source = table(arguments.rows, distinct)
        native = duckdb.connect()
        native.register("source", source)
        native.execute("CREATE TABLE t AS SELECT * FROM source")
        with ArrowCache(dictionary_encoding=True) as encoded, ArrowCache(dictionary_encoding=False) as plain:
            puts = measured({"encoded": lambda: encoded.put("t", source), "plain": lambda: plain.put("t", source)}, arguments.rounds)
            gets = measured({"encoded": lambda: encoded.get("t"), "plain": lambda: plain.get("t")}, arguments.rounds)
            work: dict[str, Callable[[], Any]] = {
                "encoded": lambda: encoded.query(QUERY.format(t="_cache_t"), target_type="arrow"),
                "plain": lambda: plain.query(QUERY.format(t="_cache_t"), target_type="arrow"),
                "DuckDB table": lambda: native.sql(QUERY.format(t="t")).to_arrow_table(),
            }
            answers = [rows_of(run()) for run in work.values()]
            assert answers[0] == answers[1] == answers[2]
            sizes = [round(cache.status()["current_size_bytes"] / 1e6) for cache in (encoded, plain)]
            print(f"{distinct:>6} texts: GROUP BY {measured(work, arguments.rounds)} ms, put {puts} ms, get {gets} ms, {sizes[0]} of {sizes[1]} MB", flush=True)


if __name__ == "__main__":
    main()
