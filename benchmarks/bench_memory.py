"""Whether the memory limit holds: TPC-H tables of 8 GB through a cache of 1 GB, then ten minutes of gets and queries.

    python benchmarks/bench_memory.py [--gb 8] [--limit 1GB] [--query-limit 512MB] [--minutes 10]

A process of its own works with the cache (`memory_work.py`) while this one watches its memory. Every answer is compared with that of DuckDB
over the Parquet files. Then `spill_figures.py` measures what spilling costs. Writes docs/benchmarks/memory.json and memory.png; exits with 1
where memory went above both limits and 64 MB, an answer was wrong, or a table was lost.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import spill_figures
import tpch
from arrow_cache.sizes import format_bytes, parse_bytes
from measure import RESULTS, describe_machine, machine, milliseconds, print_table, write_results
from memory_plot import plot
from rss_watch import RssWatch

ALLOWANCE = 64_000_000
HERE = Path(__file__).resolve().parent


def check_room(folder: Path, data_bytes: float) -> None:
    """The files of the data, its spilled copy, and what DuckDB writes meanwhile."""
    needed, free = int(2.5 * data_bytes) + 1_000_000_000, shutil.disk_usage(folder).free
    if free < needed:
        sys.exit(f"This needs {format_bytes(needed)} on the disk of {folder}, {format_bytes(free)} are free: give --folder on another, or a smaller --gb")


def run(folder: Path, options: argparse.Namespace) -> RssWatch:
    """The work in a process of its own, watched until it ends."""
    command = [sys.executable, "-W", "ignore", str(HERE / "memory_work.py"), str(folder), "--limit", str(options.limit)]
    command += ["--query-limit", str(options.query_limit), "--minutes", str(options.minutes), "--threads", str(options.threads)]
    watch = RssWatch(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    watch.run(told)
    return watch


def told(event: dict[str, Any]) -> None:
    if event["kind"] == "put":
        print(f"  put {event['name']:<10} {event['rows']:>12,} rows {format_bytes(event['bytes']):>11} {event['seconds']:8.1f} s", flush=True)


def verdicts(watch: RssWatch, options: argparse.Namespace) -> dict[str, Any]:
    """What was promised beside what was seen."""
    done = watch.event("done")
    peak = done["peak"] - watch.event("empty")["rss"]
    allowed = options.limit + options.query_limit + ALLOWANCE
    answers = sum(len(seconds) for seconds in done["seconds"].values())
    put = sum(event["bytes"] for event in watch.events("put"))
    return {
        "put_bytes": put,
        "peak_rss_above_empty_bytes": peak,
        "allowed_bytes": allowed,
        "answers": answers,
        "wrong_answers": len(done["wrong"]),
        "wrong": done["wrong"][:20],
        "errors": done["errors"],
        "missing_tables": done["missing"],
        "holds": peak <= allowed and answers > 0 and not done["wrong"] and not done["errors"] and not done["missing"],
    }


def report(watch: RssWatch, found: dict[str, Any], options: argparse.Namespace) -> None:
    rows = [
        [name, f"{len(seconds):,}", milliseconds(statistics.median(seconds)), milliseconds(max(seconds))]
        for name, seconds in sorted(watch.event("done")["seconds"].items())
    ]
    print()
    print_table([f"{options.minutes:g} minutes, {options.threads} threads", "answers", "median ms", "most ms"], rows)
    print(
        f"\n  {format_bytes(found['put_bytes'])} put; {found['answers']:,} answers, {found['wrong_answers']} wrong, "
        f"{sum(found['errors'].values())} errors, {len(found['missing_tables'])} tables missing"
    )
    print(
        f"  Peak RSS above the empty process {format_bytes(found['peak_rss_above_empty_bytes'])}, allowed {format_bytes(found['allowed_bytes'])} "
        f"(memory_limit + query_memory_limit + 64 MB)"
    )
    for error, count in found["errors"].items():
        print(f"    {count} × {error}")
    for name in found["wrong"]:
        print(f"    wrong: {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--gb", type=float, default=8, help="of data as Arrow, in 10^9 bytes (default: 8)")
    parser.add_argument("--limit", type=parse_bytes, default=10**9, help="memory_limit (default: 1GB)")
    parser.add_argument("--query-limit", type=parse_bytes, default=512 * 10**6, help="query_memory_limit (default: 512MB)")
    parser.add_argument("--minutes", type=float, default=10, help="of gets and queries (default: 10)")
    parser.add_argument("--threads", type=int, default=2, help="that ask (default: 2)")
    parser.add_argument("--slices", type=int, default=20, help="different gets of each kind (default: 20)")
    parser.add_argument("--folder", type=Path, help="where a temporary folder for the data is made (default: the system's)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the results (default: docs/benchmarks)")
    parser.add_argument("--only-limit", action="store_true", help="without the figures of what spilling costs")
    options = parser.parse_args()
    facts = machine()
    print(f"  {describe_machine(facts)}")

    with tempfile.TemporaryDirectory(prefix="arrow-cache-bench-", dir=options.folder) as name:
        folder = Path(name)
        check_room(folder, options.gb * 1e9)
        start = time.perf_counter()
        tpch.generate(folder, options.gb * 1e9 / tpch.BYTES_A_SCALE)
        print(f"  TPC-H, scale {options.gb * 1e9 / tpch.BYTES_A_SCALE:.2f}, made in {time.perf_counter() - start:.1f} s", flush=True)
        start = time.perf_counter()
        subprocess.run([sys.executable, str(HERE / "tpch.py"), str(folder), str(options.slices), "1"], check=True)
        print(f"  answers by DuckDB over the Parquet files in {time.perf_counter() - start:.1f} s", flush=True)
        watch = run(folder, options)
        found = verdicts(watch, options)
        report(watch, found, options)
        left = sorted(str(path.relative_to(folder)) for path in (folder / "spill").rglob("*") if path.is_file())
        results = {
            "machine": facts,
            "options": {key: value for key, value in vars(options).items() if key not in ("folder", "output")},
            "plain_arrow_bytes": int(options.gb * 1e9),
            "verdict": found | {"files_left_after_close": left},
            "puts": watch.events("put"),
            "done": {key: value for key, value in watch.event("done").items() if key != "seconds"},
            "milliseconds": {
                name: {"answers": len(taken), "median": statistics.median(taken) * 1e3, "most": max(taken) * 1e3}
                for name, taken in watch.event("done")["seconds"].items()
            },
        }
        options.output.mkdir(parents=True, exist_ok=True)
        plot(watch, options.limit, options.query_limit, options.output / "memory.png")
        if not options.only_limit:
            results["spilling"] = spill_figures.measure(folder)
    write_results("memory", results, options.output)
    sys.exit(0 if found["holds"] and not left else 1)


if __name__ == "__main__":
    main()
