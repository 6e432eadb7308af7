"""Tables of every kind, and what the tests of memory and files ask of a cache that spills."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache

MB = 1_000_000
ROWS = 40_000
LIMIT = 8 * MB


def numbers(seed: int, rows: int = ROWS) -> pa.Table:
    """About 3.2 MB of doubles in four batches."""
    chance = np.random.default_rng(seed)
    batches = []
    for first in range(0, rows, rows // 4):
        columns = {f"c{column}": chance.random(rows // 4) for column in range(9)}
        batches.append(pa.record_batch({"id": np.arange(first, first + rows // 4), **columns}))
    return pa.Table.from_batches(batches)


def frame(seed: int) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    codes = chance.integers(0, 50, ROWS)
    return pd.DataFrame(
        {
            "i": np.arange(ROWS),
            "x": np.where(codes % 7, chance.random(ROWS), np.nan),
            "t": np.array([f"text {seed} {code}" for code in codes]),
            "o": pd.Series([None if code % 5 else code for code in codes.tolist()], dtype=object),
            "c": pd.Categorical.from_codes(codes % 3, ["a", "b", "c"]),
            "d": pd.Timestamp("2024-01-01") + pd.to_timedelta(codes, unit="h"),
            "z": pd.date_range("2024", periods=ROWS, freq="s", tz="Europe/Zurich"),
            "n": pd.array(codes, dtype="Int32"),
            "b": codes % 2 == 0,
        },
        index=pd.Index(np.arange(ROWS) * 2, name="even"),
    )


def polars_frame(seed: int) -> Any:
    polars = pytest.importorskip("polars")
    return polars.from_pandas(frame(seed).drop(columns=["o"]))


def geo_frame(seed: int) -> Any:
    gpd, shapely = pytest.importorskip("geopandas"), pytest.importorskip("shapely")
    chance = np.random.default_rng(seed)
    points = shapely.points(chance.random((ROWS, 2)))
    return gpd.GeoDataFrame({"i": np.arange(ROWS), "p": points}, geometry="p", crs="EPSG:2056")


def nested(seed: int) -> pa.Table:
    table = pa.table(frame(seed).drop(columns=["o"]).reset_index())
    lists = pa.array([[row, None] if row % 3 else None for row in range(ROWS)], pa.list_(pa.int64()))
    views = pa.array([f"a text that is longer than twelve bytes {row % 9}" for row in range(ROWS)], pa.string_view())
    structs = pa.StructArray.from_arrays([pa.array(range(ROWS)), views.cast(pa.string())], ["k", "s"])
    return table.append_column("l", lists).append_column("v", views).append_column("s", structs)


KINDS: dict[str, Callable[[int], Any]] = {
    "pandas": frame,
    "geopandas": geo_frame,
    "polars": polars_frame,
    "arrow": numbers,
    "nested arrow": nested,
}


def same(left: Any, right: Any) -> None:
    if isinstance(right, pa.Table):
        assert left.schema.equals(right.schema) and left.equals(right)
    elif isinstance(right, pd.DataFrame):
        assert type(left) is type(right)
        pd.testing.assert_frame_equal(pd.DataFrame(left), pd.DataFrame(right))
    else:
        assert left.equals(right) and left.schema == right.schema


def rows_of(data: Any, first: int, count: int) -> Any:
    return data.iloc[first : first + count] if isinstance(data, pd.DataFrame) else data.slice(first, count)


def tiers(cache: ArrowCache) -> tuple[int, int]:
    found = cache.status()["tiers"]
    return found["memory"]["bytes"], found["disk"]["bytes"]


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


def bytes_in(folder: Path) -> int:
    """Of the files that are there; others may go meanwhile."""
    total = 0
    for file in files_in(folder):
        with contextlib.suppress(FileNotFoundError):
            total += file.stat().st_size
    return total


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.01)
