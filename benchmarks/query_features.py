"""What the other queries do not show: the same query again, a filter asked again, blocks that are left out, large results."""

import sys
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from answer_check import disagreement
from arrow_cache import ArrowCache
from contest import cache_options
from measure import Times, alternate, milliseconds, print_table, progress, timed
from suite_synthetic import synthetic_table

#: Rows of a large result, by what its columns are.
RESULTS = {
    "numbers": "SELECT id, k, v * 2 AS w, ts FROM {t} WHERE id >= 0",
    "numbers and text": "SELECT id, s, v FROM {t} WHERE id >= 0",
}


def features(rows: int, result_rows: int, rounds: int) -> dict[str, Any]:
    """Measure them; ``ratios`` is what the targets are about."""
    table = synthetic_table(rows)
    ratios: dict[str, float] = {}
    times: dict[str, Any] = {}

    def keep(name: str, taken: Times) -> float:
        times[name] = taken.summary()
        return taken.median

    again = keep("the same query again", same_query(table, max(rounds, 20)))
    ratios["the same query again, ms"] = again * 1e3
    first, repeated = repeated_filter(table, max(rounds, 9))
    ratios["a repeated filter, share of the first"] = keep("a filter asked again", repeated) / keep("a filter, first", first)
    ratios["blocks read by 1 % of a sorted column"] = blocks_read(table)
    for name, taken in large_results(table.slice(0, result_rows), rounds).items():
        client = keep(f"{name}, DuckDB's client", taken["DuckDB's client"])
        ratios[f"{name} beside DuckDB's client"] = keep(name, taken["ours"]) / client
        keep(f"{name}, DuckDB's client on the same pyarrow table", taken["DuckDB's client, same pyarrow table"])
    progress("")
    print(f"\n  Features over {rows:,} rows; median milliseconds\n")
    print_table(["", "ms"], [[name, milliseconds(summary["median_ms"] / 1e3)] for name, summary in times.items()])
    return {"times": times, "ratios": {name: round(ratio, 4) for name, ratio in ratios.items()}}


def same_query(table: pa.Table, rounds: int) -> Times:
    """A query that was asked before, as the caches of everyone are by default."""
    with ArrowCache(memory_limit=2 * table.nbytes, query_target_type="arrow") as cache:
        cache.put("t", table)
        sql = "SELECT k, count(*) AS n, sum(v) AS total FROM _cache_t GROUP BY k"
        expected = cache.query(sql)
        cache.query(sql)
        taken = Times([timed(lambda: cache.query(sql)) for _ in range(rounds)])
        if (fact := disagreement(cache.query(sql), expected)) is not None:
            sys.exit(f"The same query again: {fact}")
        return taken


def repeated_filter(table: pa.Table, rounds: int) -> tuple[Times, Times]:
    """Filters that few rows pass and no statistic helps, each the first time and the fifth; answers are computed each time."""
    values = np.sort(table["v"].to_numpy())[::-1]
    first, repeated = Times(), Times()
    with ArrowCache(memory_limit=2 * table.nbytes, query_target_type="arrow", cache_query_results=False) as cache:
        cache.put("t", table)
        cache.query("SELECT count(*), sum(v) FROM _cache_t WHERE v > 0 AND k > 1")  # what is made for the first query of all
        for number in range(rounds):
            bound = float(values[200 + 3 * number])
            sql = f"SELECT count(*) AS n, sum(k) AS total, max(id) AS last FROM _cache_t WHERE v > {bound!r}"
            first.seconds.append(timed(lambda: cache.query(sql)))
            for _ in range(3):
                cache.query(sql)
            repeated.seconds.append(timed(lambda: cache.query(sql)))
            if (found := cache.query(sql)["n"][0].as_py()) != (wanted := int(np.count_nonzero(values > bound))):
                sys.exit(f"A repeated filter finds {found} rows in place of {wanted}: {sql}")
    return first, repeated


def blocks_read(table: pa.Table) -> float:
    """Share of the blocks that a filter for 1 % of a sorted column reads."""
    with ArrowCache(memory_limit=2 * table.nbytes, query_target_type="arrow", **cache_options()) as cache:
        cache.put("t", table)
        start, count = table.num_rows // 3, table.num_rows // 100
        sql = f"SELECT count(*) AS n, sum(v) AS total FROM _cache_t WHERE id >= {start} AND id < {start + count}"
        cache.query("SELECT count(*) FROM _cache_t WHERE id >= 10 AND id < 20")  # statistics are made when first asked for
        before = cache.status()["scans"]
        found = cache.query(sql)["n"][0].as_py()
        after = cache.status()["scans"]
        if found != count:
            sys.exit(f"1 % of a sorted column: {found} rows in place of {count}")
        read, skipped = (after[name] - before[name] for name in ("blocks_read", "blocks_skipped"))
        return float(read / max(1, read + skipped))


def large_results(table: pa.Table, rounds: int) -> dict[str, dict[str, Times]]:
    """All rows, to Arrow and to pandas."""
    found = {}
    with ArrowCache(memory_limit=2 * table.nbytes, **cache_options()) as cache, duckdb.connect() as native, duckdb.connect() as same:
        cache.put("t", table)
        same.register("t", table)
        native.register("source", table)
        native.execute("CREATE TABLE t AS SELECT * FROM source")
        for label, template in RESULTS.items():
            ours, plain = template.format(t="_cache_t"), template.format(t="t")
            to_arrow: dict[str, Callable[[], object]] = {
                "ours": lambda: cache.query(ours, target_type="arrow"),
                "DuckDB's client": lambda: native.sql(plain).to_arrow_table(),
                "DuckDB's client, same pyarrow table": lambda: same.sql(plain).to_arrow_table(),
            }
            to_pandas: dict[str, Callable[[], object]] = {
                "ours": lambda: cache.query(ours, target_type="pandas"),
                "DuckDB's client": lambda: native.sql(plain).df(),
                "DuckDB's client, same pyarrow table": lambda: same.sql(plain).df(),
            }
            for target, work in (("Arrow", to_arrow), ("pandas", to_pandas)):
                progress(f"{table.num_rows:,} rows of {label} to {target}")
                found[f"{table.num_rows:,} rows of {label} to {target}"] = alternate(work, rounds, _same_rows(table.num_rows), seconds=20)
    return found


def _same_rows(rows: int) -> Callable[[str, Any], None]:
    expected = rows * (rows - 1) // 2

    def check(name: str, answer: Any) -> None:
        total = int(answer["id"].sum()) if isinstance(answer, pd.DataFrame) else int(np.sum(answer["id"].to_numpy()))
        if len(answer) != rows or total != expected:
            sys.exit(f"{name}: {len(answer)} rows with ids that sum to {total}, in place of {rows} and {expected}")

    return check
