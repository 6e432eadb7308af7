"""What one operation costs in a cache of few entries and in one of many: lookup, get, put, and puts for which another entry has to go.

    python benchmarks/bench_scale.py [--few 1000] [--many 100000] [--rounds 11] [--policies lru s3fifo gdsf]

Both stores are in one process and take turns, a thousand operations each, on keys at random; the tables have one number, so that nothing but
the store's own work counts, in processor time of the thread; rows that go to disk go to /dev/shm where that is there. "lookup" finds an
entry that is in memory, "get" reads its row besides. The medians over the
rounds go to docs/benchmarks/scale.json. The program ends with status 1 where a get, a put or an eviction costs more than twice as much among
many.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import print_table, progress, write_results

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

LARGEST_GROWTH = 2.0


def program(named: str | None) -> Path:
    """The program of the Swift package that measures, compiled if need be."""
    if named is not None:
        return Path(named)
    from swift_toolchain import find_swift

    folder = ROOT / "build" / "store-scale"
    command = [find_swift(), "build", "--package-path", str(ROOT), "--scratch-path", str(folder), "-c", "release"]
    command += ["--product", "store-scale"]
    progress("compiling store-scale")
    compiled = subprocess.run(command, capture_output=True, text=True)
    if compiled.returncode != 0:
        sys.exit(f"store-scale does not compile:\n{compiled.stdout[-4000:]}{compiled.stderr[-4000:]}")
    return folder / "release" / "store-scale"


def medians(measure: Path, policy: str, spill: str, rounds: int, counts: list[int]) -> dict[str, dict[int, float]]:
    """Nanoseconds of each operation by the number of entries."""
    progress(f"{policy}, spilling {spill}")
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        command = [str(measure), f"{folder}/spill", policy, spill, str(rounds), *map(str, counts)]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    found: dict[str, dict[int, float]] = {}
    for line in lines:
        answer: dict[str, Any] = json.loads(line)
        found.setdefault(answer["operation"], {})[answer["entries"]] = statistics.median(answer["ns"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--policies", nargs="+", default=["lru", "s3fifo", "gdsf"])
    parser.add_argument("--program", help="store-scale, compiled already")
    arguments = parser.parse_args()
    measure = program(arguments.program)
    few, many = arguments.few, arguments.many
    rows: list[dict[str, Any]] = []
    for policy in arguments.policies:
        for spill in ("off", "on"):
            for operation, ns in sorted(medians(measure, policy, spill, arguments.rounds, [few, many]).items()):
                rows.append(
                    {
                        "policy": policy,
                        "spill": spill,
                        "operation": operation,
                        f"ns_of_{few}": round(ns[few]),
                        f"ns_of_{many}": round(ns[many]),
                        "growth": round(ns[many] / ns[few], 2),
                    }
                )
    header = ["policy", "spill", "operation", f"{few} entries", f"{many} entries", "growth"]
    print_table(header, [[str(value) for value in row.values()] for row in rows])
    write_results("scale", {"rounds": arguments.rounds, "operations": rows})
    late = [row for row in rows if row["operation"] != "lookup" and row["growth"] > LARGEST_GROWTH]
    for row in late:
        print(f"{row['operation']} ({row['policy']}, spilling {row['spill']}) grows {row['growth']} times, at most {LARGEST_GROWTH}")
    sys.exit(1 if late else 0)


if __name__ == "__main__":
    main()
