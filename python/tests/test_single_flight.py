import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from arrow_cache import InvalidArgument, InvalidArgumentType, UnsupportedTypeError
from arrow_cache.single_flight import SingleFlight

FRAME = pd.DataFrame({"a": [1, 2, 3]})


def waiting_count(flights):
    with flights._lock:
        return len(flights._waiting)


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.001)


def test_what_is_there_is_not_built(cache):
    cache.put("k", FRAME)
    got = cache.get_or_put("k", lambda: pytest.fail("was built"))
    assert_frame_equal(got, FRAME)


def test_what_is_missing_is_built_and_kept(cache):
    assert_frame_equal(cache.get_or_put("k", lambda: FRAME, ttl=50), FRAME)
    assert_frame_equal(cache.get("k"), FRAME)
    assert 49 < cache.get_metadata("k")["ttl"] <= 50


def test_the_builder_gets_what_get_gives(cache):
    built = pd.DataFrame({"a": [1, 2, 3]})
    got = cache.get_or_put("k", lambda: built)
    assert got is not built
    got.loc[0, "a"] = 99
    assert_frame_equal(cache.get("k"), FRAME)


def test_one_builder_at_a_time(cache):
    built, release = [], threading.Event()

    def build():
        built.append(threading.get_ident())
        assert release.wait(10)
        return FRAME

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(cache.get_or_put, "k", build) for _ in range(8)]
        until(lambda: waiting_count(cache._flights) == 7)
        release.set()
        for future in futures:
            assert_frame_equal(future.result(10), FRAME)
    assert len(built) == 1


def test_keys_are_built_side_by_side(cache):
    barrier = threading.Barrier(3, timeout=10)

    def build():
        barrier.wait()  # passes only if all three are being built at once
        return FRAME

    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(cache.get_or_put, key, build) for key in "abc"]:
            assert_frame_equal(future.result(10), FRAME)


def test_an_exception_reaches_all_who_wait_and_is_not_kept(cache):
    release = threading.Event()

    def fail():
        assert release.wait(10)
        raise ZeroDivisionError("no table today")

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(cache.get_or_put, "k", fail) for _ in range(4)]
        until(lambda: waiting_count(cache._flights) == 3)
        release.set()
        for future in futures:
            with pytest.raises(ZeroDivisionError, match="no table today"):
                future.result(10)
    assert "k" not in cache
    assert_frame_equal(cache.get_or_put("k", lambda: FRAME), FRAME)


def test_what_can_not_be_kept_is_an_error(cache):
    with pytest.raises(UnsupportedTypeError):
        cache.get_or_put("k", lambda: None)
    assert "k" not in cache


@pytest.mark.parametrize("build", [None, FRAME, "x"])
def test_a_builder_is_callable(cache, build):
    with pytest.raises(InvalidArgumentType, match="build: give a function"):
        cache.get_or_put("k", build)


def test_a_build_that_asks_for_itself_is_refused(cache):
    with pytest.raises(InvalidArgument, match="asks for 'k' itself"):
        cache.get_or_put("k", lambda: cache.get_or_put("k", lambda: FRAME))
    assert_frame_equal(cache.get_or_put("k", lambda: FRAME), FRAME)


def test_a_build_may_ask_for_others(cache):
    assert_frame_equal(cache.get_or_put("outer", lambda: cache.get_or_put("inner", lambda: FRAME)), FRAME)
    assert cache.get_keys() == ["inner", "outer"]


def test_a_circle_through_threads_is_refused():
    flights = SingleFlight()
    first_runs = threading.Event()

    def first():
        first_runs.set()
        until(lambda: "b" in flights._flights)
        return flights.run("b", lambda: "never")

    def second():
        assert first_runs.wait(10)
        return flights.run("b", second_build)

    def second_build():
        until(lambda: waiting_count(flights) == 1)
        return flights.run("a", lambda: "never")

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(flights.run, "a", first), pool.submit(second)]
        for future in futures:
            with pytest.raises(InvalidArgument, match="for ever"):
                future.result(10)
    assert not flights._flights and not flights._waiting


def test_an_interrupted_builder_leaves_the_work_to_another():
    flights = SingleFlight()
    release = threading.Event()
    turns = []

    def build():
        turns.append(len(turns))
        if len(turns) == 1:
            assert release.wait(10)
            raise KeyboardInterrupt
        return "built"

    def call():
        try:
            return flights.run("k", build)
        except KeyboardInterrupt:
            return "interrupted"

    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(call) for _ in range(3)]
        until(lambda: waiting_count(flights) == 2)
        release.set()
        results = sorted(future.result(10) for future in futures)
    assert results == ["built", "built", "interrupted"]


def test_none_is_an_outcome_too():
    assert SingleFlight().run("k", lambda: None) is None
