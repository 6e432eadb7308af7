"""What the benchmarks share: alternating measurement in one process, medians, tables to read, JSON to keep."""

import json
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "benchmarks"


@dataclass
class Times:
    """Seconds of one piece of work, every round of it."""

    seconds: list[float] = field(default_factory=list)
    #: Of all cores together: what others do on the machine changes them less.
    cpu_seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def summary(self) -> dict[str, float | int]:
        """Milliseconds, as they go into the JSON."""
        if len(self.seconds) > 1:
            low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        else:
            low = high = self.seconds[0]
        return {
            "median_ms": round(self.median * 1e3, 4),
            "lower_quartile_ms": round(low * 1e3, 4),
            "upper_quartile_ms": round(high * 1e3, 4),
            **({"median_cpu_ms": round(statistics.median(self.cpu_seconds) * 1e3, 4)} if self.cpu_seconds else {}),
            "rounds": len(self.seconds),
        }


def alternate(
    work: Mapping[str, Callable[[], object]],
    rounds: int,
    check: Callable[[str, Any], None] | None = None,
    *,
    seconds: float = math.inf,
    first: dict[str, float] | None = None,
) -> dict[str, Times]:
    """Run each of `work` once unmeasured, then `rounds` times in turn (`turns`), and time them.

    Parameters
    ----------
    work : mapping of str to callable
        What is compared.
    rounds : int
        How often.
    check : callable, optional
        Called with the name and the result of the unmeasured run.
    seconds : float, optional
        Begin no further round after so long, but at least three.
    first : dict, optional
        Gets the seconds of the unmeasured run, by name.
    """
    for name, run in work.items():
        start = time.perf_counter()
        result = run()
        if first is not None:
            first[name] = time.perf_counter() - start
        if check is not None:
            check(name, result)
        del result
    times = {name: Times() for name in work}
    names = list(work)
    began = time.perf_counter()
    for number in range(rounds):
        if number >= 3 and time.perf_counter() - began > seconds:
            break
        for name in turns(names, number):
            start, cpu = time.perf_counter(), time.process_time()
            result = work[name]()
            times[name].seconds.append(time.perf_counter() - start)
            times[name].cpu_seconds.append(time.process_time() - cpu)
            del result
    return times


def turns(names: Sequence[str], number: int) -> list[str]:
    """The order of a round: over the rounds everybody comes after everybody else equally often (Williams 1949).

    Who comes next finds in the processor's caches what the one before has read: a fixed order would favour some of them.
    """
    count = len(names)
    places = [(place + 1) // 2 if place % 2 else -(place // 2) for place in range(count)]
    order = [names[(place + number) % count] for place in places]
    # An odd number needs the same orders backwards too.
    return order[::-1] if count % 2 and number // count % 2 else order


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def geometric_mean(values: Sequence[float]) -> float:
    return statistics.geometric_mean(values)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    for row in (header, ["─" * width for width in widths], *rows):
        first, *others = (text.ljust(width) if column == 0 else text.rjust(width) for column, (text, width) in enumerate(zip(row, widths)))
        print("  " + "  ".join([first, *others]), flush=True)


def progress(text: str) -> None:
    """A line that the next one replaces, where a person looks on."""
    if sys.stderr.isatty():
        print(f"\r  {text:<60}\r", end="", file=sys.stderr, flush=True)


def milliseconds(seconds: float) -> str:
    value = seconds * 1e3
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.3f}"


def machine() -> dict[str, object]:
    """What the figures depend on."""
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").open() if line.startswith("model name")), "unknown")
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: version(name) for name in ("arrow_cache", "duckdb", "pyarrow", "pandas", "polars")},
    }


def describe_machine(facts: Mapping[str, object]) -> str:
    software = ", ".join(f"{name} {facts[name]}" for name in ("duckdb", "pyarrow", "pandas", "polars"))
    return f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_gib']} GiB, load {facts['load_before']}; {software}"


def write_results(name: str, results: Mapping[str, object], folder: Path | None = None) -> None:
    """Put the figures into ``docs/benchmarks/<name>.json``."""
    folder = folder or RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    print(f"\n  Written to {os.path.relpath(path)}")
