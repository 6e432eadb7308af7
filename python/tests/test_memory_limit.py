"""The memory limit with real spilling: small limits, every kind of data, the same results as without."""

import contextlib
import gc
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from arrow_cache import ArrowCache, KeyNotFound, MemoryLimitError, StorageError

MB = 1_000_000
ROWS = 40_000
LIMIT = 8 * MB


@pytest.fixture
def spill(tmp_path: Path) -> Path:
    return tmp_path / "spill"


@pytest.fixture
def small(spill: Path) -> Iterator[ArrowCache]:
    """A cache of 8 MB that spills."""
    with ArrowCache(memory_limit=LIMIT, query_memory_limit="256MB", spill_directory=spill) as cache:
        yield cache


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


# --- what is spilled comes back as it was --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_comes_back_as_it_was(small, spill, kind):
    tables = {f"t{number}": KINDS[kind](number) for number in range(6)}
    for key, data in tables.items():
        small.put(key, data)
        assert small.status()["memory"]["allocated_bytes"] <= LIMIT
    del data
    gc.collect()
    memory, disk = tiers(small)
    assert memory <= LIMIT and disk > 0 and len(small) == 6 and files_in(spill)
    for key, data in tables.items():
        same(small.get(key, offset=19_990, limit=30), rows_of(data, 19_990, 30))
        same(small.get(key), data)
        assert small.get(key, "arrow", columns=["i" if kind != "arrow" else "id"]).num_rows == ROWS
        assert small.get(key, offset=ROWS, limit=5).shape[0] == 0
        [[count]] = small.query(f"SELECT count(*) AS n FROM _cache_{key}").to_numpy()
        assert count == ROWS
    assert small.status()["evicted_count"] == 0


def test_sql_over_what_is_spilled(small):
    tables = {f"t{number}": numbers(number) for number in range(8)}
    with ArrowCache(memory_limit="1GB", spill_to_disk=False) as other:
        for key, table in tables.items():
            small.put(key, table)
            other.put(key, table)
        assert tiers(small)[1] > 0
        for sql in (
            "SELECT count(*) AS n, sum(c3) AS s, min(c7) AS a, max(id) AS z FROM _cache_t0",
            "SELECT * FROM _cache_t1 WHERE id BETWEEN 9_990 AND 10_010 ORDER BY id",
            "SELECT id % 10 AS k, sum(c1) AS s FROM _cache_t2 GROUP BY k ORDER BY k",
            "SELECT a.id, a.c0 + b.c0 AS s FROM _cache_t3 AS a JOIN _cache_t4 AS b ON a.id = b.id ORDER BY s DESC LIMIT 5",
            " UNION ALL ".join(f"SELECT '{key}' AS k, count(*) AS n FROM _cache_{key} WHERE c0 < 0.5" for key in tables) + " ORDER BY k",
        ):
            pd.testing.assert_frame_equal(small.query(sql), other.query(sql))


def test_a_table_larger_than_the_limit_streams_to_disk(small):
    schema = numbers(0).schema

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(12):
            yield from numbers(number).to_batches()
            memory, _ = tiers(small)
            assert memory <= LIMIT

    small.put("large", pa.RecordBatchReader.from_batches(schema, batches()))
    memory, disk = tiers(small)
    assert memory <= LIMIT and disk >= 12 * 3 * MB - LIMIT
    assert small.get_metadata("large")["num_rows"] == 12 * ROWS
    for number in (0, 5, 11):
        same(small.get("large", "arrow", offset=number * ROWS, limit=ROWS).combine_chunks(), numbers(number).combine_chunks())
    total = sum(numbers(number)["c2"].to_numpy().sum() for number in range(12))
    assert small.query("SELECT sum(c2) AS s FROM _cache_large")["s"][0] == pytest.approx(total)
    rows = 0
    for batch in small.get("large", "reader"):
        rows += batch.num_rows
    assert rows == 12 * ROWS


def test_a_pandas_frame_larger_than_the_limit(spill):
    large = pd.concat([frame(number) for number in range(5)], ignore_index=True)
    with ArrowCache(memory_limit=4 * MB, spill_directory=spill) as cache:
        cache.put("f", large)
        memory, disk = tiers(cache)
        assert memory <= 4 * MB and disk > 0
        same(cache.get("f", offset=3 * ROWS - 5, limit=10), large.iloc[3 * ROWS - 5 : 3 * ROWS + 5])
        same(cache.get("f"), large)


def test_a_parquet_file_larger_than_the_limit(small, tmp_path):
    large = pa.concat_tables([numbers(number) for number in range(6)])
    pq.write_table(large, tmp_path / "large.parquet", row_group_size=20_000)
    small.put("f", tmp_path / "large.parquet")
    assert tiers(small)[0] <= LIMIT and tiers(small)[1] > 0
    same(small.get("f", "arrow").combine_chunks(), large.combine_chunks())


@pytest.mark.parametrize(("kind", "level"), [("lz4", 1), ("zstd", 1), ("zstd", 9), ("none", 3)])
def test_compressed_files(spill, kind, level):
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill, enable_compression=True, compression_type=kind, compression_level=level) as cache:
        tables = {f"t{number}": nested(number) for number in range(6)}
        for key, table in tables.items():
            cache.put(key, table)
        assert tiers(cache)[0] <= LIMIT and files_in(spill)
        for key, table in tables.items():
            same(cache.get(key, offset=30_000, limit=10), table.slice(30_000, 10))
            same(cache.get(key), table)
            assert cache.query(f"SELECT sum(i) AS s FROM _cache_{key}")["s"][0] == sum(range(ROWS))


def test_what_was_handed_out_outlives_entry_cache_and_files(spill):
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:
        for number in range(6):
            cache.put(f"t{number}", numbers(number))
        kept = {number: cache.get(f"t{number}") for number in range(6)}
        cache.put("t0", numbers(99))
        cache.remove("t1")
    assert not files_in(spill)
    for number, table in kept.items():
        same(table, numbers(number))


def test_memory_that_results_hold_is_shown_apart(small):
    small.put("t", numbers(0))
    held = small.get("t")
    for number in range(1, 6):
        small.put(f"t{number}", numbers(number))
    status = small.status()["memory"]
    assert status["allocated_bytes"] <= LIMIT and status["leased_bytes"] >= 0
    same(held, numbers(0))


# --- limits ---------------------------------------------------------------------------------------------------------------------


def test_without_spilling_entries_are_evicted(spill):
    with ArrowCache(memory_limit=LIMIT, spill_to_disk=False, spill_directory=spill) as cache:
        for number in range(6):
            cache.put(f"t{number}", numbers(number))
        status = cache.status()
        assert cache.get_keys() == ["t4", "t5"] and status["evicted_count"] == 4 and status["spilled_count"] == 0
        assert status["tiers"]["disk"]["bytes"] == 0 and not spill.exists()


def test_what_cannot_fit_is_refused_and_what_was_there_stays(spill):
    with ArrowCache(memory_limit=LIMIT, spill_to_disk=False) as cache:
        cache.put("t", numbers(0))
        with pytest.raises(MemoryLimitError, match="memory_limit"):
            cache.put("t", pa.concat_tables([numbers(number) for number in range(4)]))
        same(cache.get("t"), numbers(0))


def test_the_disk_limit_evicts(spill):
    with ArrowCache(memory_limit=LIMIT, disk_limit=10 * MB, spill_directory=spill) as cache:
        for number in range(10):
            cache.put(f"t{number}", numbers(number))
            memory, disk = tiers(cache)
            assert memory <= LIMIT and disk <= 10 * MB
            assert bytes_in(spill) <= 10 * MB
        status = cache.status()
        assert status["evicted_count"] > 0 and "t9" in cache and "t0" not in cache
        assert status["tiers"]["disk"]["limit_bytes"] == 10 * MB
        for key in cache:
            if (found := cache.get(key)) is not None:
                same(found, numbers(int(key[1:])))


def test_more_than_memory_and_disk_is_refused(spill):
    with ArrowCache(memory_limit=LIMIT, disk_limit=4 * MB, spill_directory=spill) as cache:
        cache.put("t", numbers(0))
        for key in ("t", "large"):
            with pytest.raises(MemoryLimitError, match="memory_limit"):
                cache.put(key, pa.RecordBatchReader.from_batches(numbers(0).schema, (batch for number in range(8) for batch in numbers(number).to_batches())))
            assert "large" not in cache and tiers(cache)[0] <= LIMIT
            if key == "t":
                same(cache.get("t"), numbers(0))
        assert cache.status()["refused_count"] >= 2


@pytest.mark.parametrize("make", [lambda: numbers(9, 40 * ROWS), lambda: numbers(9, 40 * ROWS).to_pandas()], ids=["arrow", "pandas"])
def test_a_table_of_known_size_that_cannot_fit_costs_nothing(spill, make):
    with ArrowCache(memory_limit=LIMIT, disk_limit=4 * MB, spill_directory=spill) as cache:
        for key in ("a", "b", "c"):
            cache.put(key, numbers(0))
        for key in ("b", "large"):
            with pytest.raises(MemoryLimitError, match="disk limit"):
                cache.put(key, make())
        assert cache.get_keys() == ["a", "b", "c"]
        same(cache.get("b"), numbers(0))
        assert cache.status()["refused_count"] == 2 and cache.status()["evicted_count"] == 0


def test_nothing_is_evicted_while_the_disk_takes_rows(spill):
    tables = [numbers(number) for number in range(12)]
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:

        def put(first: int) -> None:
            for step in range(60):
                cache.put(f"t{(first + 5 * step) % 12}", tables[(first + 5 * step) % 12])

        threads = [threading.Thread(target=put, args=(first,)) for first in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        status = cache.status()
        assert (status["entry_count"], status["evicted_count"]) == (12, 0) and status["memory"]["peak_bytes"] <= LIMIT
        for number, table in enumerate(tables):
            same(cache.get(f"t{number}"), table)


def test_lazy_results_outlive_the_cache(spill):
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:
        for number in range(8):
            cache.put(f"t{number}", numbers(number))
        assert not all(partition.tier == "memory" for partition in cache.explain_entry("t0").partitions)
        reader, frame = cache.get("t0", target_type="reader"), cache.scan_polars("t0")
    assert not files_in(spill)
    same(reader.read_all(), numbers(0))
    assert frame.collect().height == ROWS


def test_lost_rows_are_a_storage_error_once(spill):
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:
        for number in range(8):
            cache.put(f"t{number}", numbers(number))
        for file in spill.glob("*/*.arrow"):
            file.unlink()
        for key, target in (("t0", None), ("t1", "pandas"), ("t2", "numpy")):
            with pytest.raises(StorageError, match="lost"):
                cache.get(key, target)
            assert cache.get(key) is None
        assert cache.status()["lost_count"] == 3


def test_a_large_dictionary_is_within_the_limit_and_written_once(spill):
    categories = pd.Index([f"{number:0>100}" for number in range(50_000)])
    frame = pd.DataFrame({"c": pd.Categorical.from_codes(np.arange(50_000), categories)})
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:
        cache.put("t", frame)
        assert cache.status()["memory"]["peak_bytes"] <= LIMIT and bytes_in(spill) < 2 * 5_600_000
        same(cache.get("t"), frame)


def test_a_slice_keeps_no_more_than_itself(spill):
    with ArrowCache(memory_limit="1GB", spill_directory=spill) as cache:
        values = np.arange(4_000_000)
        held = weakref.ref(values)
        table = pa.table({"x": values})
        cache.put("small", table.slice(100, 1000))
        cache.put("most", table.slice(0, 2_000_000))
        same(cache.get("small"), pa.table({"x": np.arange(100, 1100)}))
        del table, values
        gc.collect()
        assert held() is not None, "a large part is shared"
        cache.remove("most")
        gc.collect()
        assert held() is None, "a small part is copied"
        same(cache.get("small"), pa.table({"x": np.arange(100, 1100)}))


def test_what_is_pinned_stays(small):
    small.put("pinned", numbers(0))
    with small.pin("pinned"):
        for number in range(1, 7):
            small.put(f"t{number}", numbers(number))
        placement = small.explain_entry("pinned")
        assert placement.pinned and {partition.tier for partition in placement.partitions} == {"memory"}
        same(small.get("pinned"), numbers(0))
    assert not small.explain_entry("pinned").pinned


#: What goes first of four entries of the same age; "c" is larger, "b" expires soon, "a" was read thrice, the others once after it.
POLICIES = {"lru": "a", "lfu": "b", "fifo": "a", "size": "c", "ttl": "b"}


@pytest.mark.parametrize("policy", POLICIES)
def test_each_policy_evicts_its_own(policy):
    with ArrowCache(memory_limit=LIMIT, eviction_policy=policy, spill_to_disk=False) as cache:
        for key, rows in (("a", 16_000), ("b", 16_000), ("c", 24_000), ("d", 16_000)):
            cache.put(key, numbers(1, rows), ttl=3600 if key == "b" else None)
        for key in ("a", "a", "a", "b", "c", "c", "d", "d"):
            cache.get(key)
        cache.put("e", numbers(2, 40_000))
        gone = [key for key in "abcd" if key not in cache]
        assert POLICIES[policy] in gone and len(gone) < 4


@pytest.mark.parametrize("policy", [*POLICIES, "weighted", "arc", "sieve", "s3fifo", "w-tinylfu", "gdsf"])
def test_every_policy_spills_and_evicts_within_the_limits(policy, spill):
    arguments = {"lru_weight": 1.0, "size_weight": 2.0} if policy == "weighted" else {}
    with ArrowCache(
        memory_limit=LIMIT, disk_limit=12 * MB, eviction_policy=policy, policy_args=arguments, spill_directory=spill
    ) as cache:
        for number in range(14):
            cache.put(f"t{number}", numbers(number))
            cache.get(f"t{number % 3}")
            memory, disk = tiers(cache)
            assert memory <= LIMIT and disk <= 12 * MB
        assert cache.status()["evicted_count"] > 0 and len(cache) >= 3
        for key in cache:
            found = cache.get(key)
            assert found is not None or key not in cache
            if found is not None:
                same(found, numbers(int(key[1:])))


# --- time to live ---------------------------------------------------------------------------------------------------------------


class Array(np.ndarray):  # type: ignore[type-arg]
    """One that can be watched."""


def test_memory_of_what_expired_is_freed_without_a_call(spill):
    values = np.zeros(100_000).view(Array)
    watched = weakref.ref(values)
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:
        cache.put("t", pa.table({"x": pa.Array.from_buffers(pa.float64(), 100_000, [None, pa.py_buffer(values)])}), ttl=0.2)
        del values
        assert watched() is not None
        until(lambda: watched() is None)
        assert "t" not in cache


def test_files_of_what_expired_are_removed_without_a_call(small, spill):
    for number in range(6):
        small.put(f"t{number}", numbers(number), ttl=1.0)
    small.put("stays", numbers(9))
    assert len(files_in(spill)) > 1
    until(lambda: bytes_in(spill) < 4 * MB)
    until(lambda: small.get_keys() == ["stays"])
    assert small.status()["expired_count"] == 6


# --- the folder -----------------------------------------------------------------------------------------------------------------


def test_opening_a_cache_and_putting_what_fits_touch_no_disk(spill):
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:
        cache.put("t", numbers(0))
        cache.get("t", offset=5, limit=5)
        assert not spill.exists()


def test_closing_leaves_nothing_of_ours_and_all_that_is_foreign(spill):
    spill.mkdir()
    (spill / "notes.txt").write_text("mine")
    (spill / "1.arrow").write_text("mine too")
    (spill / "arrow-cache-old").mkdir()
    (spill / "arrow-cache-old" / "data").write_text("and this")
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:
        for number in range(6):
            cache.put(f"t{number}", numbers(number))
        assert len(files_in(spill)) > 3
    assert [str(file.relative_to(spill)) for file in files_in(spill)] == ["1.arrow", "arrow-cache-old/data", "notes.txt"]
    assert (spill / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("made", [True, False])
def test_where_no_file_can_be_written_entries_are_evicted(tmp_path, made):
    (tmp_path / "file").write_text("no folder")
    folder = tmp_path / "file" if made else tmp_path / "file" / "spill"
    with ArrowCache(memory_limit=LIMIT, spill_directory=folder) as cache:
        for number in range(6):
            cache.put(f"t{number}", numbers(number))
        status = cache.status()
        assert "t5" in cache and status["evicted_count"] >= 3 and tiers(cache)[0] <= LIMIT
        assert status["spill_failures"] > 0 and "file" in status["last_spill_failure"]
        same(cache.get("t5"), numbers(5))
        assert "spill" in cache._repr_html_()
    assert (tmp_path / "file").read_text() == "no folder"


def test_a_folder_that_is_removed_loses_no_more_than_its_rows(small, spill):
    import shutil

    for number in range(6):
        small.put(f"t{number}", numbers(number))
    for folder in spill.iterdir():  # not all at once: a thread of ours may write another file meanwhile
        shutil.rmtree(folder, ignore_errors=True)
    right = 0
    for number in range(6):
        try:
            found = small.get(f"t{number}")
        except OSError:
            continue
        same(found, numbers(number))
        right += 1
    assert right >= 1
    for number in range(10, 16):  # and it goes on
        small.put(f"t{number}", numbers(number))
    same(small.get("t15"), numbers(15))
    same(small.get("t14", "arrow"), numbers(14))
    assert tiers(small)[0] <= LIMIT


PROGRAM = """
import sys, time, os
import numpy as np, pyarrow as pa
from arrow_cache import ArrowCache
cache = ArrowCache(memory_limit=2_000_000, spill_directory=sys.argv[1])
for number in range(5):
    cache.put(f"t{number}", pa.table({"x": np.random.default_rng(number).random(200_000)}))
print(cache.status()["tiers"]["disk"]["bytes"], flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_left_is_swept(spill):
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(spill)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert int(process.stdout.readline()) > 0
    left = files_in(spill)
    assert left
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:  # the other one still lives
        for number in range(6):
            cache.put(f"t{number}", numbers(number))
        assert set(left) <= set(files_in(spill))
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert files_in(spill) == left
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:
        for number in range(6):
            cache.put(f"t{number}", numbers(number))
        assert not set(left) & set(files_in(spill))
    assert not files_in(spill)


def test_the_default_folder_is_in_the_working_directory_of_the_time_of_opening(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    with ArrowCache(memory_limit=LIMIT) as cache:
        monkeypatch.chdir(tmp_path / "b")
        for number in range(6):
            cache.put(f"t{number}", numbers(number))
        assert files_in(tmp_path / "a" / ".arrow_cache_spill") and not list((tmp_path / "b").iterdir())


# --- threads --------------------------------------------------------------------------------------------------------------------


def test_threads(small):
    truth = [numbers(number) for number in range(8)]
    errors: list[str] = []

    def work(seed: int) -> None:
        chance = np.random.default_rng(seed)
        try:
            for _ in range(40):
                number = int(chance.integers(8))
                match int(chance.integers(4)):
                    case 0:
                        small.put(f"t{number}", numbers(number))
                    case 1:
                        first = int(chance.integers(ROWS - 100))
                        found = small.get(f"t{number}", offset=first, limit=100)
                        if found is not None:
                            same(found.combine_chunks(), truth[number].slice(first, 100).combine_chunks())
                    case 2:
                        if f"t{number}" in small:
                            total = small.query(f"SELECT sum(c4) AS s FROM _cache_t{number}")["s"][0]
                            assert total == pytest.approx(truth[number]["c4"].to_numpy().sum())
                    case _:
                        found = small.get(f"t{number}")
                        assert found is None or found.equals(truth[number])
                memory, _ = tiers(small)
                assert memory <= LIMIT
        except BaseException as error:
            errors.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert small.status()["spilled_count"] > 0


# --- what it tells --------------------------------------------------------------------------------------------------------------


def test_explain_entry(small):
    small.put("first", numbers(0))
    for number in range(1, 6):
        small.put(f"t{number}", numbers(number))
    placement = small.explain_entry("first")
    assert (placement.key, placement.num_rows, placement.pinned) == ("first", ROWS, False)
    assert sum(partition.num_rows for partition in placement.partitions) == ROWS
    assert [partition.first_row for partition in placement.partitions] == sorted(partition.first_row for partition in placement.partitions)
    assert placement.disk_bytes > 0 and {"disk"} == {partition.tier for partition in placement.partitions}
    assert all(partition.moves >= 1 and partition.cause != "put" for partition in placement.partitions)
    assert abs(placement.partitions[0].since.timestamp() - time.time()) < 60
    last = small.explain_entry("t5")
    assert "memory" in {partition.tier for partition in last.partitions}
    assert "'first'" in str(placement) and "on disk" in str(placement) and "disk" in placement._repr_html_()
    assert len(placement.to_pandas()) == len(placement.partitions)
    with pytest.raises(KeyNotFound, match="'missing'"):
        small.explain_entry("missing")


def test_status_tells_what_was_done(small):
    for number in range(6):
        small.put(f"t{number}", numbers(number))
    small.get("t0", offset=5, limit=5)
    status = small.status()
    assert status["spilled_count"] > 0 and status["spilled_bytes"] >= 6 * 3 * MB - LIMIT
    assert status["tiers"]["disk"]["bytes"] > 0 and status["tiers"]["disk"]["file_count"] > 0
    assert 0 < status["tiers"]["memory"]["bytes"] <= LIMIT
    assert status["memory"]["peak_bytes"] <= LIMIT and status["tiers"]["disk"]["peak_bytes"] >= status["tiers"]["disk"]["bytes"]
    assert status["wait_seconds"] >= 0 and status["spill_failures"] == 0 and status["last_spill_failure"] is None
    html = small._repr_html_()
    assert "disk" in html and "memory" in html


def test_events_are_a_table(small):
    for number in range(6):
        small.put(f"t{number}", numbers(number))
    events = small.query("SELECT kind, key, bytes FROM arrow_cache.events ORDER BY time")
    spilled = events[events["kind"] == "spilled"]
    assert len(spilled) > 0 and (spilled["bytes"] > 0).all() and "t0" in set(spilled["key"])


def test_process_memory_stays_within_the_limit(tmp_path):
    """The process itself, not what the cache says: 200 MB through 24 MB."""
    program = """
import sys, gc
import numpy as np, pyarrow as pa
from arrow_cache import ArrowCache
def memory(field):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))
cache = ArrowCache(memory_limit=24_000_000, query_memory_limit=64_000_000, spill_directory=sys.argv[1])
cache.query("SELECT 1")
before = memory("VmRSS:")
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
schema = pa.schema([(f"c{column}", pa.float64()) for column in range(10)])
def batches():
    for number in range(50):
        yield pa.record_batch([np.random.default_rng((number, column)).random(50_000) for column in range(10)], schema=schema)
cache.put("large", pa.RecordBatchReader.from_batches(schema, batches()))
for column in range(10):
    cache.query(f"SELECT sum(c{column}) AS s FROM _cache_large")
for first in range(0, 2_500_000, 100_000):
    cache.get("large", offset=first, limit=1000)
print(memory("VmHWM:") - before)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 24_000_000 + 64_000_000 + 64_000_000
