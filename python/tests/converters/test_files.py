"""Files by path, folder, glob, list and URL: streamed, mapped, and given back as pandas."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import geopandas.testing
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
import shapely
from arrow_cache import converters
from arrow_cache.errors import InvalidArgument, StorageError, UnsupportedTypeError

from .conftest import Stored, assert_same

FRAME = pd.DataFrame(
    {
        "n": [1, 2, 3],
        "s": ["x", None, "z"],
        "c": pd.Categorical(["u", "v", "u"]),
        "i": pd.array([1, None, 3], dtype="Int64"),
    },
    index=pd.date_range("2020", periods=3, tz="UTC", name="when"),
)


def test_parquet_by_str_path_and_url(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    FRAME.to_parquet(path)
    for source in (str(path), path, path.as_uri()):
        stored = Stored(source)
        assert stored.incoming.kind == "pandas"
        pd.testing.assert_frame_equal(stored.get(), pd.read_parquet(path))
        pd.testing.assert_frame_equal(stored.get(offset=1, limit=1), pd.read_parquet(path).iloc[1:2])


def test_parquet_without_the_ending(tmp_path: Path) -> None:
    path = tmp_path / "no ending"
    FRAME.to_parquet(path)
    assert len(Stored(path).get()) == 3


def test_parquet_range_index(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    frame = pd.DataFrame({"a": [1, 2, 3]}, index=pd.RangeIndex(0, 30, 10))
    frame.to_parquet(path)
    assert_same(Stored(path).get(), frame)
    assert_same(Stored(path).get(offset=1), frame.iloc[1:])


def test_parquet_in_row_groups_is_streamed(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": range(100_000)}), path, row_group_size=10_000)
    incoming = converters.to_arrow(path)
    assert isinstance(incoming.stream, pa.RecordBatchReader)
    assert incoming.copy is False
    assert incoming.stream.read_next_batch().num_rows <= 10_000


def test_parquet_in_more_memory_than_is_held(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    with pq.ParquetWriter(path, pa.schema([("a", pa.float64())])) as writer:
        for _ in range(40):
            writer.write_table(pa.table({"a": np.random.default_rng(0).random(250_000)}))
    before = pa.total_allocated_bytes()
    peak = rows = 0
    stream = converters.to_arrow(path).stream
    assert isinstance(stream, pa.RecordBatchReader)
    for batch in stream:
        rows += batch.num_rows
        peak = max(peak, pa.total_allocated_bytes() - before)
    assert rows == 10_000_000
    assert peak < 60_000_000  # of 80 000 000 bytes in the file


def test_hive_folder(tmp_path: Path) -> None:
    table = pa.table({"a": range(6), "year": [2019, 2019, 2020, 2020, 2021, 2021], "k": list("xyxyxy")})
    ds.write_dataset(
        table,
        tmp_path / "d",
        format="parquet",
        partitioning=ds.partitioning(pa.schema([("year", pa.int32()), ("k", pa.string())]), flavor="hive"),
    )
    back = Stored(tmp_path / "d").get().sort_values("a", ignore_index=True)
    assert back["year"].tolist() == table["year"].to_pylist()
    assert back["k"].tolist() == table["k"].to_pylist()


def test_folder_glob_and_list_in_order(tmp_path: Path) -> None:
    for number in range(3):
        pd.DataFrame({"a": [number], "b": [str(number)]}).to_parquet(tmp_path / f"part-{number}.parquet")
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".hidden").write_text("x")
    for source in (tmp_path, str(tmp_path / "*.parquet"), str(tmp_path / "part-?.parquet")):
        stored = Stored(source)
        assert stored.get()["a"].tolist() == [0, 1, 2]
        assert_same(stored.get().index, pd.RangeIndex(3))
        assert_same(stored.get(offset=1).index, pd.RangeIndex(1, 3))
    assert Stored([tmp_path / "part-2.parquet", str(tmp_path / "part-0.parquet")]).get()["a"].tolist() == [2, 0]


def test_files_whose_columns_differ(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"b": ["x"], "a": pa.array([2**40])}), tmp_path / "2.parquet")
    back = Stored(tmp_path).get("arrow").to_pydict()
    assert back == {"a": [1, 2**40], "b": [None, "x"]}
    pq.write_table(pa.table({"a": [{"not": "a number"}]}), tmp_path / "3.parquet")
    with pytest.raises(InvalidArgument, match="do not fit together"):
        converters.to_arrow(tmp_path)


def test_geoparquet(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"n": [1, 2]}, geometry=gpd.points_from_xy([0, 1], [2, 3]), crs="EPSG:27700", index=[5, 6])
    frame["other"] = gpd.GeoSeries([shapely.LineString([(0, 0), (1, 1)]), None], index=frame.index)
    path = tmp_path / "x.parquet"
    frame.rename_geometry("place").to_parquet(path)
    stored = Stored(path)
    assert stored.incoming.kind == "geopandas"
    expected = gpd.read_parquet(path)
    geopandas.testing.assert_geodataframe_equal(stored.get(), expected)
    assert stored.get().active_geometry_name == "place"
    geopandas.testing.assert_geodataframe_equal(stored.get(offset=1), expected.iloc[1:])
    assert stored.table.schema.field("place").metadata[b"ARROW:extension:name"] == b"geoarrow.wkb"
    assert type(stored.get("pandas")) is pd.DataFrame


def test_geoparquet_native_encoding_and_default_crs(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=gpd.points_from_xy([0], [2]), crs="OGC:CRS84")
    frame.to_parquet(tmp_path / "native.parquet", geometry_encoding="geoarrow")
    geopandas.testing.assert_geodataframe_equal(Stored(tmp_path / "native.parquet").get(), frame)
    table = pa.table({"n": [1], "geometry": pa.array(shapely.to_wkb(frame.geometry.array), pa.binary())})
    geo = {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
    }
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), tmp_path / "bare.parquet")
    assert Stored(tmp_path / "bare.parquet").get().crs == "OGC:CRS84"


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_feather(tmp_path: Path, compression: Any) -> None:
    path = tmp_path / "x.feather"
    feather.write_feather(FRAME, str(path), compression=compression)
    stored = Stored(path)
    pd.testing.assert_frame_equal(stored.get(), FRAME, check_freq=False)


def test_ipc_files_are_mapped(tmp_path: Path) -> None:
    path = tmp_path / "x.arrow"
    table = pa.table({"a": np.arange(1_000_000)})
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=300_000)
    before = pa.total_allocated_bytes()
    stored = Stored(path)
    assert pa.total_allocated_bytes() - before < 100_000
    assert stored.get("arrow").equals(table)


def test_ipc_stream_and_several_files(tmp_path: Path) -> None:
    for number in range(2):
        with pa.ipc.new_stream(tmp_path / f"{number}.arrows", pa.schema([("a", pa.int64())])) as writer:
            writer.write_table(pa.table({"a": [number]}))
    assert Stored(tmp_path).get()["a"].tolist() == [0, 1]
    with pa.ipc.new_stream(tmp_path / "2.arrows", pa.schema([("b", pa.int64())])) as writer:
        writer.write_table(pa.table({"b": [1]}))
    with pytest.raises(InvalidArgument, match="other columns"):
        converters.to_arrow(tmp_path)


def test_ipc_facts_of_an_entry_are_not_believed(tmp_path: Path) -> None:
    table = Stored(pd.DataFrame({"a": [1, 2]}, index=[7, 8])).get("arrow").append_column("new", pa.array([5, 6]))
    feather.write_feather(table, str(tmp_path / "x.feather"))
    back = Stored(tmp_path / "x.feather").get()
    assert back["new"].tolist() == [5, 6]
    assert back.index.tolist() == [7, 8]


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a;b;"the day"\n1;x;2020-01-01\n2;"y ""z""";2020-01-02\n;;\n')
    back = Stored(path).get()
    assert back.columns.tolist() == ["a", "b", "the day"]
    assert back["a"].tolist()[:2] == [1, 2]
    assert back["b"].tolist()[1] == 'y "z"'
    assert back["the day"].tolist()[:2] == [dt.date(2020, 1, 1), dt.date(2020, 1, 2)]


def test_csv_types_beyond_the_first_block(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a\n" + "1\n" * 10_000 + "2.5\n")
    assert Stored(path).get()["a"].sum() == 10_002.5


def test_tsv_gzip_and_several(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("a\tb\n1\tx\n")
    with gzip.open(tmp_path / "y.csv.gz", "wt") as file:
        file.write("a,b\n2,y\n")
    assert Stored(tmp_path / "x.tsv").get("dict") == {"a": [1], "b": ["x"]}
    assert Stored(tmp_path / "y.csv.gz").get("dict") == {"a": [2], "b": ["y"]}
    (tmp_path / "z.csv").write_text("a,b\n3,z\n")
    assert Stored([tmp_path / "y.csv.gz", tmp_path / "z.csv"]).get("dict")["a"] == [2, 3]


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1, "b": {"c": [1, 2]}}\n{"a": 2, "b": null}\n{"a": 3}\n')
    assert Stored(path).get("dict") == {"a": [1, 2, 3], "b": [{"c": [1, 2]}, None, None]}
    (tmp_path / "y.json").write_text('[{"a": 1}, {"a": 2}]')
    assert Stored(tmp_path / "y.json").get("dict") == {"a": [1, 2]}


def test_urls_of_fsspec(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    with memory.open("/folder/x.parquet", "wb") as file:
        FRAME.to_parquet(file)
    with memory.open("/folder/x.csv", "wb") as file:
        file.write(b"a,b\n1,x\n")
    with memory.open("/folder/x.jsonl", "wb") as file:
        file.write(b'{"a": 1}\n')
    with memory.open("/folder/x.feather", "wb") as file:
        feather.write_feather(FRAME, file)
    assert len(Stored("memory://folder/x.parquet").get()) == 3
    assert len(Stored("memory://folder/*.parquet").get()) == 3
    assert Stored("memory://folder/x.csv").get("dict") == {"a": [1], "b": ["x"]}
    assert Stored("memory://folder/x.jsonl").get("dict") == {"a": [1]}
    assert len(Stored("memory://folder/x.feather").get()) == 3
    with pytest.raises(FileNotFoundError, match="no file fits"):
        converters.to_arrow("memory://folder/*.nothing")
    with pytest.raises(FileNotFoundError, match="is not there"):
        converters.to_arrow("memory://folder/none.parquet")


@pytest.mark.parametrize(
    "source", ["no such file", "no such file.parquet", "", "select 1", "./x/", "~/no such file.csv"]
)
def test_text_that_is_no_path(source: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"is no file or folder .*a str that is put is a path") as caught:
        converters.to_arrow(source)
    assert isinstance(caught.value, StorageError)


def test_glob_that_fits_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file fits"):
        converters.to_arrow(str(tmp_path / "*.parquet"))
    with pytest.raises(FileNotFoundError, match="has no files"):
        converters.to_arrow(tmp_path)


def test_formats_that_are_not_known(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"PK\x03\x04 and more")
    with pytest.raises(InvalidArgument, match=r"no known format: name it by one of \.parquet"):
        converters.to_arrow(tmp_path / "x.xlsx")
    (tmp_path / "y.csv").write_text("a\n1\n")
    FRAME.to_parquet(tmp_path / "z.parquet")
    with pytest.raises(InvalidArgument, match="several formats"):
        converters.to_arrow([tmp_path / "y.csv", tmp_path / "z.parquet"])
    with pytest.raises(InvalidArgument, match="mix paths and URLs"):
        converters.to_arrow(["memory://x.parquet", tmp_path / "z.parquet"])


@pytest.mark.parametrize("name", ["x.parquet", "x.feather", "x.arrows", "x.csv", "x.jsonl"])
def test_broken_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x00\xff{[broken" * 100)
    with pytest.raises((StorageError, InvalidArgument)) as caught:
        stream = converters.to_arrow(path).stream
        assert isinstance(stream, pa.RecordBatchReader)
        stream.read_all()
    assert name in str(caught.value)


def test_empty_files(tmp_path: Path) -> None:
    for name in ("x.parquet", "x.feather"):
        (tmp_path / name).touch()
        with pytest.raises(StorageError, match=name):
            converters.to_arrow(tmp_path / name)


def test_scheme_that_nobody_knows() -> None:
    with pytest.raises(StorageError, match="nosuch://x"):
        converters.to_arrow("nosuch://x/y.parquet")


def test_a_list_of_other_things_is_no_list_of_files() -> None:
    with pytest.raises(UnsupportedTypeError, match="list is no table"):
        converters.to_arrow(["a", 1])
