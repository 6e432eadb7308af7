"""What it costs to put tables and to get them back, beside what pyarrow and pandas take for the same, in one process.

    python benchmarks/bench_put_get.py [--rounds 15] [--scale 1]

Each figure has the limit that it is held against; the program ends with status 1 when one is above it. Writes docs/benchmarks/put_get.json.
"""

import argparse
import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from arrow_cache import ArrowCache
from measure import alternate, describe_machine, machine, milliseconds, print_table, progress, write_results


@dataclass
class Figure:
    """One measured relation: ours against a limit, which is a time or a multiple of something measured beside it."""

    what: str
    ours: float
    beside: float | None
    limit: float
    times: dict[str, Any]

    @property
    def value(self) -> float:
        """Seconds, or the ratio where something was measured beside it."""
        return self.ours if self.beside is None else self.ours / self.beside

    @property
    def holds(self) -> bool:
        return self.value <= self.limit

    def row(self) -> list[str]:
        compared = self.beside is not None
        return [
            self.what,
            milliseconds(self.ours),
            milliseconds(self.beside) if self.beside is not None else "",
            f"{self.value:.2f} ×" if compared else "",
            f"{self.limit:.2f} ×" if compared else f"{milliseconds(self.limit)} ms",
            "ok" if self.holds else "ABOVE",
        ]


def compare(what: str, ours: Callable[[], object], beside: Callable[[], object] | None, limit: float, rounds: int) -> Figure:
    work = {"ours": ours} if beside is None else {"ours": ours, "beside": beside}
    gc.collect()
    times = alternate(work, rounds)
    progress(f"measured: {what}")
    return Figure(
        what,
        times["ours"].median,
        times["beside"].median if beside is not None else None,
        limit,
        {name: taken.summary() for name, taken in times.items()},
    )


# --- data -----------------------------------------------------------------------------------------------------------------


def arrow_table(total_bytes: int, columns: int = 10, batch_rows: int = 1_000_000) -> pa.Table:
    """Doubles and integers, `total_bytes` together, in batches."""
    rows = total_bytes // (8 * columns)
    random = np.random.default_rng(1)
    batches = []
    for start in range(0, rows, batch_rows):
        count = min(batch_rows, rows - start)
        batches.append(
            pa.record_batch(
                {
                    f"c{index}": random.random(count) if index % 2 else np.arange(start, start + count, dtype=np.int64)
                    for index in range(columns)
                }
            )
        )
    return pa.Table.from_batches(batches)


def numeric_frame(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "k": random.integers(0, 1000, rows),
            "v": random.normal(size=rows),
            "w": random.normal(size=rows),
            "ts": np.datetime64("2020-01-01", "us") + np.arange(rows).astype("timedelta64[s]"),
        }
    )


def mixed_frame(rows: int) -> pd.DataFrame:
    """As `numeric_frame`, with strings, missing numbers and a category."""
    random = np.random.default_rng(3)
    frame = numeric_frame(rows)
    frame["word"] = np.array([f"word-{number:04d}" for number in range(5000)])[random.integers(0, 5000, rows)]
    frame["kind"] = pd.Categorical.from_codes(random.integers(0, 8, rows), pd.Index(list("abcdefgh")))
    frame.loc[frame.index % 7 == 0, "w"] = np.nan
    return frame


# --- measurements ---------------------------------------------------------------------------------------------------------


def buffer_addresses(table: pa.Table) -> list[int]:
    return [
        buffer.address
        for column in table.columns
        for chunk in column.chunks
        for buffer in chunk.buffers()
        if buffer is not None
    ]


def put_arrow(cache: ArrowCache, table: pa.Table, rounds: int) -> Figure:
    batches = table.column(0).num_chunks
    limit = 1e-3 + 2e-6 * table.num_columns * batches
    figure = compare(
        f"put pa.Table, {table.nbytes / 1e9:.1f} GB, {table.num_columns} columns × {batches} batches",
        lambda: cache.put("arrow", table),
        None,
        limit,
        rounds,
    )
    if buffer_addresses(cache.get("arrow", target_type="arrow")) != buffer_addresses(table):
        sys.exit("get(target_type='arrow') has buffers at other addresses than the table that was put: it was copied.")
    return figure


def get_arrow(cache: ArrowCache, rounds: int) -> Figure:
    return compare("get pa.Table again", lambda: cache.get("arrow", target_type="arrow"), None, 50e-6, rounds * 50)


def convert_and_copy(frame: pd.DataFrame) -> list[np.ndarray[Any, Any]]:
    """What a put cannot do without: the conversion to Arrow, and one memcpy of every buffer."""
    table = pa.Table.from_pandas(frame)
    return [
        np.frombuffer(buffer, dtype=np.uint8).copy()
        for column in table.columns
        for chunk in column.chunks
        for buffer in chunk.buffers()
        if buffer is not None
    ]


def put_pandas(cache: ArrowCache, name: str, frame: pd.DataFrame, rounds: int) -> Figure:
    return compare(
        f"put pandas, {name}, beside from_pandas + memcpy",
        lambda: cache.put("pandas", frame),
        lambda: convert_and_copy(frame),
        1.3,
        rounds,
    )


def get_pandas(cache: ArrowCache, name: str, frame: pd.DataFrame, rounds: int) -> Figure:
    """The first get of an entry as pandas; to make every round the first, the entry is an Arrow table put anew."""
    table = pa.Table.from_pandas(frame)

    def fresh_get() -> object:
        cache.put("fresh", table)
        return cache.get("fresh", target_type="pandas")

    return compare(f"put Arrow + get pandas, {name}, beside to_pandas", fresh_get, lambda: table.to_pandas(), 1.3, rounds)


def slice_to_pandas(cache: ArrowCache, kind: str, frame: pd.DataFrame, rounds: int) -> Figure:
    """A slice out of the middle of an entry that was put as a frame, or as the Arrow table of it."""
    table = pa.Table.from_pandas(frame)
    cache.put("sliced", frame if kind == "pandas" else table)
    middle = table.num_rows // 2
    # The cache keeps the labels of the rows; pyarrow counts a slice from 0.
    expected = table.slice(middle, 1000).to_pandas().set_index(pd.RangeIndex(middle, middle + 1000))
    pd.testing.assert_frame_equal(cache.get("sliced", target_type="pandas", offset=middle, limit=1000), expected)
    return compare(
        f"get 1,000 rows at {middle:,} of {kind} as pandas, beside slice().to_pandas()",
        lambda: cache.get("sliced", target_type="pandas", offset=middle, limit=1000),
        lambda: table.slice(middle, 1000).to_pandas(),
        1.2,
        rounds * 20,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15, help="measured runs of each (default: 15; short ones have more)")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the data; 1 is 1 GB and 10 million rows (default: 1)")
    parser.add_argument("--output", type=Path, help="folder of the JSON file (default: docs/benchmarks)")
    options = parser.parse_args()
    if options.rounds < 1 or options.scale <= 0:
        parser.error("--rounds must be at least 1 and --scale above 0")
    facts = machine()
    print(f"  {describe_machine(facts)}\n")

    figures: list[Figure] = []
    with ArrowCache() as cache:
        figures += [put_arrow(cache, arrow_table(int(1e9 * options.scale)), options.rounds), get_arrow(cache, options.rounds)]
        cache.clear()
        for rows in (1_000_000, 10_000_000):
            rows = int(rows * options.scale)
            for kind, make in (("numbers", numeric_frame), ("mixed", mixed_frame)):
                name, frame = f"{kind}, {rows:,} rows", make(rows)
                figures += [put_pandas(cache, name, frame, options.rounds), get_pandas(cache, name, frame, options.rounds)]
                cache.clear()
        frame = numeric_frame(int(10_000_000 * options.scale))
        figures += [slice_to_pandas(cache, kind, frame, options.rounds) for kind in ("pandas", "Arrow")]
    progress("")
    print_table(["", "ours, ms", "beside, ms", "ratio", "limit", ""], [figure.row() for figure in figures])
    rows_out = [
        {"what": figure.what, "value": figure.value, "limit": figure.limit, "holds": figure.holds, "times": figure.times} for figure in figures
    ]
    write_results("put_get", {"machine": facts, "scale": options.scale, "figures": rows_out}, options.output)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
