"""`read_only`: the storage of another cache, which may be changing it."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from arrow_cache import ArrowCache, CacheError
from arrow_cache.errors import ConfigurationError, ReadOnlyError, StorageError


def stored(folder, *, delete=False, **options):
    return ArrowCache(persistent_storage=True, storage_path=folder, delete_files_on_close=delete, partition_size_rows=100, **options)


def reading(folder, **options):
    return ArrowCache(persistent_storage=True, storage_path=folder, read_only=True, **options)


def all_files(folder):
    found = {}
    for path, _, names in os.walk(folder):
        for name in names:
            status = os.stat(os.path.join(path, name))
            found[os.path.join(path, name)] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return found


@pytest.fixture
def storage(tmp_path):
    folder = tmp_path / "s"
    with stored(folder) as cache:
        cache.put("pandas", pd.DataFrame({"n": np.arange(250)}), metadata={"a": 1})
        cache.put("Arrow", pa.table({"s": ["x", None]}), ttl=1000)
    return folder


def test_what_a_closed_cache_has_left(storage):
    before = all_files(storage)
    with reading(storage) as cache:
        assert cache.get_keys() == ["pandas", "Arrow"]
        assert_frame_equal(cache.get("pandas"), pd.DataFrame({"n": np.arange(250)}))
        assert cache.get("pandas", offset=150, limit=2)["n"].tolist() == [150, 151]
        assert cache.query("SELECT sum(n)::BIGINT AS n FROM _cache_pandas")["n"].tolist() == [31125]
        assert len(cache.query("SELECT * FROM _cache_arrow, _cache_PANDAS LIMIT 3")) == 3, "names in SQL fold"
        assert cache.get_metadata("pandas")["metadata"] == {"a": 1} and 900 < cache.get_metadata("Arrow")["ttl"] < 1000
        assert cache.status()["entry_count"] == 2 and cache.explain_entry("pandas") is not None
        assert cache.query("SELECT count(*) AS n FROM arrow_cache.entries")["n"].tolist() == [2]
        assert not cache.contains("nothing")
        assert cache.scan_polars("pandas").collect().shape == (250, 1)
        assert cache.check()[0]["problems"] == []
    assert all_files(storage) == before


CHANGES = {
    "put": lambda cache: cache.put("new", pd.DataFrame({"a": [1]})),
    "replace": lambda cache: cache.put("pandas", pa.table({"a": [1]})),
    "setitem": lambda cache: cache.__setitem__("new", pd.DataFrame({"a": [1]})),
    "remove": lambda cache: cache.remove("pandas"),
    "remove nothing": lambda cache: cache.remove("nothing"),
    "clear": lambda cache: cache.clear(),
    "update_ttl": lambda cache: cache.update_ttl("pandas", 5),
    "persist there": lambda cache: cache.persist("pandas"),
    "load": lambda cache: cache.load("pandas"),
    "get_or_put": lambda cache: cache.get_or_put("new", lambda: pytest.fail("nothing is to be built")),
    "repair": lambda cache: cache.check(repair=True),
    "import_query": lambda cache: cache.import_query("new", "SELECT 1", __import__("sqlite3").connect(":memory:")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changes_are_refused(storage, name):
    before = all_files(storage)
    with reading(storage) as cache:
        with pytest.raises(ReadOnlyError, match="only|read_only") as raised:
            CHANGES[name](cache)
        assert isinstance(raised.value, PermissionError) and isinstance(raised.value, CacheError)
        assert cache.get_keys() == ["pandas", "Arrow"] and len(cache.get("pandas")) == 250
        assert len(cache.get_or_put("pandas", lambda: pytest.fail("it is there"))) == 250
    assert all_files(storage) == before


def test_persisting_elsewhere_is_no_change(storage, tmp_path):
    with reading(storage) as cache:
        assert cache.persist("pandas", tmp_path / "copy")
        assert not cache.persist("nothing", tmp_path / "copy")
    with ArrowCache() as cache:
        assert cache.load("pandas", tmp_path / "copy") and len(cache.get("pandas")) == 250


def test_what_makes_no_sense_is_refused(storage, tmp_path):
    for options, words in [
        ({"read_only": True}, "persistent_storage"),
        ({"read_only": True, "persistent_storage": True, "storage_path": storage, "metadata_db_path": "x"}, "metadata_db_path"),
        ({"read_only": True, "persistent_storage": True, "storage_path": storage, "delete_files_on_close": True}, "delete_files_on_close"),
    ]:
        with pytest.raises(ConfigurationError, match=words):
            ArrowCache(**options)
    with pytest.raises(StorageError, match="no such folder"):
        reading(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_it_follows_the_writer(tmp_path, frame):
    folder = tmp_path / "s"
    with stored(folder, delete=True) as writer, reading(folder) as reader:
        with pytest.raises(StorageError, match=f"process {os.getpid()}.*read_only"):
            stored(folder)
        assert reader.get_keys() == [] and not reader.contains("a")
        for number in range(30):
            writer.put("a", pd.DataFrame({"n": [number] * 250}))
            assert reader.get("a")["n"].tolist() == [number] * 250
            assert reader.query("SELECT max(n) AS n FROM _cache_A")["n"].tolist() == [number]
        writer.put("b", frame, metadata={"x": 1})
        assert reader.get_keys() == ["a", "b"] and reader.get_metadata("b")["metadata"] == {"x": 1}
        held = reader.get("a", target_type="arrow")
        writer.update_ttl("a", 0.2)
        assert 0 < reader.get_metadata("a")["ttl"] <= 0.2
        time.sleep(0.25)
        assert reader.get_keys() == ["b"] and not reader.contains("a")
        assert writer.remove("b")
        assert reader.get_keys() == [] and reader.get_metadata("b") is None and held.num_rows == 250
        writer.put("a", frame, ttl=50)
        writer.update_ttl("a", None)
        assert reader.get_metadata("a")["expires_at"] is None
        with reading(folder) as second:
            assert_frame_equal(second.get("a"), reader.get("a"))
        assert writer.clear() == 1 and reader.status()["entry_count"] == 0
        writer.put("c", frame)
        writer.close()
        assert reader.get_keys() == []


def test_in_sql_one_statement_sees_one_version(tmp_path):
    with stored(tmp_path) as writer, reading(tmp_path) as reader:
        writer.put("a", pd.DataFrame({"n": [0] * 250}))
        stop = threading.Event()

        def write():
            number = 0
            while not stop.is_set():
                number += 1
                writer.put("a", pd.DataFrame({"n": [number] * 250}))

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for _ in range(100):
                found = reader.query("SELECT min(x.n) AS a, max(y.n) AS b, count(*) AS c FROM _cache_a x, _cache_a y")
                assert found["a"][0] == found["b"][0] and found["c"][0] == 250 * 250
        finally:
            stop.set()
            thread.join()


WRITER = """
import sys, random
import numpy as np, pandas as pd
from arrow_cache import ArrowCache
cache = ArrowCache(persistent_storage=True, storage_path=sys.argv[1], delete_files_on_close=False, partition_size_rows=100)
cache.put("always", pd.DataFrame({"n": np.zeros(350, "int64"), "t": ["0"] * 350}))
print("ready", flush=True)
generator = random.Random(7)
number = 0
while True:
    number += 1
    count = generator.randrange(1, 800)
    cache.put("always", pd.DataFrame({"n": np.full(count, number), "t": [str(number)] * count}), metadata={"count": count})
    key = f"k{generator.randrange(5)}"
    match generator.randrange(4):
        case 0: cache.remove(key)
        case 1: cache.update_ttl(key, generator.choice([0.01, 1, None]))
        case _: cache.put(key, pd.DataFrame({"n": np.full(count, number), "t": [str(number)] * count}), metadata={"count": count})
"""

READER = """
import sys, time
from arrow_cache import ArrowCache
end = time.monotonic() + float(sys.argv[2])
cache = ArrowCache(persistent_storage=True, storage_path=sys.argv[1], read_only=True)
last, seen = -1, set()
def whole(frame):
    numbers = set(frame["n"].tolist())
    assert len(numbers) == 1, numbers
    assert set(frame["t"].tolist()) == {str(number) for number in numbers}
    return numbers.pop()
while time.monotonic() < end:
    number = whole(cache.get("always"))
    assert number >= last, (number, last)
    last = number
    seen.add(number)
    found = cache.query("SELECT min(n) AS a, max(n) AS b, min(t) AS c, count(*) AS d FROM _cache_always")
    assert found["a"][0] == found["b"][0] == int(found["c"][0]) >= last, found
    last = int(found["a"][0])
    for key in cache.get_keys():
        frame = cache.get(key)
        if frame is not None:  # it may have gone since
            whole(frame)
        facts = cache.get_metadata(key)
        if facts is not None and facts["metadata"]:
            assert facts["num_rows"] == facts["metadata"]["count"], facts
    cache.query("SELECT count(*) FROM arrow_cache.partitions")
print(len(seen))
"""


@pytest.mark.parametrize("readers", [2])
def test_readers_beside_a_writer_in_other_processes(tmp_path, readers):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout.readline() == "ready\n"
        others = [
            subprocess.Popen([sys.executable, "-c", READER, str(tmp_path), "8"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(readers)
        ]
        results = [other.communicate(timeout=120) for other in others]
        assert writer.poll() is None
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
    for (out, errors), other in zip(results, others, strict=True):
        assert other.returncode == 0, errors[-3000:]
        assert int(out) > 3, "it has not followed"
    # After the writer was killed, and before and beside the next one.
    with reading(tmp_path) as reader:
        frame = reader.get("always")
        assert frame["n"].nunique() == 1
        before = all_files(tmp_path)
        assert len(reader.get_keys()) >= 1 and all_files(tmp_path) == before
        with stored(tmp_path) as cache:
            assert_frame_equal(cache.get("always"), frame)
            cache.put("always", pd.DataFrame({"n": [-1]}))
            assert reader.get("always")["n"].tolist() == [-1]


def test_damage_is_said_and_the_rest_read(storage):
    (folder,) = [path for path in storage.iterdir() if path.name.startswith("pandas")]
    (folder / "manifest.json").write_bytes(b"{")
    with reading(storage) as cache:
        assert cache.get_keys() == ["Arrow"]
        with pytest.raises(StorageError, match=r"manifest\.json"):
            cache.get("pandas")
        with pytest.raises(CacheError, match=r"manifest\.json"):
            cache.query("SELECT * FROM _cache_pandas")
        assert cache.query("SELECT count(*) AS n FROM arrow_cache.events WHERE kind = 'lost'")["n"].tolist() == [1]
        assert len(cache.get("Arrow")) == 2


def test_a_part_that_is_gone_is_an_error(storage):
    (folder,) = [path for path in storage.iterdir() if path.name.startswith("pandas")]
    sorted(folder.glob("part-*"))[1].unlink()
    with reading(storage) as cache:
        with pytest.raises(StorageError, match="part-000001"):
            cache.get("pandas")
        assert len(cache.get("Arrow")) == 2
