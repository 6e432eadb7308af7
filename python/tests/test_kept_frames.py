"""The second ``get`` of a pandas entry costs no conversion, and what one caller writes no other sees."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from arrow_cache import ArrowCache

COPIES_ON_WRITE = int(pd.__version__.partition(".")[0]) >= 3


def frame_of(kind: str) -> pd.DataFrame:
    """1 000 rows of one kind of column beside an integer one."""
    n = 1000
    columns = {
        "float": np.linspace(0, 1, n),
        "text": pd.Series([f"row {i}" for i in range(n)], dtype="str"),
        "nullable": pd.Series([None if i % 3 == 0 else i for i in range(n)], dtype="Int64"),
        "category": pd.Categorical([f"k{i % 5}" for i in range(n)]),
        "datetime": pd.date_range("2024-01-01", periods=n, freq="h"),
        "zoned": pd.date_range("2024-01-01", periods=n, freq="h", tz="Europe/Berlin"),
        "bool": np.arange(n) % 2 == 0,
        "object": [[i] for i in range(n)],
    }
    return pd.DataFrame({"i": np.arange(n), "v": columns[kind]})


KINDS = ["float", "text", "nullable", "category", "datetime", "zoned", "bool", "object"]
WRITES: dict[str, Callable[[pd.DataFrame], object]] = {
    "cell": lambda frame: frame.__setitem__("i", frame["i"].where(frame["i"] != 0, 7)),
    "iloc": lambda frame: frame.iloc.__setitem__((0, 0), 99),
    "loc": lambda frame: frame.loc.__setitem__((slice(0, 3), "i"), -1),
    "column": lambda frame: frame.__setitem__("i", 5),
    "new column": lambda frame: frame.__setitem__("new", 1),
    "drop": lambda frame: frame.drop(columns="i", inplace=True),
    "sort": lambda frame: frame.sort_values("i", ascending=False, inplace=True),
    "labels": lambda frame: setattr(frame, "columns", ["x", "y"]),
    "index": lambda frame: setattr(frame, "index", frame.index + 1),
    "attrs": lambda frame: frame.attrs.update(a=1),
    "missing": lambda frame: frame.iloc.__setitem__((1, 1), frame.iloc[0, 1]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("write", WRITES)
def test_a_write_stays_with_its_caller(cache: ArrowCache, kind: str, write: str) -> None:
    original = frame_of(kind)
    cache.put("k", original.copy())
    first, second = cache.get("k"), cache.get("k")
    WRITES[write](first)
    assert_frame_equal(second, original)
    third = cache.get("k")
    assert_frame_equal(third, original)
    assert not third.attrs
    assert third.index.equals(original.index)


def test_what_lies_in_object_columns_is_not_shared(cache: ArrowCache) -> None:
    cache.put("k", frame_of("object"))
    cache.get("k")["v"].iloc[0].append("written")
    assert list(cache.get("k")["v"].iloc[0]) == [0]


@pytest.mark.skipif(not COPIES_ON_WRITE, reason="pandas 2 gets a conversion each time")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "object"])
def test_the_second_get_shares_the_memory_of_the_first(cache: ArrowCache, kind: str) -> None:
    cache.put("k", frame_of(kind))
    first, second = cache.get("k"), cache.get("k")
    assert first is not second
    assert np.shares_memory(first["i"].to_numpy(), second["i"].to_numpy())


@pytest.mark.skipif(not COPIES_ON_WRITE, reason="pandas 2 gets a conversion each time")
def test_memory_of_its_own_is_counted_and_goes_with_the_entry(cache: ArrowCache) -> None:
    cache.put("k", frame_of("nullable"))
    before = cache.status()["memory"]["allocated_bytes"]
    cache.get("k")
    kept = cache.status()["memory"]["memo_bytes"]
    assert 1000 * 9 <= kept <= 1000 * 20
    assert cache.status()["memory"]["allocated_bytes"] == before + kept
    cache.remove("k")
    assert cache.status()["memory"]["memo_bytes"] == 0


@pytest.mark.skipif(not COPIES_ON_WRITE, reason="pandas 2 gets a conversion each time")
def test_borrowed_memory_is_not_counted_twice(cache: ArrowCache) -> None:
    cache.put("k", frame_of("float"))
    cache.get("k")
    assert cache.status()["memory"]["memo_bytes"] < 4000  # of the 16 000 that the values take


@pytest.mark.skipif(not COPIES_ON_WRITE, reason="pandas 2 gets a conversion each time")
def test_kept_frames_make_room_for_entries() -> None:
    frame = frame_of("nullable")
    with ArrowCache() as probe:
        probe.put("k", frame)
        size = probe.status()["current_size_bytes"]
    with ArrowCache(memory_limit=int(size * 2.5), spill_to_disk=False) as cache:
        cache.put("a", frame)
        cache.get("a")
        assert cache.status()["memory"]["memo_bytes"] > 0
        cache.put("b", frame)
        assert cache.get_keys() == ["a", "b"]
        assert cache.status()["memory"]["allocated_bytes"] <= int(size * 2.5)
        assert_frame_equal(cache.get("a"), frame)


def test_a_series_comes_back_unwritten(cache: ArrowCache) -> None:
    original = pd.Series([1, 2, 3], name="s")
    cache.put("k", original)
    got = cache.get("k")
    got.iloc[0] = 99
    assert_series_equal(cache.get("k"), original)


def test_a_new_version_brings_its_own_frame(cache: ArrowCache) -> None:
    cache.put("k", frame_of("float"))
    cache.get("k")
    cache.put("k", frame_of("text"))
    assert_frame_equal(cache.get("k"), frame_of("text"))
