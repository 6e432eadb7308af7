"""The catalog: a DuckDB database with what a cache knows, for users to open beside it."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import duckdb
import numpy as np
import pandas as pd
import pytest

from arrow_cache import ArrowCache
from arrow_cache.errors import ConfigurationError, StorageError

TABLES = ["entries", "events", "format", "partitions", "statistics"]


def stored(folder, *, delete=False, **options):
    return ArrowCache(persistent_storage=True, storage_path=folder, delete_files_on_close=delete, partition_size_rows=100, **options)


def rows(path, sql):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it has not come to be so"
        time.sleep(0.05)


def holds(path, expected):
    """Whether the catalog has these keys."""
    return os.path.exists(path) and {key for (key,) in rows(path, "SELECT key FROM entries")} == set(expected)


def in_process(program, *arguments):
    done = subprocess.run([sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr[-3000:]
    return done.stdout


def test_it_says_what_the_cache_says(tmp_path):
    path = tmp_path / "catalog.duckdb"
    with stored(tmp_path) as cache:
        cache.put("flights é", pd.DataFrame({"n": np.arange(250), "s": ["x", None] * 125}), metadata={"source": "here"}, ttl=1000)
        cache.put("other'\"", pd.DataFrame({"d": [0.5]}))
        assert len(cache.query('SELECT n FROM "_cache_flights é" WHERE n > 240')) == 9
        until(lambda: holds(path, ["flights é", "other'\""]))
        assert sorted(name for (name,) in rows(path, "SELECT table_name FROM duckdb_tables()")) == TABLES
        cache.get("other'\"")
    expected = [("flights é", "pandas", 250, 2, 3, '{"source":"here"}', True), ("other'\"", "pandas", 1, 1, 1, None, False)]
    found = rows(path, "SELECT key, kind, row_count, column_count, partition_count, metadata, expires_at IS NOT NULL FROM entries ORDER BY key")
    assert [(*row[:5], row[6]) for row in found] == [(*row[:5], row[6]) for row in expected] and "here" in found[0][5]
    assert rows(path, "SELECT partition, first_row, row_count FROM partitions WHERE key = 'flights é' ORDER BY 1") == [(0, 0, 100), (1, 100, 100), (2, 200, 50)]
    bounds = rows(path, "SELECT partition, min::INT, max::INT, null_count FROM statistics WHERE column_name = 'n' ORDER BY 1")
    assert bounds in ([], [(0, 0, 99, 0), (1, 100, 199, 0), (2, 200, 249, 0)])
    assert rows(path, "SELECT access_count FROM entries WHERE key != 'flights é'") == [(1,)]
    assert {("put", "flights é"), ("put", "other'\"")} <= set(rows(path, "SELECT kind, key FROM events"))
    (version, engine, written) = rows(path, "SELECT format_version, duckdb_version, epoch(written_at) FROM format")[0]
    assert version == 1 and engine == f"v{duckdb.__version__}" and abs(written - time.time()) < 60
    assert not os.path.exists(f"{path}.wal") and not os.path.exists(f"{path}.new")


def test_statistics_are_a_table_of_the_running_cache(frame):
    with ArrowCache(partition_size_rows=2) as cache:
        cache.put("k", pd.DataFrame({"n": [1, 2, 3], "t": ["a", None, "c"]}))
        cache.query("SELECT count(*) FROM _cache_k WHERE n > 100 AND t > 'b'")
        found = cache.query("SELECT * FROM arrow_cache.statistics ORDER BY column_index, partition")
        assert list(found.columns) == [
            "key", "version", "partition", "column_index", "column_name", "arrow_format", "row_count", "null_count", "min", "max", "exact", "ascending",
            "distinct_estimate",
        ]  # fmt: skip
        if cache.status()["duckdb"]["engine"] == "v2":
            n = found[found["column_name"] == "n"]
            assert n["min"].tolist() == ["1", "3"] and n["max"].tolist() == ["2", "3"] and n["null_count"].tolist() == [0, 0]
            assert found["distinct_estimate"].tolist() == [2, 1, 1, 1]


def test_use_and_events_survive_a_restart_and_a_kill(tmp_path):
    program = """
import os, sys, signal, time
import duckdb, pandas as pd
from arrow_cache import ArrowCache
folder = sys.argv[1]
cache = ArrowCache(persistent_storage=True, storage_path=folder, delete_files_on_close=False)
for key in "abc":
    cache.put(key, pd.DataFrame({"n": [1]}))
cache.put("a", pd.DataFrame({"n": [2]}))
for _ in range(7):
    cache.get("b")
cache.remove("c")
print(cache.get_metadata("b")["access_count"], flush=True)
path = folder + "/catalog.duckdb"
def is_there():
    if not os.path.exists(path):
        return False
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute("SELECT access_count FROM entries WHERE key = 'b'").fetchall() == [(7,)]
while not is_there():
    time.sleep(0.05)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert in_process(program, tmp_path).split() == ["7"]
    for round in range(3):
        with stored(tmp_path) as cache:
            uses = cache.query("SELECT key, access_count FROM arrow_cache.entries ORDER BY key").values.tolist()
            assert uses == [["a", 0], ["b", 7 + round]]
            assert time.time() - 300 < cache.query("SELECT epoch(last_accessed_at) AS at FROM arrow_cache.entries WHERE key = 'b'")["at"][0] < time.time()
            events = cache.query("SELECT kind, key FROM arrow_cache.events").values.tolist()
            assert events[:6] == [["put", "a"], ["put", "b"], ["put", "c"], ["replaced", "a"], ["put", "a"], ["removed", "c"]]
            cache.get("b")
    # A version of its own is a use count of its own.
    with stored(tmp_path) as cache:
        cache.put("b", pd.DataFrame({"n": [3]}))
    with stored(tmp_path) as cache:
        assert cache.get_metadata("b")["access_count"] == 0


def damage(path, way):
    data = path.read_bytes()
    if way == "gone":
        path.unlink()
    elif way == "text":
        path.write_text("this is no database\n" * 100)
    elif way == "empty":
        path.write_bytes(b"")
    elif way == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif way == "version":
        with duckdb.connect(str(path)) as connection:
            connection.execute("UPDATE format SET format_version = 999")
    elif way == "columns":
        with duckdb.connect(str(path)) as connection:
            connection.execute("ALTER TABLE entries DROP COLUMN access_count")
    elif way == "foreign":
        path.unlink()
        with duckdb.connect(str(path)) as connection:
            connection.execute("CREATE TABLE mine AS SELECT 1 AS a")
    elif way == "folder":
        path.unlink()
        path.mkdir()
    else:
        changed = bytearray(data)
        generator = random.Random(way)
        for _ in range(20):
            changed[generator.randrange(len(changed))] ^= 1 << generator.randrange(8)
        path.write_bytes(bytes(changed))


@pytest.mark.parametrize("way", ["gone", "text", "empty", "cut", "version", "columns", "foreign", *range(12)])
def test_it_is_made_anew_from_the_files_alone(tmp_path, frame, way):
    with stored(tmp_path) as cache:
        for key in "abc":
            cache.put(key, frame)
        cache.get("a")
    path = tmp_path / "catalog.duckdb"
    damage(path, way)
    with stored(tmp_path) as cache:
        assert sorted(cache.get_keys()) == ["a", "b", "c"] and len(cache.get("b")) == len(frame)
        assert cache.check(tmp_path) and all(found["problems"] == [] for found in cache.check(tmp_path))
    assert rows(path, "SELECT key FROM entries ORDER BY key") == [("a",), ("b",), ("c",)]
    assert sorted(name for name in os.listdir(tmp_path) if not name[-33:-32] == "-") == ["catalog.duckdb"]


def test_a_folder_in_its_place_keeps_nothing_from_working(tmp_path, frame):
    (tmp_path / "catalog.duckdb").mkdir()
    with stored(tmp_path) as cache:
        cache.put("a", frame)
    with stored(tmp_path) as cache:
        assert cache.get_keys() == ["a"]


def test_what_cannot_be_written_is_in_status(tmp_path, frame):
    left = tmp_path / "catalog.duckdb.new"
    (left / "of mine").mkdir(parents=True)
    with stored(tmp_path) as cache:
        cache.put("a", frame)
        until(lambda: cache.status()["catalog_failures"])
        assert "catalog.duckdb.new" in cache.status()["last_catalog_failure"]
        assert (left / "of mine").exists()
        shutil.rmtree(left)
        until(lambda: holds(tmp_path / "catalog.duckdb", "a"))
        assert cache.status()["last_catalog_failure"] is None
    with stored(tmp_path) as cache:
        assert cache.get_keys() == ["a"] and cache.status()["catalog_failures"] == 0


@pytest.mark.parametrize("write", [False, True])
def test_who_has_it_open_holds_nothing_up(tmp_path, frame, write):
    with stored(tmp_path) as cache:
        cache.put("a", frame)
    path = tmp_path / "catalog.duckdb"
    program = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "False")
if sys.argv[2] == "True":
    connection.execute("CREATE TABLE mine AS SELECT 1 AS a")
print("open", flush=True)
sys.stdin.readline()
print(connection.execute("SELECT count(*) FROM entries").fetchall()[0][0])
"""
    holder = subprocess.Popen([sys.executable, "-c", program, str(path), str(write)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "open\n"
    with stored(tmp_path) as cache:
        cache.put("b", frame)
        assert sorted(cache.get_keys()) == ["a", "b"]
        if not write:
            until(lambda: holds(path, "ab"))
    assert holder.communicate("\n")[0] == "1\n"
    assert holds(path, "ab")
    assert sorted(name for name in os.listdir(tmp_path) if "catalog" in name) == ["catalog.duckdb"]


def test_killed_while_it_is_written(tmp_path, frame):
    program = """
import os, sys, signal, threading, time, random
import pandas as pd
from arrow_cache import ArrowCache
cache = ArrowCache(persistent_storage=True, storage_path=sys.argv[1], delete_files_on_close=False)
for key in "abc":
    cache.put(key, pd.DataFrame({"n": [1]}))
stop = sys.argv[1] + "/catalog.duckdb.new"
end = time.monotonic() + 20
while not os.path.exists(stop) and time.monotonic() < end:
    pass
time.sleep(random.Random(int(sys.argv[2])).random() * 0.03)
os.kill(os.getpid(), signal.SIGKILL)
"""
    for seed in range(4):
        in_process(program, tmp_path, seed)
        with stored(tmp_path) as cache:
            assert sorted(cache.get_keys()) == ["a", "b", "c"]
        assert holds(tmp_path / "catalog.duckdb", "abc")
        assert sorted(name for name in os.listdir(tmp_path) if "catalog" in name) == ["catalog.duckdb"]


def test_closing_removes_it_with_the_entries(tmp_path, frame):
    folder = tmp_path / "x"
    with stored(folder, delete=True) as cache:
        cache.put("a", frame)
        until(lambda: holds(folder / "catalog.duckdb", "a"))
    assert not folder.exists()


def test_a_place_of_its_own(tmp_path, frame):
    path = tmp_path / "deep" / "facts.duckdb"
    with ArrowCache(metadata_db_path=path) as cache:
        assert cache.config.metadata_db_path == str(path)
        cache.put("a", frame)
        until(lambda: holds(path, "a"))
        with pytest.raises(StorageError, match=f"process {os.getpid()}"):
            ArrowCache(metadata_db_path=path)
        cache.put("b", frame)
    assert holds(path, "ab"), "as it was at the end"
    with ArrowCache(metadata_db_path=path) as cache:
        assert cache.get_keys() == []
    assert holds(path, "")
    assert os.listdir(path.parent) == ["facts.duckdb"]


def test_a_place_of_its_own_beside_a_storage(tmp_path, frame):
    with stored(tmp_path / "s") as cache:
        cache.put("a", frame)
        cache.get("a")
    assert (tmp_path / "s" / "catalog.duckdb").exists()
    for expected in (0, 1):
        with stored(tmp_path / "s", metadata_db_path=tmp_path / "m.duckdb") as cache:
            assert cache.get_metadata("a")["access_count"] == expected
            cache.get("a")
        assert holds(tmp_path / "m.duckdb", "a")
        assert not (tmp_path / "s" / "catalog.duckdb").exists()


def test_what_is_somebody_elses_is_left_alone(tmp_path, frame):
    path = tmp_path / "mine.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 42 AS a")
    with stored(tmp_path / "s") as cache:
        cache.put("a", frame)
    with pytest.raises(ConfigurationError, match="database of something else"):
        stored(tmp_path / "s", delete=True, metadata_db_path=path)
    assert rows(path, "SELECT a FROM mine") == [(42,)]
    assert sorted(os.listdir(tmp_path)) == ["mine.duckdb", "s"]
    with stored(tmp_path / "s") as cache:
        assert cache.get_keys() == ["a"], "a cache that could not be opened has removed nothing"
    notes = tmp_path / "notes.txt"
    notes.write_text("of mine")
    with ArrowCache(metadata_db_path=notes) as cache:
        cache.put("a", frame)
    assert holds(notes, "a")
    (aside,) = [name for name in os.listdir(tmp_path) if name.startswith("notes.txt.damaged-")]
    assert (tmp_path / aside).read_text() == "of mine"
    with pytest.raises(StorageError, match="is a folder"):
        ArrowCache(metadata_db_path=tmp_path)


def test_what_cannot_be_written_costs_the_catalog_alone(tmp_path, frame):
    locked = tmp_path / "locked"
    locked.mkdir()
    cache = ArrowCache(metadata_db_path=locked / "m.duckdb")
    shutil.rmtree(locked)
    with cache:
        for _ in range(3):
            cache.put("a", frame)
            time.sleep(0.5)
        assert len(cache.get("a")) == len(frame)


def test_a_forked_child_leaves_it_alone(tmp_path, frame):
    with stored(tmp_path) as cache:
        cache.put("a", frame)
        child = os.fork()
        if child == 0:
            cache.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        cache.put("b", frame)
        until(lambda: holds(tmp_path / "catalog.duckdb", "ab"))
    assert holds(tmp_path / "catalog.duckdb", "ab")


def test_readers_meet_whole_catalogs_alone(tmp_path, frame):
    failures = []
    path = tmp_path / "catalog.duckdb"
    with stored(tmp_path) as cache:
        cache.put("k0", frame)
        until(path.exists)
        done = threading.Event()

        def read():
            try:
                while not done.is_set():
                    count, least = rows(path, "SELECT count(*), (SELECT count(DISTINCT key) FROM partitions) FROM entries")[0]
                    if count != least or count < 1:
                        failures.append((count, least))
            except Exception as error:
                failures.append(error)

        thread = threading.Thread(target=read)
        thread.start()
        for number in range(40):
            cache.put(f"k{number}", frame)
            time.sleep(0.1)
        done.set()
        thread.join()
    assert failures == []
