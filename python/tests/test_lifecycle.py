import copy
import gc
import os
import pickle
import subprocess
import sys
import textwrap
import weakref

import pandas as pd
import pyarrow as pa
import pytest

import arrow_cache
from arrow_cache import ArrowCache, CacheError, ClosedError, ForkError, InvalidArgumentType


def run_python(code, **environment):
    """Run a program in a process of its own; its output."""
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def calls(cache):
    """Every public method."""
    frame = pd.DataFrame({"a": [1]})
    return {
        "put": lambda: cache.put("k", frame),
        "get": lambda: cache.get("k"),
        "query": lambda: cache.query("SELECT 1"),
        "sql": lambda: cache.sql("SELECT 1"),
        "explain": lambda: cache.explain("SELECT 1"),
        "status": cache.status,
        "remove": lambda: cache.remove("k"),
        "clear": cache.clear,
        "contains": lambda: cache.contains("k"),
        "get_keys": cache.get_keys,
        "keys": cache.keys,
        "get_metadata": lambda: cache.get_metadata("k"),
        "update_ttl": lambda: cache.update_ttl("k", 1),
        "get_or_put": lambda: cache.get_or_put("k", lambda: frame),
        "memoized": cache.memoize()(lambda: frame),
        "in": lambda: "k" in cache,
        "getitem": lambda: cache["k"],
        "setitem": lambda: cache.__setitem__("k", frame),
        "delitem": lambda: cache.__delitem__("k"),
        "len": lambda: len(cache),
        "iter": lambda: list(cache),
    }


def test_after_close_every_call_says_so():
    cache = ArrowCache()
    cache.put("k", pd.DataFrame({"a": [1]}))
    cache.close()
    for name, call in calls(cache).items():
        with pytest.raises(ClosedError, match="closed"):
            call()
            pytest.fail(f"{name} worked")


def test_close_twice():
    cache = ArrowCache()
    cache.close()
    cache.close()


def test_a_put_into_a_closed_cache_leaves_the_data_alone():
    cache = ArrowCache()
    cache.close()
    reader = pa.table({"a": [1]}).to_reader()
    with pytest.raises(ClosedError):
        cache.put("k", reader)
    assert reader.read_all().num_rows == 1


def test_the_context_manager_closes():
    with ArrowCache() as cache:
        cache.put("k", pd.DataFrame({"a": [1]}))
    with pytest.raises(ClosedError):
        cache.get("k")
    with pytest.raises(ZeroDivisionError), ArrowCache() as cache:
        1 / 0  # noqa: B018
    with pytest.raises(ClosedError):
        cache.get_keys()


def test_a_cache_that_fails_to_open_leaves_nothing():
    before = len(arrow_cache.cache._open_caches)
    with pytest.raises(CacheError):
        ArrowCache(duckdb_extensions=["no_such_extension_at_all"])
    gc.collect()
    assert len(arrow_cache.cache._open_caches) == before


def test_a_dropped_cache_is_collected():
    cache = ArrowCache()
    cache.put("k", pd.DataFrame({"a": [1]}))
    cache.get("k")
    cache.query("SELECT 1")
    gone = weakref.ref(cache)
    del cache
    gc.collect()
    assert gone() is None


def test_caches_are_apart():
    with ArrowCache() as one, ArrowCache() as two:
        one.put("k", pd.DataFrame({"a": [1]}))
        two.put("k", pd.DataFrame({"a": [2]}))
        one.query("CREATE TABLE t AS SELECT 1 AS a")
        two.query("CREATE TABLE t AS SELECT 2 AS a")
        for cache, number in ((one, 1), (two, 2)):
            assert cache.get("k")["a"][0] == cache.query("SELECT a FROM _cache_k")["a"][0] == cache.query("SELECT a FROM t")["a"][0] == number
        one.close()
        assert two.get("k")["a"][0] == 2


def test_the_users_own_duckdb_is_undisturbed():
    import duckdb

    connection = duckdb.connect()
    connection.execute("CREATE TABLE t AS SELECT 42 AS a")
    with ArrowCache() as cache:
        cache.put("k", pd.DataFrame({"a": [1]}))
        with pytest.raises(duckdb.Error):
            connection.execute("SELECT * FROM _cache_k")
        with pytest.raises(CacheError):
            cache.query("SELECT * FROM t")
    assert connection.execute("SELECT a FROM t").fetchone() == (42,)


@pytest.mark.parametrize("act", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_cache_can_not_be_pickled_or_copied(cache, act):
    with pytest.raises(InvalidArgumentType, match="can't be pickled"):
        act(cache)


def test_after_a_fork_the_child_gets_a_clear_error():
    output = run_python("""
        import os, warnings
        warnings.simplefilter("ignore")
        import pandas as pd
        from arrow_cache import ArrowCache, ForkError
        cache = ArrowCache()
        cache.put("k", pd.DataFrame({"a": [1]}))
        table = cache.get("k", target_type="arrow")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for call in (lambda: cache.get("k"), lambda: cache.query("SELECT 1"), lambda: cache.put("x", table), cache.status, cache.get_keys):
                    try:
                        call()
                    except ForkError as error:
                        assert "another process" in str(error)
                    else:
                        raise AssertionError("no error")
                assert table.to_pydict() == {"a": [1]}
                cache.close()
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        print(cache.get("k")["a"][0], cache.query("SELECT a FROM _cache_k")["a"][0])
    """)
    assert output == "1 1\n"


def test_a_child_that_ends_normally_leaves_the_parent_alone():
    output = run_python("""
        import os, sys, warnings
        warnings.simplefilter("ignore")
        import pandas as pd
        from arrow_cache import ArrowCache
        cache = ArrowCache()
        cache.put("k", pd.DataFrame({"a": [1]}))
        child = os.fork()
        if child == 0:
            sys.exit(0)  # runs what is registered for the exit
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        print(cache.query("SELECT a FROM _cache_k")["a"][0])
    """)
    assert output == "1\n"


def test_fork_error_is_a_runtime_error():
    assert issubclass(ForkError, RuntimeError)


@pytest.mark.parametrize(
    "ending",
    ["", "cache.close()", "del cache", "reader = cache.query('SELECT range FROM range(10000000)', target_type='reader'); reader.read_next_batch()"],
)
def test_the_interpreter_ends_with_caches_open(ending):
    output = run_python(f"""
        import threading
        import pandas as pd
        from arrow_cache import ArrowCache
        cache, other = ArrowCache(), ArrowCache()
        cache.put("k", pd.DataFrame({{"a": [1]}}))
        frame, table = cache.get("k"), cache.get("k", target_type="arrow")
        thread = threading.Thread(target=lambda: [cache.get("k") for _ in range(100)])
        thread.start()
        thread.join()
        print("done")
        {ending}
    """)
    assert output == "done\n"
