"""SQL over the cache beside others, in one process and in turn: DuckDB on the same pyarrow table, a DuckDB table, Polars SQL, pandas.

    python benchmarks/bench_query.py [--only synthetic,tpch] [--quick] [--scale 0.1] …

The caches hold the tables in memory, half of them on disk, and all on disk. Every answer is compared with DuckDB's before anything is
timed. Writes docs/benchmarks/query.json and queries.png.
"""

import argparse
import gc
import tempfile
from pathlib import Path
from typing import Any

from contest import HALF, NATIVE, OURS, PANDAS, POLARS, SAME, SPILLED, Suite, contest, measure
from measure import RESULTS, describe_machine, geometric_mean, machine, milliseconds, print_table, write_results
from query_features import features
from query_targets import verdicts
from suite_h2o import group_suite, join_suite
from suite_synthetic import flights_suite, synthetic_suite
from suite_tpch import tpch_suite

ENGINES = {OURS: "ours", HALF: "half spilled", SPILLED: "all spilled", SAME: "DuckDB: pyarrow", NATIVE: "DuckDB: table", POLARS: "Polars", PANDAS: "pandas"}
RATIOS = {SAME: "ours/pyarrow", NATIVE: "ours/table", POLARS: "ours/Polars"}


def run(suite: Suite, rounds: int, seconds: float, folder: Path) -> dict[str, Any]:
    print(f"\n  {suite.title}; median milliseconds\n", flush=True)
    tables = suite.tables()
    has_pandas = any(query.pandas for query in suite.queries.values())
    results: dict[str, Any] = {}
    with contest(tables, folder, has_pandas=has_pandas) as engines:
        for label, query in suite.queries.items():
            results[label] = measure(engines, label, query, rounds, seconds)
    del tables
    gc.collect()
    means = {name: mean for name in (HALF, SPILLED, SAME, NATIVE, POLARS) if (mean := mean_ratio(results, name)) is not None}
    print_suite(results, means)
    return {
        "title": suite.title,
        "queries": results,
        "geometric_mean": {name: round(mean, 3) for name, mean in means.items()},
        "share_on_disk": engines.on_disk,
    }


def mean_ratio(results: dict[str, Any], name: str) -> float | None:
    ratios = [result["ratios"][name] for result in results.values() if name in result["ratios"]]
    return geometric_mean(ratios) if ratios else None


def print_suite(results: dict[str, Any], means: dict[str, float]) -> None:
    shown = [name for name in ENGINES if any(name in result["times"] for result in results.values())]
    rows = []
    for label, result in results.items():
        times = [milliseconds(result["times"][name]["median_ms"] / 1e3) if name in result["times"] else "–" for name in shown]
        rows.append([label, *times, *(f"{result['ratios'][name]:.2f}" if name in result["ratios"] else "–" for name in RATIOS)])
    rows.append(["geometric mean", *[""] * len(shown), *(f"{means[name]:.2f}" if name in means else "–" for name in RATIOS)])
    print_table(["", *(ENGINES[name] for name in shown), *RATIOS.values()], rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", help="suites, by comma: flights, synthetic, h2o_groupby, h2o_join, tpch, features (default: all)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, three rounds; nothing is written")
    parser.add_argument("--rows", type=int, default=20_000_000, help="of the synthetic table (default: 20 million)")
    parser.add_argument("--h2o-rows", type=int, default=10_000_000, help="of the H2O.ai tables (default: 10 million)")
    parser.add_argument("--scale", type=float, default=1.0, help="of TPC-H (default: 1)")
    parser.add_argument("--rounds", type=int, default=7, help="measured runs of each query in each engine, at most (default: 7)")
    parser.add_argument("--seconds", type=float, default=15.0, help="of all runs of a query, about, but three rounds at least (default: 15)")
    parser.add_argument("--output", type=Path, help="folder of the JSON file and the plot (default: docs/benchmarks)")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.h2o_rows, options.scale, options.rounds = options.rows // 10, options.h2o_rows // 10, options.scale / 10, 3
    if min(options.rows, options.h2o_rows) < 100_000 or options.rounds < 1 or options.scale <= 0:
        parser.error("at least 100,000 rows, one round and a scale above 0")
    return options


def main() -> None:
    options = arguments()
    facts = machine()
    print(f"  {describe_machine(facts)}")
    # The shorter work first: nothing of the large tables is in memory yet.
    suites = [flights_suite(), synthetic_suite(options.rows), tpch_suite(options.scale), group_suite(options.h2o_rows), join_suite(options.h2o_rows)]
    wanted = set(options.only.split(",")) if options.only else {suite.name for suite in suites} | {"features"}
    results: dict[str, Any] = {"machine": facts, "rows": options.rows, "suites": {}}
    with tempfile.TemporaryDirectory(prefix="bench-query-") as folder:
        for suite in suites:
            if suite.name in wanted:
                results["suites"][suite.name] = run(suite, options.rounds, options.seconds, Path(folder))
        if "features" in wanted:
            results["features"] = features(options.rows, options.h2o_rows, options.rounds)
    results["verdicts"] = verdicts(results)
    if not options.quick or options.output:
        write_results("query", results, options.output)
        from query_plot import plot  # matplotlib is an extra

        plot(results, (options.output or RESULTS) / "queries.png")


if __name__ == "__main__":
    main()
