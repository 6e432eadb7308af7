"""Queries that are interrupted, and caches that are closed under them."""

import signal
import threading
import time

import pytest
from promptness import assert_prompt
from query_answers import values

from arrow_cache import ArrowCache, CacheError, ClosedError

SLOW = "SELECT count(*) FROM range(100000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3"


def test_ctrl_c_stops_a_query_within_100_ms(sales):
    def attempt():
        sent = []

        def interrupt():
            time.sleep(0.3)
            sent.append(time.monotonic())
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        try:
            thread.start()
            with pytest.raises(KeyboardInterrupt):
                sales.query(SLOW)
            return time.monotonic() - sent[0]
        finally:
            thread.join()

    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert_prompt(attempt, 0.1)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert values(sales.query("SELECT count(*) FROM _cache_sales")) == [(5,)]


def test_closing_ends_queries_that_run():
    cache = ArrowCache()
    errors = []

    def ask():
        try:
            cache.query(SLOW)
        except CacheError as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.2)
    cache.close()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert len(errors) == 1 and isinstance(errors[0], ClosedError)
