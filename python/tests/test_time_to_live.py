"""Entries that expire."""

import datetime as dt
import time

import numpy as np
import pytest

from arrow_cache import CacheError, InvalidArgument, KeyNotFound


def wait_until_gone(cache, key, seconds=30.0):
    end = time.monotonic() + seconds
    while cache.contains(key):
        assert time.monotonic() < end, "did not expire"
        time.sleep(0.005)


def test_expired_is_not_there(cache, frame):
    cache.put("k", frame, ttl=0.05)
    cache.put("stays", frame)
    assert cache.contains("k")
    wait_until_gone(cache, "k")
    assert cache.get("k", default="gone") == "gone" and "k" not in cache and cache.get_keys() == ["stays"] and len(cache) == 1
    assert cache.get_metadata("k") is None and not cache.remove("k") and not cache.update_ttl("k", 5)
    with pytest.raises(KeyNotFound):
        cache["k"]
    with pytest.raises(CacheError):
        cache.query("SELECT * FROM _cache_k")
    assert cache.status()["expired_count"] == 1


def test_update_ttl(cache, frame):
    cache.put("k", frame)
    assert cache.get_metadata("k")["ttl"] is None
    assert cache.update_ttl("k", 100) is True
    assert 99 < cache.get_metadata("k")["ttl"] <= 100
    assert cache.update_ttl("k", None) is True
    assert cache.get_metadata("k")["expires_at"] is None
    assert cache.update_ttl("nothing", 5) is False
    cache.update_ttl("k", 0.02)
    wait_until_gone(cache, "k")


def test_a_put_without_ttl_drops_the_old_one(cache, frame):
    cache.put("k", frame, ttl=100)
    cache.put("k", frame)
    assert cache.get_metadata("k")["ttl"] is None


@pytest.mark.parametrize("ttl", [1, 1.5, np.float32(2), np.int64(3), dt.timedelta(minutes=1), 10**9])
def test_a_ttl_is_a_number_of_seconds(cache, frame, ttl):
    cache.put("k", frame, ttl=ttl)
    seconds = ttl.total_seconds() if isinstance(ttl, dt.timedelta) else float(ttl)
    assert cache.get_metadata("k")["ttl"] == pytest.approx(seconds, abs=1)


@pytest.mark.parametrize("ttl", [0, -1, -0.5, float("nan"), float("inf"), dt.timedelta(0), True, "5", b"5", [1], "soon", 1j])
def test_any_other_ttl_is_refused(cache, frame, ttl):
    cache.put("there", frame)
    for call in (
        lambda: cache.put("k", frame, ttl=ttl),
        lambda: cache.update_ttl("there", ttl),
        lambda: cache.get_or_put("k", lambda: frame, ttl=ttl),
    ):
        with pytest.raises(InvalidArgument, match="ttl: "):
            call()
    assert cache.get_keys() == ["there"] and cache.get_metadata("there")["ttl"] is None
