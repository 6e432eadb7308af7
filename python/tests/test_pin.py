"""`pin`: what is pinned is never evicted."""

import threading

import pyarrow as pa
import pytest

from arrow_cache import ArrowCache, InvalidArgumentType, KeyNotFound, MemoryLimitError


def table(kibibytes=100):
    return pa.table({"a": pa.array(range(kibibytes * 128), pa.int64())})


@pytest.fixture(params=["lru", "lfu", "fifo", "size", "ttl"])
def small(request):
    """Room for three tables of 100 KiB."""
    with ArrowCache(memory_limit=350 * 1024, spill_to_disk=False, eviction_policy=request.param) as opened:
        yield opened


def test_without_a_pin_the_first_one_goes(small):
    for n in range(6):
        small.put(f"t{n}", table())
    assert len(small) == 3 and "t0" not in small


def test_with_a_pin_it_stays(small):
    small.put("kept", table())
    with small.pin("kept"):
        assert small.status()["pinned_count"] == 1
        for n in range(10):
            small.put(f"t{n}", table())
        assert "kept" in small and len(small) == 3
    assert small.status()["pinned_count"] == 0
    for n in range(10, 20):
        small.put(f"t{n}", table())
        small.get(f"t{n}")
    assert "kept" not in small


def test_pins_count(small):
    small.put("kept", table())
    with small.pin("kept"), small.pin("kept"):
        with small.pin("kept"):
            pass
        for n in range(5):
            small.put(f"t{n}", table())
        assert "kept" in small
    with pytest.raises(ZeroDivisionError), small.pin("kept"):
        1 / 0
    for n in range(5, 10):
        small.put(f"t{n}", table())
        small.get(f"t{n}")
    assert "kept" not in small


def test_nothing_left_to_evict(small):
    for n in range(3):
        small.put(f"t{n}", table())
    with small.pin("t0"), small.pin("t1"), small.pin("t2"):
        with pytest.raises(MemoryLimitError):
            small.put("one more", table())
        assert small.get_keys() == ["t0", "t1", "t2"]
    small.put("one more", table())
    assert "one more" in small


def test_a_new_version_is_pinned_too(small):
    small.put("kept", table())
    with small.pin("kept"):
        small.put("kept", table(101))
        for n in range(10):
            small.put(f"t{n}", table())
        assert small.get("kept").num_rows == 101 * 128
        assert small.remove("kept")
    small.put("kept", table())
    for n in range(10, 20):
        small.put(f"t{n}", table())
        small.get(f"t{n}")
    assert "kept" not in small


def test_a_key_that_is_not_there(cache):
    with pytest.raises(KeyNotFound, match="no entry 'x' to pin"), cache.pin("x"):
        raise AssertionError
    with pytest.raises(InvalidArgumentType), cache.pin(1):
        raise AssertionError


def test_a_cache_that_is_closed_inside(table):
    cache = ArrowCache(spill_to_disk=False)
    cache.put("t", table)
    with cache.pin("t"):
        cache.close()


def test_pins_of_many_threads(small):
    small.put("kept", table())
    missing = []

    def work(number):
        for n in range(20):
            with small.pin("kept"):
                small.put(f"t{number} {n}", table())
                if "kept" not in small:
                    missing.append((number, n))

    with small.pin("kept"):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert missing == []
    assert small.status()["pinned_count"] == 0
