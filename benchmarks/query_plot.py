"""The queries as a picture: what each takes in the other engines as a multiple of what it takes in the cache, for each suite."""

import math
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt

from contest import HALF, NATIVE, OURS, POLARS, SAME, SPILLED

COLORS = {HALF: "#7fb3d5", SPILLED: "#2471a3", SAME: "#229954", NATIVE: "#b7950b", POLARS: "#c0392b"}


def plot(results: dict[str, Any], file: Path) -> None:
    """Write it to `file`."""
    suites = results["suites"]
    if not suites:
        return
    heights = [len(suite["queries"]) + 2 for suite in suites.values()]
    figure, rows = plt.subplots(len(suites), 1, figsize=(10, sum(heights) * 0.3 + 1), height_ratios=heights, layout="constrained", squeeze=False)
    for axes, suite in zip(rows[:, 0], suites.values(), strict=True):
        _suite(axes, suite)
    rows[0, 0].legend(loc="lower center", bbox_to_anchor=(0.5, 1.12), ncols=len(COLORS), fontsize=8)
    figure.suptitle("Time of others as a multiple of ArrowCache's (in memory); left of 1 they are faster", fontsize=10)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _suite(axes: Any, suite: dict[str, Any]) -> None:
    labels = list(suite["queries"])
    for name, color in COLORS.items():
        points = [(1 / result["ratios"][name], number) for number, result in enumerate(suite["queries"].values()) if name in result["ratios"]]
        if points:
            axes.scatter(*zip(*points, strict=True), s=18, color=color, label=name.removeprefix(OURS + ", "), zorder=2)
    axes.axvline(1, color="black", linewidth=0.8, zorder=1)
    axes.set_xscale("log", base=2)
    low, high = axes.get_xlim()
    ticks = [2.0**power for power in range(math.floor(math.log2(low)), math.ceil(math.log2(high)) + 1)]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], fontsize=7)
    axes.set_yticks(range(len(labels)), [f"{label}  {suite['queries'][label]['times'][OURS]['median_ms']:,.1f} ms" for label in labels], fontsize=7)
    axes.invert_yaxis()
    axes.grid(axis="x", linewidth=0.3)
    axes.set_title(suite["title"], fontsize=9, loc="left")
