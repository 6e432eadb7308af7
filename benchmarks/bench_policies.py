"""How many reads, bytes and seconds each eviction policy saves, on traces made anew in every run, beside libcachesim where it is installed.

    python benchmarks/bench_policies.py [--requests 200000] [--objects 10000] [--seed 1] [--shares 0.05 0.1 0.25]

The traces (see Tests/PolicyReplay/Trace.swift) go through the policies alone, with a capacity that is a share of what all keys have
together. libcachesim gets the same requests, sizes and capacities, and its own default parameters, which are ours. Hits may be 2 % fewer
than libcachesim's at most, and the cost missed greater by 2 % of all; on `heavy`, gdsf may spend a third of the seconds that lru spends.
The program ends with status 1 where that does not hold. Writes docs/benchmarks/policies.json.
"""

import argparse
import importlib
import json
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from measure import print_table, progress, write_results

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

#: Their names of our policies.
THEIRS = {
    "lru": "LRU",
    "lfu": "LFU",
    "fifo": "FIFO",
    "size": "Size",
    "arc": "ARC",
    "sieve": "Sieve",
    "s3fifo": "S3FIFO",
    "w-tinylfu": "WTinyLFU",
    "gdsf": "GDSF",
}
RATIOS = ("hit_ratio", "byte_hit_ratio", "cost_miss_ratio")
TOLERANCE = 0.02
#: Of the seconds that lru spends on `heavy`.
LARGEST_SHARE_OF_COST = 1 / 3


def replay_program(named: str | None) -> Path:
    """The program of the Swift package that makes the traces and replays them, compiled if need be."""
    if named is not None:
        return Path(named)
    from swift_toolchain import find_swift

    folder = ROOT / "build" / "policy-replay"
    command = [find_swift(), "build", "--package-path", str(ROOT), "--scratch-path", str(folder), "-c", "release"]
    command += ["--product", "policy-replay"]
    progress("compiling policy-replay")
    compiled = subprocess.run(command, capture_output=True, text=True)
    if compiled.returncode != 0:
        sys.exit(f"policy-replay does not compile:\n{compiled.stdout[-4000:]}{compiled.stderr[-4000:]}")
    return folder / "release" / "policy-replay"


def requests(path: Path) -> Iterator[tuple[int, int, float]]:
    return struct.iter_unpack("<QQd", path.read_bytes())


def libcachesim_ratios(simulator: Any, policy: str, capacity: int, trace: list[tuple[int, int, float]]) -> dict[str, float]:
    """What libcachesim's policy of that name does with the requests."""
    cache = getattr(simulator, THEIRS[policy])(capacity, hashpower=16)
    request = simulator.Request()
    hits = hit_bytes = all_bytes = 0
    missed = seconds = 0.0
    for time, (request.obj_id, request.obj_size, cost) in enumerate(trace):
        request.clock_time = time
        all_bytes += request.obj_size
        seconds += cost
        if cache.get(request):
            hits += 1
            hit_bytes += request.obj_size
        else:
            missed += cost
    return dict(zip(RATIOS, (hits / len(trace), hit_bytes / all_bytes, missed / seconds)))


def worse_by(ours: dict[str, Any], theirs: dict[str, float]) -> float:
    """The share of their hits that ours misses, or of all cost what ours misses beyond theirs; below 0 where ours is better."""
    fewer_hits = (theirs["hit_ratio"] - ours["hit_ratio"]) / max(theirs["hit_ratio"], 1e-9)
    return float(max(fewer_hits, ours["cost_miss_ratio"] - theirs["cost_miss_ratio"]))


def kept(run: dict[str, Any]) -> dict[str, Any]:
    """What of a run goes into the JSON."""
    facts: dict[str, Any] = {name: run[name] for name in ("trace", "share", "capacity", "policy", "costs", "evictions")}
    facts |= {ratio: round(run[ratio], 5) for ratio in RATIOS}
    if "libcachesim" in run:
        facts["libcachesim"] = {ratio: round(value, 5) for ratio, value in run["libcachesim"].items()}
        facts["worse_by"] = round(run["worse_by"], 5)
    return facts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200_000, help="reads in a trace")
    parser.add_argument("--objects", type=int, default=10_000, help="keys that may come back")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.05, 0.1, 0.25], help="capacities, as shares of all keys' bytes")
    parser.add_argument("--program", help="policy-replay, where it is compiled already")
    options = parser.parse_args()

    try:
        simulator, simulator_version = importlib.import_module("libcachesim"), version("libcachesim")
    except (ImportError, PackageNotFoundError):
        simulator, simulator_version = None, None

    program = replay_program(options.program)
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        progress("replaying")
        words = [options.requests, options.objects, options.seed, *options.shares]
        lines = subprocess.run([program, folder, *map(str, words)], check=True, stdout=subprocess.PIPE, text=True).stdout
        runs = [json.loads(line) for line in lines.splitlines()]
        if simulator is not None:
            loaded: tuple[str, list[tuple[int, int, float]]] = ("", [])
            for run in runs:
                # libcachesim's GDSF knows no costs: ours is told that all are alike.
                if run["policy"] not in THEIRS or run["costs"] != ("alike" if run["policy"] == "gdsf" else "measured"):
                    continue
                if loaded[0] != run["trace"]:
                    loaded = (run["trace"], list(requests(Path(folder) / f"{run['trace']}.trace")))
                progress(f"libcachesim: {run['trace']} {run['share']} {run['policy']}")
                run["libcachesim"] = libcachesim_ratios(simulator, run["policy"], run["capacity"], loaded[1])

    rows, failures = [], []
    for run in runs:
        theirs = run.get("libcachesim")
        beside = []
        for ratio in RATIOS:
            beside += [f"{run[ratio]:.4f}", f"{theirs[ratio]:.4f}" if theirs else ""]
        name = run["policy"] + {"measured": "", "alike": ", costs alike", "none": ", costs unknown"}[run["costs"]]
        holds = ""
        if theirs is not None:
            run["worse_by"] = worse_by(run, theirs)
            holds = "ok" if run["worse_by"] <= TOLERANCE else "WORSE"
            if holds != "ok":
                failures.append(f"{run['trace']} {run['share']} {name}: {run['worse_by']:.4f} worse than libcachesim")
        rows.append([f"{run['trace']:9}  {run['share']:<4}  {name}", *beside, holds])
    print_table(["trace, capacity, policy", "hit", "theirs", "byte hit", "theirs", "cost miss", "theirs", ""], rows)

    cost_shares = {}
    for share in options.shares:
        heavy = [run for run in runs if (run["trace"], run["share"]) == ("heavy", share)]
        missed = {(run["policy"], run["costs"]): run["cost_miss_ratio"] for run in heavy}
        cost_shares[str(share)] = missed["gdsf", "measured"] / missed["lru", "measured"]
        if cost_shares[str(share)] > LARGEST_SHARE_OF_COST:
            failures.append(f"heavy {share}: gdsf spends {cost_shares[str(share)]:.3f} of what lru spends")
    parts = ", ".join(f"{part:.3f} ({share})" for share, part in cost_shares.items())
    print(f"\n  heavy: of the seconds that lru spends, gdsf spends {parts}")
    if simulator is None:
        print("  libcachesim is not installed, so nothing stands beside: python -m pip install libcachesim")
    for failure in failures:
        print(f"  {failure}")

    results = {
        "requests": options.requests,
        "objects": options.objects,
        "seed": options.seed,
        "libcachesim": simulator_version,
        "tolerance": TOLERANCE,
        "gdsf_share_of_lru_cost_on_heavy": {share: round(part, 5) for share, part in cost_shares.items()},
        "failures": failures,
        "runs": [kept(run) for run in runs],
    }
    write_results("policies", results)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
