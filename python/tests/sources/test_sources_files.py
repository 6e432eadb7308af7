"""Files by `import_data`: what it adds to putting their paths."""

import json

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from arrow_cache import InvalidArgument, InvalidArgumentType, MissingFileError, StorageError

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]}, index=pd.Index([3, 5, 7], name="i"))


def test_parquet_comes_back_as_pandas(cache, tmp_path):
    path = tmp_path / "x.parquet"
    FRAME.to_parquet(path)
    for source in (path, str(path), [path], path.as_uri(), str(tmp_path / "*.parquet")):
        assert cache.import_data("x", source) == "x"
        pd.testing.assert_frame_equal(cache.get("x"), FRAME)
        about = cache.get_metadata("x")
        assert about["kind"] == "pandas"
        assert about["metadata"] == {"source": str(source) if not isinstance(source, list) else str(path), "source_type": "parquet", "import_method": "arrow"}


def test_a_folder_with_hive_partitions(cache, tmp_path):
    pq.write_to_dataset(pa.table({"a": [1, 2, 3], "year": [2020, 2021, 2021]}), tmp_path / "d", partition_cols=["year"])
    cache.import_data("d", tmp_path / "d", "parquet")
    assert cache.query("SELECT year, sum(a)::INT AS s FROM _cache_d GROUP BY year ORDER BY year")["s"].tolist() == [1, 5]


def test_other_formats(cache, tmp_path):
    feather.write_feather(pa.table({"a": [1, 2]}), tmp_path / "x.feather")
    (tmp_path / "x.csv").write_text("a;b\n1;x\n2;y\n")
    (tmp_path / "x.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    for name, form, method in (("x.feather", "ipc", "arrow"), ("x.csv", "csv", "duckdb"), ("x.jsonl", "json", "duckdb")):
        cache.import_data(name, tmp_path / name)
        assert cache.get(name)["a"].tolist() == [1, 2]
        about = cache.get_metadata(name)["metadata"]
        assert (about["source_type"], about["import_method"]) == (form, method)


def test_the_format_as_named(cache, tmp_path):
    path = tmp_path / "x.data"
    path.write_text("a|b\n1|x\n")
    with pytest.raises(InvalidArgument, match="no known format"):
        cache.import_data("x", path)
    cache.import_data("x", path, source_type="CSV")
    assert cache.get("x").to_dict("list") == {"a": [1], "b": ["x"]}
    with pytest.raises(StorageError, match="cannot be read"):
        cache.import_data("x", path, "parquet")
    assert len(cache.get("x")) == 1


def test_options_of_readers(cache, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("1;it's;007\n2;-;008\n")
    given = {"header": False, "delim": ";", "nullstr": ["-"], "names": ["a", "b", "c"], "types": {"c": "VARCHAR"}}
    cache.import_data("x", path, options={"csv_options": given})
    assert cache.get("x", "dict") == {"a": [1, 2], "b": ["it's", None], "c": ["007", "008"]}
    path = tmp_path / "y.json"
    path.write_text(json.dumps([{"a": 1, "b": {"c": 2}}]))
    cache.import_data("y", path, options={"json_options": {"columns": {"a": "DOUBLE"}}, "duckdb_config": {"threads": 1}})
    assert cache.get("y", "arrow").schema == pa.schema([("a", pa.float64())])


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"csv_option": {}}, InvalidArgument, "options: 'csv_option' is unknown for files; the nearest is 'csv_options'"),
        ({"csv_options": 1}, InvalidArgumentType, "csv_options is a mapping"),
        ({"csv_options": {"nonsense": 1}}, InvalidArgument, "nonsense"),
        ({"csv_options": {"delim = ';') --": 1}}, InvalidArgument, "no name of an option"),
        ({"csv_options": {"delim": object()}}, InvalidArgumentType, "delim is <object"),
        ({"json_options": {"lines": True}}, InvalidArgument, "json_options has no meaning for files of the format csv"),
        ({"duckdb_config": {"nonsense": 1}}, InvalidArgument, "nonsense"),
        ({"s3_options": {"region": "x"}}, InvalidArgument, "start with s3://"),
        ({"s3_options": {"regon": "x"}}, InvalidArgument, "no 'regon'; the nearest is 'region'"),
        (["csv_options"], InvalidArgumentType, "options: give a mapping"),
    ],
)
def test_wrong_options(cache, tmp_path, options, error, words):
    path = tmp_path / "x.csv"
    path.write_text("a\n1\n")
    with pytest.raises(error) as caught:
        cache.import_data("x", path, options=options)
    assert words in str(caught.value)


def test_wrong_sources(cache, tmp_path):
    path = tmp_path / "x.parquet"
    FRAME.to_parquet(path)
    with pytest.raises(MissingFileError):
        cache.import_data("x", tmp_path / "nowhere.parquet")
    with pytest.raises(InvalidArgument, match="table_name: .* is a file or folder of files, which has none; if it is a database"):
        cache.import_data("x", path, table_name="t")
    with pytest.raises(InvalidArgument, match="connection_options: "):
        cache.import_data("x", path, connection_options={"a": 1})
    with pytest.raises(InvalidArgument, match="an empty list"):
        cache.import_data("x", [])
    with pytest.raises(InvalidArgumentType, match="source: give a path"):
        cache.import_data("x", FRAME)
    with pytest.raises(InvalidArgument, match="pyiceberg"):
        cache.import_data("x", "iceberg://catalog", table_name="sales")


def test_a_file_without_rows_of_a_database(cache, tmp_path):
    path = tmp_path / "x.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(InvalidArgument, match="has no table 't', and no other"):
        cache.import_data("x", path, table_name="t")
