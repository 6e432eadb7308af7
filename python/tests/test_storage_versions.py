"""Files that every version has written open in every later one.

``python test_storage_versions.py FOLDER [FORMAT]`` writes those of the version that runs it; a folder here is never written again.
"""

import datetime as dt
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from arrow_cache import ArrowCache

#: Where geopandas is installed; the files open anywhere.
PLACES = "places"
FOLDERS = sorted((Path(__file__).parent / "storage_versions").glob("format-*"))


def _pandas():
    times = pd.date_range("2024-03-30 22:00", periods=5, freq="h", tz="Europe/Paris")
    index = pd.MultiIndex.from_arrays([["a", "a", "b", "b", "c"], times], names=["k", "t"])
    frame = pd.DataFrame(
        {
            "i": np.arange(5, dtype="int16"),
            "f": [0.5, np.nan, -0.0, np.inf, 1e300],
            "s": ["x", None, "", "é", "\U0001f980"],
            "c": pd.Categorical(["u", None, "v", "u", "v"], categories=["v", "u", "w"], ordered=True),
            "b": pd.array([True, None, False, True, None], dtype="boolean"),
            "d": pd.to_timedelta([1, 2, None, 4, 5], unit="s"),
        },
        index=index,
    )
    frame.attrs["note"] = "kept"
    return frame


MADE = {
    "pandas": _pandas,
    "Ärrow/table": lambda: pa.table(
        {
            "l": pa.array([[1, 2], None, []], pa.list_(pa.int32())),
            "s": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}]),
            "t": pa.array([dt.datetime(2024, 1, 1), None, dt.datetime(1900, 1, 1)], pa.timestamp("us")),
            "d": pa.array(["x", None, "x"]).dictionary_encode(),
        }
    ).replace_schema_metadata({"who": "me"}),
    "polars": lambda: pl.DataFrame({"a": [1, None, 3], "s": ["x", None, "long enough not to be inlined"]}),
    "empty": lambda: pd.DataFrame({"a": pd.Series([], dtype="float32")}),
}


def _places():
    geopandas = pytest.importorskip("geopandas")
    from shapely.geometry import LineString, Point

    shapes = [Point(1, 2), None, LineString([(0, 0), (3.5, -4)])]
    return geopandas.GeoDataFrame({"name": ["a", None, "c"], "geometry": shapes}, index=[7, 8, 9], crs="EPSG:3857")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_files_of_each_version_open(folder):
    with ArrowCache(spill_to_disk=False) as cache:
        assert {entry["key"] for entry in cache.check(folder)} == {*MADE, PLACES}
        assert not any(entry["problems"] for entry in cache.check(folder))
        for key, build in MADE.items():
            assert cache.load(key, folder, verify=True)
            found, expected = cache.get(key), build()
            if isinstance(expected, pd.DataFrame):
                assert_frame_equal(found, expected, check_freq=False)
                assert found.attrs == expected.attrs
            elif isinstance(expected, pa.Table):
                assert found.equals(expected, check_metadata=True)
            else:
                assert found.equals(expected)
            assert cache.get_metadata(key)["metadata"] == {"key": key}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_geometries_of_each_version_open(folder):
    with ArrowCache(spill_to_disk=False) as cache:
        assert cache.load(PLACES, folder, verify=True)
        table = cache.get(PLACES, target_type="arrow")
        assert table.num_rows == 3 and table.column("name").to_pylist() == ["a", None, "c"]
        geometry = table.schema.field("geometry")
        named = (geometry.metadata or {}).get(b"ARROW:extension:name", getattr(geometry.type, "extension_name", "").encode())
        assert named == b"geoarrow.wkb"
        expected = _places()
        found = cache.get(PLACES)
        from geopandas.testing import assert_geodataframe_equal

        assert_geodataframe_equal(found, expected)
        assert found.crs == expected.crs
        assert cache.get_metadata(PLACES)["bounds"] == {"geometry": [0.0, -4.0, 3.5, 2.0]}


def test_there_are_files_of_this_version(tmp_path, cache):
    assert FOLDERS
    cache.put("k", MADE["empty"]())
    for kind in ("arrow", "parquet"):
        cache.persist("k", tmp_path, kind)
        (manifest,) = tmp_path.rglob("manifest.json")
        version = manifest.read_text().split(",")[0].split(":")[1]
        assert any(folder.name.split("-")[1] == version and list(folder.rglob(f"*.{kind}")) for folder in FOLDERS)


if __name__ == "__main__":
    with ArrowCache(spill_to_disk=False, partition_size_rows=2) as made, ArrowCache(
        spill_to_disk=False, partition_size_rows=2, enable_compression=True, compression_type="lz4"
    ) as compressed:
        for number, (name, make) in enumerate(MADE.items()):
            writer = compressed if number % 2 else made
            writer.put(name, make(), metadata={"key": name})
            if name == "pandas":
                writer.query("SELECT count(*) FROM _cache_pandas WHERE i > 3")  # computes statistics
            writer.persist(name, sys.argv[1], *sys.argv[2:])
        made.put(PLACES, _places(), metadata={"key": PLACES})
        made.get_metadata(PLACES)
        made.persist(PLACES, sys.argv[1], *sys.argv[2:])
