"""What spilling costs: writing beside `dd`, reading what is in the page cache beside memory, reading what is not beside `dd`.

    python benchmarks/spill_figures.py [--folder FOLDER] [--megabytes 1000] [--rounds 5]

Every comparison is made in turn, in one process, and counts medians.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from arrow_cache import ArrowCache
from measure import alternate, milliseconds, print_table

COLUMNS = 10
ROWS = 500_000  # of a batch: 40 MB
SQL = "SELECT sum(c3) AS total, count(*) FILTER (c7 > 0.5) AS n FROM _cache_t"
LIMIT = 160_000_000


class Numbers:
    """Batches of ten columns of random doubles, each in memory of its own."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.base = np.random.default_rng(1).random((COLUMNS, ROWS))
        self.schema = pa.schema([(f"c{number}", pa.float64()) for number in range(COLUMNS)])

    def reader(self) -> pa.RecordBatchReader:
        def batches() -> Iterator[pa.RecordBatch]:
            for number in range(self.count):
                arrays = self.base + number * 1e-6
                yield pa.RecordBatch.from_arrays([pa.array(column) for column in arrays], schema=self.schema)

        return pa.RecordBatchReader.from_batches(self.schema, batches())

    @property
    def byte_count(self) -> int:
        return self.count * COLUMNS * ROWS * 8


def spill_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size > 1_000_000]


def forget(files: list[Path]) -> None:
    """Take files out of the page cache."""
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.fdatasync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def dd(*words: str) -> None:
    subprocess.run(["dd", "bs=4M", "status=none", *words], check=True)


def read_bytes() -> int:
    """What this process has had read from disk."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["read_bytes"])


def writing(folder: Path, data: Numbers, rounds: int) -> dict[str, Any]:
    """Bytes a second of spilling, by the cache's own count, beside `dd` of as many zeros without a sync, as spilling has none."""
    ours, others = [], []
    for number in range(rounds):
        with ArrowCache(memory_limit=LIMIT, spill_directory=folder / "spill") as cache:
            start = time.perf_counter()
            for _ in data.reader():
                pass
            making = time.perf_counter() - start
            start = time.perf_counter()
            cache.put("t", data.reader())
            took = time.perf_counter() - start - making
            ours.append(cache.status()["spilled_bytes"] / took)
        target = folder / f"dd-{number}"
        start = time.perf_counter()
        dd("if=/dev/zero", f"of={target}", f"count={data.byte_count >> 22}")
        others.append((data.byte_count >> 22 << 22) / (time.perf_counter() - start))
        target.unlink()
        os.sync()
    return {
        "spilled_bytes_a_second": statistics.median(ours),
        "dd_bytes_a_second": statistics.median(others),
        "ratio": statistics.median(ours) / statistics.median(others),
    }


def reading(folder: Path, data: Numbers, rounds: int) -> dict[str, Any]:
    """A query over what is spilled: in the page cache beside the same in memory, and from the disk beside `dd`."""
    with ArrowCache(memory_limit=3 * data.byte_count) as memory, ArrowCache(memory_limit=LIMIT, spill_directory=folder / "spill") as spilled:
        memory.put("t", data.reader())
        spilled.put("t", data.reader())
        answers: dict[str, Any] = {}
        work = {name: (lambda cache=cache: cache.query(SQL, target_type="arrow")) for name, cache in (("memory", memory), ("spilled", spilled))}
        times = alternate(work, 3 * rounds, answers.__setitem__)
        same = answers["memory"].column("n").equals(answers["spilled"].column("n"))
        tiers = spilled.status()["tiers"]
        files = spill_files(folder / "spill")
        share = tiers["disk"]["bytes"] / max(1, data.byte_count)
        cold, counted, sequential = [], [], []
        for _ in range(rounds):
            forget(files)
            start = time.perf_counter()
            for file in files:
                dd(f"if={file}", "of=/dev/null")
            sequential.append(sum(file.stat().st_size for file in files) / (time.perf_counter() - start))
            forget(files)
            before, start = read_bytes(), time.perf_counter()
            spilled.query(SQL, target_type="arrow")
            took = time.perf_counter() - start
            counted.append(read_bytes() - before)
            cold.append(counted[-1] / took)
    asked = data.byte_count * 2 / COLUMNS * share
    return {
        "same_answer": same,
        "share_on_disk": share,
        "memory": times["memory"].summary(),
        "spilled": times["spilled"].summary(),
        "warm_ratio": times["spilled"].median / times["memory"].median,
        "cold_bytes_a_second": statistics.median(cold),
        "dd_bytes_a_second": statistics.median(sequential),
        "cold_ratio": statistics.median(cold) / statistics.median(sequential),
        "cold_bytes_read": statistics.median(counted),
        "bytes_of_the_columns": asked,
        "bytes_ratio": statistics.median(counted) / asked if asked else None,
    }


def measure(folder: Path, megabytes: int = 1000, rounds: int = 5) -> dict[str, Any]:
    """All figures, printed and returned."""
    data = Numbers(max(1, round(megabytes * 1e6 / (COLUMNS * ROWS * 8))))
    write, read = writing(folder, data, rounds), reading(folder, data, rounds)
    print()
    print_table(
        ["spilling", "arrow_cache", "beside it", "ratio"],
        [
            ["write, MB/s, beside dd", f"{write['spilled_bytes_a_second'] / 1e6:,.0f}", f"{write['dd_bytes_a_second'] / 1e6:,.0f}", f"{write['ratio']:.2f}"],
            ["query, page cache, ms, beside memory", *(milliseconds(read[name]["median_ms"] / 1e3) for name in ("spilled", "memory")), f"{read['warm_ratio']:.2f}"],
            ["query, cold, MB/s, beside dd", f"{read['cold_bytes_a_second'] / 1e6:,.0f}", f"{read['dd_bytes_a_second'] / 1e6:,.0f}", f"{read['cold_ratio']:.2f}"],
            ["  MB read, beside the columns asked for", f"{read['cold_bytes_read'] / 1e6:,.0f}", f"{read['bytes_of_the_columns'] / 1e6:,.0f}", f"{read['bytes_ratio'] or 0:.2f}"],
        ],
    )
    return {"megabytes": megabytes, "rounds": rounds, "write": write, "read": read}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, help="where a temporary folder is made (default: the system's)")
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="arrow-cache-bench-", dir=options.folder) as name:
        measure(Path(name), options.megabytes, options.rounds)


if __name__ == "__main__":
    main()
