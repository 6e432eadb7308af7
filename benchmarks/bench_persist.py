"""What it costs to write a table so that it lasts, and to have it back, beside raw writes, Parquet, Feather and a DuckDB file, in one process.

    python benchmarks/bench_persist.py [--rows 10000000] [--rounds 5] [--entries 10000] [--folder build]

The same mixed table goes to each format in turn, and is durable when the clock stops: raw writes are of the very bytes that `persist` makes, in as many files with
as many syncs, and in one file with one. Files are read from a warm page cache. Each figure that has a target is held against it; the program
ends with status 1 where one is missed. Writes docs/benchmarks/persist.json.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from arrow_cache import ArrowCache
from measure import Times, describe_machine, machine, milliseconds, print_table, progress, write_results
from persist_work import folder_bytes, mixed_table, raw_file, raw_files, readers, to_duckdb, to_file, with_another_value

ROOT = Path(__file__).resolve().parent.parent
LEAST_SHARE_OF_RAW = 0.8
MOST_MILLISECONDS_PER_GB = 5.0
MOST_RESTART_SECONDS = 1.0


@dataclass
class Verdict:
    """A figure and what it is held against."""

    what: str
    value: float
    target: float
    unit: str
    is_least: bool = False

    @property
    def holds(self) -> bool:
        return self.value >= self.target if self.is_least else self.value <= self.target

    def row(self) -> list[str]:
        bound = "at least" if self.is_least else "at most"
        return [self.what, f"{self.value:,.2f} {self.unit}", f"{bound} {self.target:g} {self.unit}", "ok" if self.holds else "MISSED"]


def take_turns(
    work: Mapping[str, Callable[[], object]], rounds: int, before: Callable[[str], None] = lambda name: None
) -> dict[str, Times]:
    """Each of `work` once unmeasured and then `rounds` times in turn; `before` is not measured."""
    times = {name: Times() for name in work}
    names = list(work)
    for number in range(-1, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            progress(f"{name}, round {number + 1} of {rounds}")
            before(name)
            start = time.perf_counter()
            result = work[name]()
            taken = time.perf_counter() - start
            del result
            if number >= 0:
                times[name].seconds.append(taken)
    return times


# --- measurements ---------------------------------------------------------------------------------------------------------


def measure_writing(
    cache: ArrowCache, table: pa.Table, folders: Mapping[str, Path], rounds: int
) -> tuple[dict[str, Times], dict[str, int]]:
    """Seconds until a new table is durable, and the bytes on disk, by format."""
    ours = folders["ArrowCache"]
    cache.persist("t", ours)
    parts = [path.read_bytes() for path in sorted(ours.rglob("*.arrow"))]
    (manifest,) = (path.read_bytes() for path in ours.rglob("manifest.json"))

    def emptied(name: str) -> None:
        shutil.rmtree(folders[name], ignore_errors=True)
        os.sync()  # what others have written is not ours to wait for

    times = take_turns(
        {
            "ArrowCache": lambda: cache.persist("t", ours),
            "raw, the same files": lambda: raw_files(folders["raw, the same files"], parts, manifest),
            "raw, one file": lambda: raw_file(folders["raw, one file"], [*parts, manifest]),
            "Parquet, snappy": lambda: to_file(
                folders["Parquet, snappy"], "t.parquet", lambda path: pq.write_table(table, path, compression="snappy")
            ),
            "Parquet, zstd": lambda: to_file(folders["Parquet, zstd"], "t.parquet", lambda path: pq.write_table(table, path, compression="zstd")),
            "Feather": lambda: to_file(
                folders["Feather"], "t.arrow", lambda path: feather.write_feather(table, path, compression="uncompressed")
            ),
            "Feather, lz4": lambda: to_file(folders["Feather, lz4"], "t.arrow", lambda path: feather.write_feather(table, path, compression="lz4")),
            "DuckDB file": lambda: to_duckdb(folders["DuckDB file"], table),
        },
        rounds,
        emptied,
    )
    return times, {name: folder_bytes(folders[name]) for name in times}


def measure_change(cache: ArrowCache, table: pa.Table, folder: Path, rounds: int) -> tuple[Times, int]:
    """Seconds of persisting again what differs in one value, and the bytes that this writes."""
    versions = [table, with_another_value(table)]
    turn = 0

    def put(name: str) -> None:
        nonlocal turn
        turn += 1
        cache.put("t", versions[turn % 2])
        os.sync()

    times = take_turns({"changed": lambda: cache.persist("t", folder)}, rounds, put)
    written = cache.query("SELECT last(bytes ORDER BY time) AS bytes FROM arrow_cache.events WHERE kind = 'persisted'")
    return times["changed"], int(written["bytes"][0])


def measure_restart(folder: Path, entries: int, rounds: int) -> Times:
    """Seconds until a cache over a storage of so many entries is open and has given the first of them."""
    options: dict[str, Any] = {"storage_path": folder, "persistent_storage": True, "delete_files_on_close": False}
    table = pa.table({"n": np.arange(100), "x": np.arange(100) / 3, "s": [f"text {number}" for number in range(100)]})
    with ArrowCache(**options) as cache, ThreadPoolExecutor(8) as pool:
        for done, _ in enumerate(pool.map(lambda number: cache.put(f"entry {number}", table), range(entries))):
            if done % 100 == 0:
                progress(f"{done} of {entries} entries are durable")
    times = Times()
    for number in range(rounds):
        progress(f"restart {number + 1} of {rounds}")
        start = time.perf_counter()
        cache = ArrowCache(**options)
        found = cache.get("entry 7", target_type="arrow")
        times.seconds.append(time.perf_counter() - start)
        if found != table or len(cache.get_keys()) != entries:
            sys.exit(f"a cache that was opened again has {len(cache.get_keys())} of {entries} entries, or other rows")
        cache.close()
    return times


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5, help="measured runs of each (default: 5)")
    parser.add_argument("--entries", type=int, default=10_000, help="entries of the storage that is opened again; 0: leave that out")
    parser.add_argument("--folder", type=Path, default=ROOT / "build", help="where to write: on the disk that is to be measured")
    parser.add_argument("--output", type=Path, help="folder of the JSON file (default: docs/benchmarks)")
    options = parser.parse_args()
    if options.rows < 1000 or options.rounds < 1 or options.entries < 0:
        parser.error("--rows must be at least 1000, --rounds at least 1, --entries at least 0")
    facts = machine()
    print(f"  {describe_machine(facts)}\n")
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="bench-persist-") as place:
        return run(options, facts, Path(place))


def run(options: argparse.Namespace, facts: dict[str, object], place: Path) -> int:
    progress("making the table")
    table = mixed_table(options.rows)
    names = ["ArrowCache", "raw, the same files", "raw, one file", "Parquet, snappy", "Parquet, zstd", "Feather", "Feather, lz4", "DuckDB file"]
    folders = {name: place / f"{index}" for index, name in enumerate(names)}
    with ArrowCache(memory_limit=4 * table.nbytes + (1 << 30)) as cache:
        cache.put("t", table)
        writing, sizes = measure_writing(cache, table, folders, options.rounds)
        changed, changed_bytes = measure_change(cache, table, folders["ArrowCache"], options.rounds)
    gigabytes = sizes["ArrowCache"] / 1e9
    first = take_turns(readers(folders, does_read_all=False), 3 * options.rounds)
    whole = take_turns(readers(folders, does_read_all=True), options.rounds)
    restart = measure_restart(place / "storage", options.entries, options.rounds) if options.entries else None
    progress("")

    print(f"  {options.rows:,} rows, {table.nbytes / 1e9:.2f} GB in memory; medians of {options.rounds} rounds\n")
    ours = writing["ArrowCache"].median
    shown = [
        [
            name,
            milliseconds(writing[name].median),
            f"{sizes['ArrowCache'] / writing[name].median / 1e6:,.0f}",
            f"{writing[name].median / ours:.2f} ×",
            f"{sizes[name] / 1e6:,.0f}",
            milliseconds(first[name].median) if name in first else "",
            milliseconds(whole[name].median) if name in whole else "",
        ]
        for name in names
    ]
    shown.insert(1, ["ArrowCache, SQL", *[""] * 4, milliseconds(first["ArrowCache, SQL"].median), ""])
    print_table(["", "durable, ms", "MB/s", "to ours", "on disk, MB", "first row, ms", "all rows, ms"], shown)
    print(f"\n  one value changed: {milliseconds(changed.median)} ms, {changed_bytes / 1e6:,.1f} MB written of {sizes['ArrowCache'] / 1e6:,.0f} MB")
    if restart is not None:
        print(f"  {options.entries:,} entries opened again: {milliseconds(restart.median)} ms")

    def share(of: str) -> float:
        pairs = zip(writing[of].seconds, writing["ArrowCache"].seconds)
        return statistics.median(raw / taken for raw, taken in pairs)

    verdicts = [
        Verdict("persist, share of a raw write with the same syncs", share("raw, the same files"), LEAST_SHARE_OF_RAW, "×", True),
        Verdict("load to the first row", first["ArrowCache"].median * 1e3 / gigabytes, MOST_MILLISECONDS_PER_GB, "ms a GB"),
        Verdict("load to the first row by SQL", first["ArrowCache, SQL"].median * 1e3 / gigabytes, MOST_MILLISECONDS_PER_GB, "ms a GB"),
    ]
    if restart is not None:
        verdicts.append(Verdict(f"restart with {options.entries:,} entries", restart.median, MOST_RESTART_SECONDS, "s"))
    print()
    print_table(["", "measured", "target", ""], [verdict.row() for verdict in verdicts])
    print(f"\n  persist beside a raw write to one file with one sync: {share('raw, one file'):.2f} ×")
    write_results(
        "persist",
        {
            "machine": facts,
            "rows": options.rows,
            "table_bytes": table.nbytes,
            "writing": {name: taken.summary() | {"bytes": sizes[name]} for name, taken in writing.items()},
            "share_of_raw": {name: round(share(name), 3) for name in names[1:3]},
            "one_value_changed": changed.summary() | {"bytes": changed_bytes},
            "first_row": {name: taken.summary() for name, taken in first.items()},
            "all_rows": {name: taken.summary() for name, taken in whole.items()},
            "restart": None if restart is None else restart.summary() | {"entries": options.entries},
            "verdicts": [
                {"what": verdict.what, "value": round(verdict.value, 3), "target": verdict.target, "unit": verdict.unit, "holds": verdict.holds}
                for verdict in verdicts
            ],
        },
        options.output,
    )
    return 0 if all(verdict.holds for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
