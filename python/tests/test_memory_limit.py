"""The memory limit with real spilling: small limits, the same results as without."""

import gc
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from spilling import LIMIT, MB, ROWS, bytes_in, files_in, numbers, same, tiers

from arrow_cache import ArrowCache, KeyNotFound, MemoryLimitError, StorageError


# --- limits -------------------------------------------------------------------------------------------------------------------


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
                cache.put(
                    key,
                    pa.RecordBatchReader.from_batches(numbers(0).schema, (batch for number in range(8) for batch in numbers(number).to_batches())),
                )
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
    with ArrowCache(memory_limit=LIMIT, disk_limit=12 * MB, eviction_policy=policy, policy_args=arguments, spill_directory=spill) as cache:
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


# --- threads ------------------------------------------------------------------------------------------------------------------


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


# --- what it tells ------------------------------------------------------------------------------------------------------------


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
