"""Memory over time as a picture: what the process takes, what the cache says that it holds, and the limits."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt

from rss_watch import RssWatch

GB = 1e9


def plot(watch: RssWatch, limit: int, query_limit: int, file: Path) -> None:
    """Write a picture of a run to `file`."""
    begun = watch.event("empty")
    start, empty, files = begun["time"], begun["rss"], begun["files"]
    statuses = [event for event in watch.events("status") if event["time"] >= start]
    samples = [sample for sample in watch.samples if sample["time"] >= start]
    figure, (memory, disk) = plt.subplots(2, 1, figsize=(11, 7), sharex=True, height_ratios=(3, 1), layout="constrained")

    times = [sample["time"] - start for sample in samples]
    memory.plot(times, [(sample["rss"] - empty) / GB for sample in samples], color="#c0392b", linewidth=1, label="RSS above the empty process")
    memory.plot(times, [(sample["files"] - files) / GB for sample in samples], color="#999999", linewidth=0.8, label="of that mapped files")
    at = [event["time"] - start for event in statuses]

    def line(axes: Any, label: str, color: str, *path: str) -> None:
        values = []
        for event in statuses:
            value = event["status"]
            for name in path:
                value = value[name]
            values.append((value or 0) / GB)
        axes.plot(at, values, color=color, linewidth=1, label=label)

    line(memory, "memory tier", "#2471a3", "tiers", "memory", "bytes")
    line(memory, "DuckDB", "#229954", "duckdb", "memory_bytes")
    memory.axhline(limit / GB, color="#2471a3", linestyle="--", linewidth=0.8, label="memory_limit")
    memory.axhline((limit + query_limit + 64e6) / GB, color="#c0392b", linestyle="--", linewidth=0.8, label="both limits + 64 MB")
    line(disk, "disk tier", "#7d3c98", "tiers", "disk", "bytes")
    for axes in (memory, disk):
        axes.axvline(watch.event("work")["time"] - start, color="black", linewidth=0.6)
        axes.set_ylabel("GB")
        axes.set_ylim(bottom=0)
        axes.legend(loc="lower right", fontsize=8, ncols=2)
    memory.set_title("Puts, then gets and queries (from the line on)")
    disk.set_xlabel("seconds")
    figure.savefig(file, dpi=110)
    plt.close(figure)
