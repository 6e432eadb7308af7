"""`persist` and `load`: what another process has, what other readers see in the files, and what is said when it does not work."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from pandas.testing import assert_frame_equal

from arrow_cache import ArrowCache
from arrow_cache.errors import ClosedError, InvalidArgument, InvalidArgumentType, StorageError, UnsupportedTypeError

HERE = Path(__file__).parent

#: Saves what the samples build, or loads and compares it: the two run in processes of their own.
SAMPLES = """
import sys, warnings
sys.path.insert(0, sys.argv[1])
warnings.simplefilter("ignore")
import numpy as np, pandas as pd, polars as pl, pyarrow as pa
from arrow_cache import ArrowCache
from arrow_cache.errors import UnsupportedTypeError
from converters.arrow_samples import TYPES
from converters.conftest import assert_same
from converters.index_samples import INDEXES, LABELS
from converters.samples import EXTENSIONS, NUMPY, OBJECTS, ZONES

folder, does_load = sys.argv[2], sys.argv[3] == "load"
made = {}
for group in (NUMPY, EXTENSIONS, OBJECTS):
    for name, build in group.items():
        made[f"{len(made)} {name}"] = lambda build=build: pd.DataFrame({"x": build()})
for name, build in ZONES.items():
    made[f"zone {name}"] = lambda build=build: pd.DataFrame({"x": pd.date_range("2024-01-01", periods=5, tz=build())})
for name, build in INDEXES.items():
    made[f"index {name}"] = lambda build=build: pd.DataFrame({"x": np.arange(len(build()))}, index=build())
for name, build in LABELS.items():
    made[f"labels {name}"] = lambda build=build: pd.DataFrame(np.arange(2 * len(build())).reshape(2, -1), columns=build())
for name, build in TYPES.items():
    made[f"arrow {name}"] = lambda build=build: pa.table({"x": build()})
def attributes():
    frame = pd.DataFrame({"a": [1, 2]})
    frame.attrs["note"] = {"deep": [1, 2]}
    return frame
made["attrs"] = attributes
made["series"] = lambda: pd.Series([1.5, None], name="s", index=["x", "y"])
made["polars"] = lambda: pl.DataFrame({"a": [1, None], "l": [[1], [2, 3]], "c": pl.Series(["x", "y"], dtype=pl.Categorical)})
made["empty"] = lambda: pd.DataFrame({"a": pd.Series([], dtype="int64")})
made["no columns"] = lambda: pd.DataFrame(index=[1, 2, 3])
with ArrowCache(spill_to_disk=False, partition_size_rows=2) as cache:
    done = 0
    for key, build in made.items():
        try:
            value = build()
            cache.put(key, value, metadata={"name": key, "n": 1})
        except (UnsupportedTypeError, ModuleNotFoundError):
            continue
        expected = cache.get(key)
        if does_load:
            cache.remove(key)
            assert cache.load(key, folder, verify=True), key
            found = cache.get(key)
            assert type(found) is type(expected), key
            if isinstance(expected, pa.Table):
                assert found.schema.equals(expected.schema, check_metadata=True), key
                assert found.equals(expected) or repr(found.to_pylist()) == repr(expected.to_pylist()), key  # NaN
            elif isinstance(expected, pl.DataFrame):
                assert found.equals(expected) and found.schema == expected.schema, key
            elif isinstance(expected, pd.DataFrame):
                assert_same(found, expected)
                assert found.attrs == expected.attrs, key
            else:
                pd.testing.assert_series_equal(found, expected)
            assert cache.get_metadata(key)["metadata"] == {"name": key, "n": 1}, key
        else:
            try:
                assert cache.persist(key, folder), key
            except UnsupportedTypeError as error:
                assert "dictionary of dictionaries" in str(error), error
                print("refused", key)
        done += 1
    print(done)
"""


def run(program, *arguments):
    done = subprocess.run([sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split("\n")


def test_every_kind_comes_back_in_another_process(tmp_path):
    saved = run(SAMPLES, HERE, tmp_path, "persist")
    loaded = run(SAMPLES, HERE, tmp_path, "load")
    assert not [line for line in saved if line.startswith("refused")]
    assert saved == loaded and int(saved[0]) > 150


def test_geometries_come_back_in_another_process(tmp_path):
    geopandas = pytest.importorskip("geopandas")
    from shapely.geometry import Point

    frame = geopandas.GeoDataFrame(
        {"name": ["a", "b", None], "geometry": [Point(1, 2), None, Point(3.5, 4)]}, index=[5, 6, 7], crs="EPSG:3857"
    )
    with ArrowCache(spill_to_disk=False) as cache:
        cache.put("places", frame)
        bounds = cache.get_metadata("places")["bounds"]
        assert cache.persist("places", tmp_path)
        frame.to_pickle(tmp_path / "expected.pkl")
    program = """
import sys, pandas as pd, geopandas, geopandas.testing
from arrow_cache import ArrowCache
with ArrowCache(spill_to_disk=False) as cache:
    assert cache.load("places", sys.argv[1])
    expected = pd.read_pickle(sys.argv[1] + "/expected.pkl")
    found = cache.get("places")
    geopandas.testing.assert_geodataframe_equal(found, expected)
    assert found.crs == expected.crs
    print(cache.get_metadata("places")["bounds"])
"""
    assert run(program, tmp_path)[0] == str(bounds)


def test_time_to_live_goes_on(tmp_path, frame):
    with ArrowCache(spill_to_disk=False) as cache, ArrowCache(spill_to_disk=False) as other:
        cache.put("k", frame, ttl=100)
        before = cache.get_metadata("k")
        assert cache.persist("k", tmp_path) and other.load("k", tmp_path)
        after = other.get_metadata("k")
        assert after["expires_at"] == before["expires_at"] and after["created_at"] == before["created_at"]
        cache.update_ttl("k", 0.2)
        assert cache.persist("k", tmp_path)
        time.sleep(0.25)
        assert other.load("k", tmp_path) is False
        assert other.contains("k"), "what was loaded before has its own time"


def test_what_is_not_there_is_false(tmp_path, cache, frame):
    assert cache.persist("k", tmp_path) is False
    assert list(tmp_path.iterdir()) == []
    assert cache.load("k", tmp_path) is False
    assert cache.load("k", tmp_path / "nowhere") is False
    cache.put("k", frame)
    assert cache.persist("k", tmp_path) and not cache.load("K", tmp_path) and not cache.load("k ", tmp_path)


def test_the_configured_folder_is_the_default(tmp_path, frame):
    with ArrowCache(spill_to_disk=False, storage_path=tmp_path / "here") as cache:
        cache.put("k", frame)
        assert cache.persist("k") and cache.remove("k") and cache.load("k")
        assert_frame_equal(cache.get("k"), frame)
        assert len(list((tmp_path / "here").iterdir())) == 1


@pytest.mark.parametrize(
    "key",
    ["../up", "/etc/passwd", ".", "..", "a/b\\c", "k" * 5000, "\u00e9", "e\u0301", "K", "k", " ", "NUL", "new\nline", "日本語" * 200, "\U0001f980", "k\0zero"],
)
def test_any_text_is_a_key(tmp_path, frame, key):
    folder = tmp_path / "store"
    with ArrowCache(spill_to_disk=False) as cache:
        cache.put(key, frame)
        assert cache.persist(key, folder) and cache.remove(key) and cache.load(key, folder)
        assert_frame_equal(cache.get(key), frame)
    assert os.listdir(tmp_path) == ["store"]
    (name,) = os.listdir(folder)
    assert name.isascii() and name == name.lower() and len(name) < 80


def test_keys_that_look_alike_are_apart(tmp_path, cache):
    keys = ["A", "a", "\u00e9", "e\u0301", "a/", "a_", "a ", "ﬁ", "fi"]
    for number, key in enumerate(keys):
        cache.put(key, pd.DataFrame({"n": [number]}))
        assert cache.persist(key, tmp_path)
    assert len({name.lower() for name in os.listdir(tmp_path)}) == len(keys)
    cache.clear()
    for number, key in enumerate(keys):
        assert cache.load(key, tmp_path) and cache.get(key)["n"][0] == number


def test_other_readers_open_the_files(tmp_path):
    frame = pd.DataFrame({"n": np.arange(1000), "s": [f"t{n % 7}" for n in range(1000)]})
    with ArrowCache(spill_to_disk=False, partition_size_rows=300) as cache:
        cache.put("k", frame)
        cache.persist("k", tmp_path)
    (folder,) = tmp_path.iterdir()
    parts = sorted(folder.glob("*.arrow"))
    assert [pa.ipc.open_file(pa.memory_map(str(part))).read_all().num_rows for part in parts] == [300, 300, 300, 100]
    whole = ds.dataset([str(part) for part in parts], format="ipc").to_table()
    assert_frame_equal(whole.to_pandas(), frame)
    assert pl.scan_ipc(folder / "*.arrow").collect()["n"].to_list() == list(range(1000))
    scanned = ds.dataset([str(part) for part in parts], format="ipc")
    assert duckdb.sql("SELECT count(*), sum(n) FROM scanned WHERE s = 't3'").fetchall()[0] == (143, int(frame["n"][frame["s"] == "t3"].sum()))
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["key"] == "k" and manifest["rows"] == 1000 and [part["file"] for part in manifest["partitions"]] == [part.name for part in parts]


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_compressed_files_come_back(tmp_path, compression):
    frame = pd.DataFrame({"n": np.arange(10_000) % 10, "s": ["the same text"] * 10_000})
    options = {"spill_to_disk": False, "enable_compression": True, "compression_type": compression}
    with ArrowCache(**options) as cache, ArrowCache(spill_to_disk=False) as other:
        cache.put("k", frame)
        assert cache.persist("k", tmp_path) and other.load("k", tmp_path, verify=True)
        assert_frame_equal(other.get("k"), frame)
        size = sum(path.stat().st_size for path in tmp_path.rglob("*.arrow"))
        assert size < 60_000
        for part in tmp_path.rglob("*.arrow"):
            assert pa.ipc.open_file(part).read_all().num_rows == 10_000


def test_only_changed_partitions_are_written(tmp_path):
    frame = pd.DataFrame({"n": np.arange(1000), "x": np.random.default_rng(1).random(1000)})
    with ArrowCache(spill_to_disk=False, partition_size_rows=100) as cache:
        cache.put("k", frame)
        cache.persist("k", tmp_path)
        before = {path.name: path.stat().st_ino for path in tmp_path.rglob("part-*")}
        frame.loc[555, "x"] = -1.0
        cache.put("k", frame)
        cache.persist("k", tmp_path)
        after = {path.name: path.stat().st_ino for path in tmp_path.rglob("part-*")}
        assert len(before) == len(after) == 10 and len(before.items() & after.items()) == 9
        assert cache.load("k", tmp_path)
        assert_frame_equal(cache.get("k"), frame)


def test_queries_skip_by_statistics_that_were_persisted(tmp_path):
    frame = pd.DataFrame({"n": np.arange(10_000)})
    with ArrowCache(spill_to_disk=False, partition_size_rows=1000) as cache:
        cache.put("k", frame)
        assert cache.query("SELECT count(*) AS c FROM _cache_k WHERE n BETWEEN 2500 AND 2600")["c"][0] == 101
        cache.persist("k", tmp_path)
    (path,) = tmp_path.rglob("manifest.json")
    known = [part["statistics"].get("0") for part in json.loads(path.read_text())["partitions"]]
    with ArrowCache(spill_to_disk=False) as cache:
        assert cache.load("k", tmp_path)
        assert cache.query("SELECT count(*) AS c FROM _cache_k WHERE n BETWEEN 2500 AND 2600")["c"][0] == 101
    if duckdb.__version__ >= "2":
        assert known[3] == {"rows": 1000, "nulls": 0, "bounds": "int", "min": 3000, "max": 3999}


def test_what_is_loaded_outlives_the_files(tmp_path, frame):
    with ArrowCache(spill_to_disk=False) as cache:
        cache.put("k", frame)
        cache.persist("k", tmp_path)
        cache.load("k", tmp_path)
        for path in sorted(tmp_path.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        assert_frame_equal(cache.get("k"), frame)
        assert cache.persist("k", tmp_path) and cache.load("k", tmp_path)


def test_damage_is_found_and_changes_nothing(tmp_path, cache, frame):
    cache.put("k", pd.DataFrame({"n": np.arange(1000)}))
    cache.persist("k", tmp_path)
    (part,) = tmp_path.rglob("part-*")
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.unlink()
    part.write_bytes(content)
    cache.put("k", frame)
    with pytest.raises(StorageError, match=part.name):
        cache.load("k", tmp_path, verify=True)
    assert_frame_equal(cache.get("k"), frame)
    assert cache.load("k", tmp_path), "rows are looked at when they are read"
    with pytest.raises(OSError, match=part.name):
        cache.get("k")
    part.unlink()
    cache.put("k", frame)
    with pytest.raises(StorageError, match=part.name):
        cache.load("k", tmp_path)
    (path,) = tmp_path.rglob("manifest.json")
    text = path.read_text()
    path.write_text(text.replace('"arrow_cache":1', '"arrow_cache":9'))
    with pytest.raises(StorageError, match=r"manifest\.json"):
        cache.load("k", tmp_path)
    assert cache.persist("k", tmp_path) and cache.load("k", tmp_path)
    assert_frame_equal(cache.get("k"), frame)


def test_a_later_format_is_refused_and_kept(tmp_path, cache, frame):
    cache.put("k", frame)
    cache.persist("k", tmp_path)
    (path,) = tmp_path.rglob("manifest.json")
    text = path.read_text().replace('"arrow_cache":1', '"arrow_cache":9')
    start = text.index('"seal":"') + 8
    plain = text[:start] + "00000000" + text[start + 8 :]
    sealed = text[:start] + f"{crc32c(plain.encode()):08x}" + text[start + 8 :]
    path.write_text(sealed)
    for call in (cache.load, cache.persist):
        with pytest.raises(UnsupportedTypeError, match="format version 9, this engine reads up to 2"):
            call("k", tmp_path)
    assert path.read_text() == sealed


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def test_wrong_arguments(tmp_path, cache, frame):
    cache.put("k", frame)
    (tmp_path / "file").write_text("x")
    for call in (cache.persist, cache.load):
        with pytest.raises(StorageError, match="file"):
            call("k", tmp_path / "file")
        for wrong in (1, ["x"], b"bytes"):
            with pytest.raises(InvalidArgumentType, match="storage_dir"):
                call("k", wrong)
        for wrong in ("", "a\0b"):
            with pytest.raises(InvalidArgument, match="storage_dir"):
                call("k", wrong)
        with pytest.raises(InvalidArgument):
            call("", tmp_path)
    with pytest.raises(InvalidArgumentType, match="verify"):
        cache.load("k", tmp_path, verify="yes")
    cache.close()
    for call in (cache.persist, cache.load):
        with pytest.raises(ClosedError):
            call("k", tmp_path)


def test_persisting_while_others_put_and_load(tmp_path):
    """Every load finds one version, whole, while versions are put and persisted."""
    stop, errors = threading.Event(), []

    def guarded(body):
        def work():
            try:
                while not stop.is_set():
                    body()
            except BaseException as error:
                errors.append(error)
                stop.set()

        return threading.Thread(target=work)

    with ArrowCache(spill_to_disk=False, partition_size_rows=100) as cache, ArrowCache(spill_to_disk=False) as other:
        number = iter(range(1, 1 << 30))
        cache.put("k", pd.DataFrame({"n": np.zeros(1000, dtype="int64")}))
        cache.persist("k", tmp_path)

        def write():
            cache.put("k", pd.DataFrame({"n": np.full(1000, next(number))}))
            assert cache.persist("k", tmp_path)

        def read():
            assert other.load("k", tmp_path)
            values = other.get("k")["n"]
            assert len(values) == 1000 and values.nunique() == 1

        threads = [guarded(write), guarded(read), guarded(read)]
        for thread in threads:
            thread.start()
        stop.wait(2)
        stop.set()
        for thread in threads:
            thread.join()
    assert not errors, errors[0]


def test_a_signal_ends_it_and_leaves_the_version_of_before(tmp_path):
    with ArrowCache(memory_limit="1GiB", spill_to_disk=False, partition_size_rows=1000) as cache:
        cache.put("k", pd.DataFrame({"n": [1]}))
        cache.persist("k", tmp_path)
        cache.put("k", pa.table({"n": np.arange(2_000_000)}))
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            while True:
                cache.put("k", pa.table({"n": np.arange(2_000_000) + time.time_ns()}))
                cache.persist("k", tmp_path)
        assert cache.load("k", tmp_path, verify=True)
        assert len(cache.get("k")) in (1, 2_000_000)
