"""What the tests of the Python face share."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from spilling import LIMIT

from arrow_cache import ArrowCache


@pytest.fixture
def cache() -> Iterator[ArrowCache]:
    """An open cache of its own for each test."""
    with ArrowCache(memory_limit="1GiB", spill_to_disk=False) as opened:
        yield opened


@pytest.fixture
def frame() -> pd.DataFrame:
    """A small frame with a default index."""
    return pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"], "c": [0.5, None, 2.5]})


@pytest.fixture
def table() -> pa.Table:
    """Ten rows in three batches."""
    batches = [pa.record_batch({"n": list(range(low, high)), "s": [str(n) for n in range(low, high)]}) for low, high in ((0, 4), (4, 5), (5, 10))]
    return pa.Table.from_batches(batches)


@pytest.fixture
def spill(tmp_path: Path) -> Path:
    return tmp_path / "spill"


@pytest.fixture
def small(spill: Path) -> Iterator[ArrowCache]:
    """A cache of 8 MB that spills."""
    with ArrowCache(memory_limit=LIMIT, query_memory_limit="256MB", spill_directory=spill) as cache:
        yield cache


@pytest.fixture
def sales(cache: ArrowCache) -> ArrowCache:
    """A small table of sales, and one of its regions."""
    cache.put("sales", pd.DataFrame({"region": ["n", "s", "n", "s", "w"], "amount": [1.0, 2.0, 3.0, 4.0, None], "n": range(5)}))
    cache.put("regions", pa.table({"region": ["n", "s"], "name": ["north", "south"]}))
    return cache


@pytest.fixture
def full(cache: ArrowCache) -> ArrowCache:
    """A thousand rows, and seven."""
    cache.put("x", pd.DataFrame({"a": np.arange(1000) % 7, "b": np.arange(1000) / 3, "t": pd.date_range("2024-01-01", periods=1000, freq="h")}))
    cache.put("y", pd.DataFrame({"a": range(7), "name": list("abcdefg")}))
    return cache
