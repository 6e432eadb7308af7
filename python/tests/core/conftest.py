"""What the tests of the native module share."""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from core_support import Core

from arrow_cache import _core
from arrow_cache.duckdb_library import library_path


@pytest.fixture
def open_core() -> Iterator[Callable[..., Core]]:
    """Opens caches that are closed after the test."""
    opened: list[Core] = []

    def open_one(**options: Any) -> Core:
        opened.append(Core(_core.open_cache(options, library_path())))
        return opened[-1]

    yield open_one
    for core in opened:
        _core.close_cache(core.handle)


@pytest.fixture
def core(open_core: Callable[..., Core]) -> Core:
    """One open cache."""
    return open_core()


@pytest.fixture
def numbers() -> pa.Table:
    """Ten rows in three batches, three columns."""
    return pa.Table.from_batches(
        [pa.record_batch({"n": list(part), "s": [str(n) for n in part], "f": [n / 2 for n in part]}) for part in (range(4), range(4, 5), range(5, 10))]
    )
