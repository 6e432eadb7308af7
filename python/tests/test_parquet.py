"""`persist(format="parquet")`: what other readers see, what comes back, what Parquet cannot hold, and what damage does."""

import json
import os
import signal
import threading
import time

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from converters.arrow_samples import TYPES
from pandas.testing import assert_frame_equal

from arrow_cache import ArrowCache
from arrow_cache.errors import InvalidArgument, InvalidArgumentType, MemoryLimitError, StorageError, UnsupportedTypeError

#: Of the samples, what Parquet has no place for.
REFUSED = {"month_day_nano_interval", "struct<>", "dense_union", "sparse_union", "dictionary with null in it", "run_end_encoded"}


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "n": np.arange(1000),
            "f": np.where(np.arange(1000) % 7 == 0, np.nan, np.arange(1000) / 3),
            "s": [None if n % 11 == 0 else f"t{n % 5}" for n in range(1000)],
            "c": pd.Categorical(["u", "v"] * 500, categories=["w", "v", "u"], ordered=True),
            "t": pd.date_range("2024-01-01", periods=1000, freq="h", tz="Europe/Paris"),
        },
        index=pd.Index(np.arange(1000) * 2, name="even"),
    )


def files(folder, end):
    return sorted(path.name for path in folder.rglob(f"*.{end}"))


def test_other_readers_open_the_files(tmp_path, frame):
    with ArrowCache(spill_to_disk=False, partition_size_rows=300) as cache:
        cache.put("k", frame)
        assert cache.persist("k", tmp_path, format="parquet") and not cache.persist("nothing", tmp_path, "parquet")
        assert [(entry["key"], entry["num_rows"], entry["problems"]) for entry in cache.check(tmp_path)] == [("k", 1000, [])]
    (folder,) = tmp_path.iterdir()
    parts = sorted(map(str, folder.glob("part-*.parquet")))
    assert len(parts) == 4 and {path.name for path in folder.iterdir()} == {"manifest.json", *map(os.path.basename, parts)}
    whole = pd.concat([pd.read_parquet(part) for part in parts])
    assert whole.index.equals(frame.index) and whole["n"].equals(frame["n"]) and whole["t"].equals(frame["t"])
    assert [str(value) for value in whole["c"]] == list(frame["c"])
    assert ds.dataset(parts, format="parquet").to_table()["n"].to_pylist() == list(range(1000))
    assert pl.read_parquet(folder / "*.parquet")["s"].to_list() == [None if n % 11 == 0 else f"t{n % 5}" for n in range(1000)]
    assert duckdb.sql(f"SELECT count(*), sum(n) FROM read_parquet({parts})").fetchall() == [(1000, 499500)]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["arrow_cache"] == 2 and manifest["format"] == "parquet" and [part["file"] for part in manifest["partitions"]] == [os.path.basename(part) for part in parts]


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_everything_comes_back(tmp_path, frame, compression):
    options = {"enable_compression": True, "compression_type": compression} if compression else {}
    frame.attrs["note"] = [1, {"a": 2}]
    with ArrowCache(spill_to_disk=False, partition_size_rows=300, **options) as cache, ArrowCache(spill_to_disk=False, partition_size_rows=300) as other:
        cache.put("k", frame, metadata={"source": "here"}, ttl=500)
        cache.query("SELECT count(*) FROM _cache_k WHERE n > 990")
        cache.persist("k", tmp_path, format="parquet")
        assert other.load("k", tmp_path)
        found, before = other.get("k"), cache.get("k")
        assert_frame_equal(found, before)
        assert found.attrs == frame.attrs
        facts, known = other.get_metadata("k"), cache.get_metadata("k")
        assert {name: facts[name] for name in ("expires_at", "created_at", "metadata", "kind", "partition_count")} == {
            name: known[name] for name in ("expires_at", "created_at", "metadata", "kind", "partition_count")
        }
        statistics = "SELECT key, partition, column_name, row_count, null_count, min, max, exact FROM arrow_cache.statistics ORDER BY ALL"
        assert other.query(statistics).equals(cache.query(statistics))
        cache.update_ttl("k", 0.05)
        cache.persist("k", tmp_path, format="parquet")
        time.sleep(0.06)
        assert other.load("k", tmp_path) is False and other.contains("k")


def test_every_type_comes_back_or_is_named(tmp_path):
    with ArrowCache(spill_to_disk=False, partition_size_rows=2) as cache:
        for name, build in TYPES.items():
            table = pa.table({"first": pa.nulls(len(build())), "odd one": build()})
            try:
                cache.put("k", table)
            except UnsupportedTypeError:
                continue
            cache.put("k", table)
            expected = cache.get("k")
            if name in REFUSED:
                with pytest.raises(UnsupportedTypeError, match="'k' can't be persisted as Parquet: column 'odd one'"):
                    cache.persist("k", tmp_path / name.replace("/", "_"), format="parquet")
                assert not list((tmp_path / name.replace("/", "_")).rglob("*.*")), name
                continue
            assert cache.persist("k", tmp_path, format="parquet"), name
            cache.remove("k")
            assert cache.load("k", tmp_path), name
            found = cache.get("k")
            assert found.schema.equals(expected.schema, check_metadata=True), name
            assert found.equals(expected) or repr(found.to_pylist()) == repr(expected.to_pylist()), name
        cache.put("none", pa.table({"a": [1, 2]}).select([]))
        with pytest.raises(UnsupportedTypeError, match="without columns"):
            cache.persist("none", tmp_path, format="parquet")
        empty = pd.DataFrame({"a": pd.Series([], dtype="int16"), "c": pd.Categorical([], categories=["x"])})
        cache.put("empty", empty)
        assert cache.persist("empty", tmp_path, format="parquet") and cache.load("empty", tmp_path)
        assert_frame_equal(cache.get("empty"), empty)


def test_geometries_come_back(tmp_path):
    geopandas = pytest.importorskip("geopandas")
    from geopandas.testing import assert_geodataframe_equal
    from shapely.geometry import Point

    frame = geopandas.GeoDataFrame({"name": ["a", None], "geometry": [Point(1, 2), None]}, crs="EPSG:3857")
    with ArrowCache(spill_to_disk=False) as cache:
        cache.put("places", frame)
        cache.persist("places", tmp_path, format="parquet")
        cache.clear()
        assert cache.load("places", tmp_path)
        found = cache.get("places")
        assert_geodataframe_equal(found, frame)
        assert found.crs == frame.crs


def test_only_changes_are_written_and_the_format_may_change(tmp_path, frame):
    with ArrowCache(spill_to_disk=False, partition_size_rows=100) as cache:
        cache.put("k", frame)
        cache.persist("k", tmp_path, format="parquet")
        before = {path.name: path.stat().st_ino for path in tmp_path.rglob("part-*")}
        cache.persist("k", tmp_path, format="Parquet")
        frame.iloc[555, 0] = -1
        cache.put("k", frame)
        cache.persist("k", tmp_path, format="parquet")
        after = {path.name: path.stat().st_ino for path in tmp_path.rglob("part-*")}
        assert len(before) == len(after) == 10 and len(before.items() & after.items()) == 9
        assert cache.load("k", tmp_path)
        cache.persist("k", tmp_path, format="parquet")
        assert {path.name: path.stat().st_ino for path in tmp_path.rglob("part-*")} == after
        for kind, other in (("arrow", "parquet"), ("parquet", "arrow"), ("arrow", "parquet")):
            assert cache.persist("k", tmp_path, format=kind)
            assert len(files(tmp_path, kind)) == 10 and not files(tmp_path, other)
            assert cache.load("k", tmp_path, verify=True)
            assert_frame_equal(cache.get("k"), frame)


def test_loading_beside_who_persists_again(tmp_path):
    done = threading.Event()

    def write():
        with ArrowCache(spill_to_disk=False, partition_size_rows=20) as writer:
            number = 0
            while not done.is_set():
                number += 1
                writer.put("k", pd.DataFrame({"x": np.full(130, number)}))
                writer.persist("k", tmp_path, format="parquet")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        loads, last, end = 0, 0, time.monotonic() + 2
        with ArrowCache(spill_to_disk=False) as reader:
            while time.monotonic() < end:
                if reader.load("k", tmp_path):
                    values = reader.get("k")["x"]
                    assert len(values) == 130 and values.nunique() == 1 and values[0] >= last
                    loads, last = loads + 1, values[0]
    finally:
        done.set()
        thread.join()
    assert loads > 10


def test_wrong_arguments(tmp_path, frame):
    with ArrowCache(spill_to_disk=False, persistent_storage=True, storage_path=tmp_path / "s") as cache:
        cache.put("k", frame)
        with pytest.raises(InvalidArgument, match="format.*'csv'"):
            cache.persist("k", tmp_path / "x", format="csv")
        with pytest.raises(InvalidArgumentType, match="format"):
            cache.persist("k", tmp_path / "x", format=None)
        with pytest.raises(InvalidArgument, match="its own storage"):
            cache.persist("k", format="parquet")
        assert not (tmp_path / "x").exists() and cache.persist("k", tmp_path / "x", format="parquet")
        cache.clear()
        assert cache.load("k", tmp_path / "x")
        assert_frame_equal(cache.get("k"), frame)
        assert files(tmp_path / "s", "arrow"), "what is loaded is in the storage"
    with ArrowCache(spill_to_disk=False, persistent_storage=True, storage_path=tmp_path / "x", delete_files_on_close=False) as cache:
        assert cache.get_keys() == []
        assert "parquet" in cache.query("SELECT cause FROM arrow_cache.events WHERE kind = 'lost'")["cause"][0]
        assert cache.load("k", tmp_path / "x")
    with ArrowCache(memory_limit=10_000, spill_to_disk=False) as cache:
        cache.put("k", pd.DataFrame({"n": [1]}))
        with pytest.raises(MemoryLimitError):
            cache.load("k", tmp_path / "elsewhere") or cache.put("k", frame)
        assert cache.get("k")["n"].tolist() == [1]


def test_damage_is_found_before_anything_is_parsed(tmp_path, frame):
    """Flipped bytes, cut, longer, emptied, exchanged and missing files: an error that names the file; the cache stays as it was."""
    rng = np.random.default_rng(int(os.environ.get("ARROW_CACHE_SEED", "1")))
    rounds = int(os.environ.get("ARROW_CACHE_DAMAGE_ROUNDS", "400"))
    with ArrowCache(spill_to_disk=False, partition_size_rows=300) as cache:
        cache.put("k", frame)
        cache.persist("k", tmp_path, format="parquet")
        cache.put("k", pd.DataFrame({"n": [7]}))
        (folder,) = tmp_path.iterdir()
        paths = sorted(folder.iterdir())
        contents = {path: path.read_bytes() for path in paths}
        for number in range(rounds):
            path = paths[rng.integers(len(paths))]
            content = bytearray(contents[path])
            match number % 8:
                case 0:
                    content = content[: rng.integers(len(content))]
                case 1:
                    content += rng.bytes(rng.integers(1, 100))
                case 2:
                    content = bytearray(contents[paths[(paths.index(path) + 1) % len(paths)]])
                case 3 if number % 16 == 3:
                    content = bytearray()
                case _:
                    for _ in range(rng.integers(1, 4)):
                        content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
            if content == contents[path]:
                continue
            path.write_bytes(content)
            with pytest.raises((StorageError, UnsupportedTypeError)) as caught:
                cache.load("k", tmp_path)
            assert str(path) in str(caught.value), (number, str(caught.value))
            assert cache.get("k")["n"].tolist() == [7]
            if number % 10 == 0:
                assert any(str(path) in problem for entry in cache.check(tmp_path) for problem in entry["problems"])
            path.write_bytes(contents[path])
        paths[-1].unlink()
        with pytest.raises(StorageError, match=paths[-1].name):
            cache.load("k", tmp_path)
        paths[-1].write_bytes(contents[paths[-1]])
        assert cache.load("k", tmp_path)
        assert len(cache.get("k")) == 1000


def test_a_file_of_another_writer_is_no_part(tmp_path, frame):
    """A forged manifest would be needed: a well-formed Parquet file in place of a part is refused by its checksum."""
    with ArrowCache(spill_to_disk=False) as cache:
        cache.put("k", frame)
        cache.persist("k", tmp_path, format="parquet")
        (part,) = tmp_path.rglob("part-*")
        size = part.stat().st_size
        table = pq.read_table(part)
        pq.write_table(table.slice(0, 10), part)
        content = part.read_bytes()
        part.write_bytes(content + b"\0" * (size - len(content)))
        with pytest.raises(StorageError, match=part.name):
            cache.load("k", tmp_path)


def test_a_signal_ends_it_between_parts(tmp_path):
    with ArrowCache(spill_to_disk=False, partition_size_rows=20_000) as cache:
        cache.put("k", pd.DataFrame({"n": [1]}))
        cache.persist("k", tmp_path, format="parquet")
        cache.put("k", pa.table({"n": np.random.default_rng(1).random(6_000_000)}))
        for call in (lambda: cache.persist("k", tmp_path, format="parquet"),):
            threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            started = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                call()
                time.sleep(60)
            assert time.monotonic() - started < 50
        assert len(files(tmp_path, "parquet")) == 1, "nothing half-written stays"
        assert cache.load("k", tmp_path) and cache.get("k")["n"].tolist() == [1]


def test_a_failing_encoder_leaves_the_version_of_before(tmp_path, frame, monkeypatch):
    from arrow_cache import parquet_parts

    with ArrowCache(spill_to_disk=False, partition_size_rows=100) as cache:
        cache.put("k", frame)
        cache.persist("k", tmp_path, format="parquet")
        before = sorted(path.name for path in tmp_path.rglob("*"))
        cache.put("k", frame.iloc[::-1])
        written = parquet_parts._written
        calls = iter(range(100))

        def fail(*arguments):
            if next(calls) == 4:
                raise RuntimeError("on purpose")
            return written(*arguments)

        monkeypatch.setattr(parquet_parts, "_written", fail)
        with pytest.raises(RuntimeError, match="on purpose"):
            cache.persist("k", tmp_path, format="parquet")
        assert sorted(path.name for path in tmp_path.rglob("*")) == before
        assert cache.load("k", tmp_path)
        assert_frame_equal(cache.get("k"), frame)
