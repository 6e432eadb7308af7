"""Arrow files of the engine as pyarrow, Polars and DuckDB read them, and theirs as the engine does."""

from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.ipc
import pytest
from ipc_columns import ROWS, all_columns, all_types
from ipc_tool import Tool, ToolError

CODECS = ("uncompressed", "lz4", "zstd")
SLICES = ((0, ROWS), (0, 0), (1, 100), (3, 200), (8, 64), (13, 1), (64, 139), (7, 8), (202, 1), (5, 150))
TABLE = all_types()
COLUMNS = tuple(all_columns())


def write(path: Path, table: pa.Table, codec: str = "uncompressed", **options: Any) -> None:
    """Writes a file as pyarrow does."""
    settings = pa.ipc.IpcWriteOptions(compression=None if codec == "uncompressed" else codec, **options)
    with pa.ipc.new_file(path, table.schema, options=settings) as writer:
        writer.write_table(table)


def read(path: Path) -> pa.Table:
    """Reads a file as pyarrow does, mapped."""
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def assert_same(wanted: pa.Table, found: pa.Table) -> None:
    assert found.schema.equals(wanted.schema, check_metadata=True)
    found.validate(full=True)
    for name in wanted.column_names:
        assert found[name].equals(wanted[name]) or found[name].to_pylist() == wanted[name].to_pylist(), name


@pytest.mark.parametrize("name", COLUMNS)
def test_every_type_goes_both_ways_sliced_and_compressed(name: str, tool: Tool, tmp_path: Path) -> None:
    column = TABLE.select([name])
    for read_codec, write_codec in zip(CODECS, CODECS[1:] + CODECS[:1], strict=True):
        source = tmp_path / f"{read_codec}.arrow"
        write(source, column, read_codec)
        for offset, count in SLICES:
            target = tmp_path / f"{write_codec}-{offset}-{count}.arrow"
            tool.run("copy", source, target, compression=write_codec, offset=offset, count=count, threads=1 + offset % 2)
            assert_same(column.slice(offset, count), read(target))
            tool.run("verify", target)
            again = tmp_path / f"again-{write_codec}-{offset}-{count}.arrow"
            tool.run("copy", target, again, trust=("sealed", "checksums", "structure")[offset % 3])
            assert_same(column.slice(offset, count), read(again))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("rows", [1, 29, 64, ROWS])
def test_all_types_in_one_file_of_many_batches(codec: str, rows: int, tool: Tool, tmp_path: Path) -> None:
    batches = TABLE.combine_chunks().to_batches(max_chunksize=rows)
    write(tmp_path / "in.arrow", pa.Table.from_batches(batches), codec)
    for merges in ("yes", "no"):
        facts = tool.run("copy", tmp_path / "in.arrow", tmp_path / f"{merges}.arrow", compression=codec, threads=2, merges=merges)
        assert facts["batches"] == ("1" if merges == "yes" else str(len(batches)))
        assert_same(TABLE, read(tmp_path / f"{merges}.arrow"))


def test_columns_are_read_by_themselves(tool: Tool, tmp_path: Path) -> None:
    write(tmp_path / "in.arrow", TABLE, "zstd")
    for chosen in ([0], [70, 3], list(range(0, len(COLUMNS), 3))):
        target = tmp_path / f"{len(chosen)}.arrow"
        tool.run("copy", tmp_path / "in.arrow", target, columns=",".join(map(str, chosen)))
        assert_same(TABLE.select(chosen), read(target))


def doubled(column: pa.DictionaryArray) -> int:
    """How many values of a dictionary are there before."""
    values = column.dictionary.to_pylist()
    return len(values) - len({repr(value) for value in values})


@pytest.mark.parametrize("kind", ["dictionary_int8", "dictionary_uint64", "dictionary_struct", "dictionary_nested", "list_dictionary"])
def test_dictionaries_that_differ_come_to_be_one(kind: str, tool: Tool, tmp_path: Path) -> None:
    column = all_columns()[kind]
    words = pa.array(["zz", None, "k3", "zz", "k1"]).dictionary_encode()
    others = {
        "dictionary_int8": words.cast(pa.dictionary(pa.int8(), pa.string())),
        "dictionary_uint64": words.cast(pa.dictionary(pa.uint64(), pa.string())),
        "dictionary_struct": pa.DictionaryArray.from_arrays(
            pa.array([0, None, 2, 1], pa.int8()), pa.array([{"a": 3, "b": "x"}, {"a": 1, "b": "x"}, None])
        ),
        "dictionary_nested": pa.DictionaryArray.from_arrays(
            pa.array([1, 0, None], pa.int8()),
            pa.StructArray.from_arrays([pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.int8()), pa.array(["q", "new"]))], ["i"]),
        ),
        "list_dictionary": pa.ListArray.from_arrays([0, 2, 5], words),
    }
    parts = [pa.table({"c": part}) for part in (column, others[kind], column.slice(7, 50), others[kind].slice(1))]
    paths = [tmp_path / f"{index}.arrow" for index in range(len(parts))]
    for part, path in zip(parts, paths, strict=True):
        write(path, part)
    wanted = [value for part in parts for value in part["c"].to_pylist()]
    for merges in ("yes", "no"):
        target = tmp_path / f"{merges}.arrow"
        tool.run("copy", *paths, target, merges=merges)
        found = read(target)
        found.validate(full=True)
        assert found.schema.equals(parts[0].schema)
        assert found["c"].to_pylist() == wanted
        if isinstance(found["c"].type, pa.DictionaryType):
            assert doubled(found["c"].chunk(0)) == doubled(parts[0]["c"].chunk(0))


def test_too_many_dictionary_values_for_the_indices_are_refused(tool: Tool, tmp_path: Path) -> None:
    paths = []
    for part in range(2):
        values = pa.array([f"{part}-{number}" for number in range(100)])
        column = pa.DictionaryArray.from_arrays(pa.array(range(100), pa.int8()), values)
        paths.append(tmp_path / f"{part}.arrow")
        write(paths[-1], pa.table({"c": column}))
    with pytest.raises(ToolError, match=r"column 'c' .* 200 values together, and its indices reach 128: "):
        tool.run("copy", *paths, tmp_path / "out.arrow")
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("name", COLUMNS)
def test_polars_reads_what_it_reads_of_pyarrow(name: str, codec: str, tool: Tool, tmp_path: Path) -> None:
    column = TABLE.select([name]).slice(5, 150)
    write(tmp_path / "pyarrow.arrow", column, codec)
    write(tmp_path / "in.arrow", TABLE.select([name]))
    tool.run("copy", tmp_path / "in.arrow", tmp_path / "own.arrow", compression=codec, offset=5, count=150)
    try:
        wanted = pl.read_ipc(tmp_path / "pyarrow.arrow", memory_map=False)
    except BaseException as problem:  # Polars panics for types that it does not know, which is no Exception
        with pytest.raises(type(problem)):
            pl.read_ipc(tmp_path / "own.arrow", memory_map=False)
        return
    found = pl.read_ipc(tmp_path / "own.arrow", memory_map=False)
    assert found.schema == wanted.schema
    assert found.to_dicts() == wanted.to_dicts()


def duckdb_rows(path: Path) -> Any:
    """What DuckDB makes of a file; its words where it refuses."""
    with pa.memory_map(str(path)) as source, duckdb.connect() as connection:
        rows = pa.ipc.open_file(source).read_all().to_reader()
        try:
            return connection.sql("SELECT * FROM rows").fetchall()
        except (duckdb.Error, pa.ArrowException) as problem:
            return type(problem)


@pytest.mark.parametrize("name", COLUMNS)
def test_duckdb_reads_what_it_reads_of_pyarrow(name: str, tool: Tool, tmp_path: Path) -> None:
    write(tmp_path / "in.arrow", TABLE.select([name]))
    write(tmp_path / "pyarrow.arrow", TABLE.select([name]).slice(5, 150))
    tool.run("copy", tmp_path / "in.arrow", tmp_path / "own.arrow", offset=5, count=150)
    assert duckdb_rows(tmp_path / "own.arrow") == duckdb_rows(tmp_path / "pyarrow.arrow")


@pytest.mark.parametrize("codec", CODECS)
def test_files_of_polars_are_read(codec: Any, tool: Tool, tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"n": [1, 2, None], "s": ["x", None, "a long text beyond twelve bytes"], "l": [[1], None, []], "c": ["a", "b", "a"]}
    ).with_columns(pl.col("c").cast(pl.Categorical))
    frame.write_ipc(tmp_path / "in.arrow", compression=codec)
    tool.run("copy", tmp_path / "in.arrow", tmp_path / "out.arrow")
    assert pl.from_arrow(read(tmp_path / "out.arrow")).to_dicts() == frame.to_dicts()


@pytest.mark.parametrize("options", [{"metadata_version": pa.ipc.MetadataVersion.V4}, {"use_legacy_format": True}, {"allow_64bit": True}])
def test_older_variants_are_read(options: dict[str, Any], tool: Tool, tmp_path: Path) -> None:
    table = TABLE.select([name for name in COLUMNS if "union" not in name and "runs" not in name])
    write(tmp_path / "in.arrow", table, **options)
    tool.run("copy", tmp_path / "in.arrow", tmp_path / "out.arrow")
    assert_same(table, read(tmp_path / "out.arrow"))


@pytest.mark.parametrize("name", ["sparse_union", "dense_union", "runs_int32"])
def test_layouts_from_before_arrow_1_are_refused(name: str, tool: Tool, tmp_path: Path) -> None:
    write(tmp_path / "in.arrow", TABLE.select([name]), metadata_version=pa.ipc.MetadataVersion.V4)
    with pytest.raises(ToolError, match="as Arrow laid them out before 1.0, or is older still: write it anew"):
        tool.run("read", tmp_path / "in.arrow")


def test_dictionaries_in_parts_are_refused(tool: Tool, tmp_path: Path) -> None:
    settings = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    parts = [pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), pa.array(["a", "b", "c"][:size])) for size in (2, 3)]
    schema = pa.schema([("c", parts[0].type)])
    with pa.ipc.new_file(tmp_path / "in.arrow", schema, options=settings) as writer:
        for part in parts:
            writer.write_batch(pa.record_batch([part], schema=schema))
    with pytest.raises(ToolError, match=r"dictionary 0 comes in several parts: .* unify_dictionaries"):
        tool.run("read", tmp_path / "in.arrow")


@pytest.mark.parametrize("content", [b"", b"ARROW1", b"PAR1" * 20, b"ARROW1\0\0" + b"\xff" * 100, b"ARROW1" * 10])
def test_what_is_no_arrow_file_is_refused(content: bytes, tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "in.arrow").write_bytes(content)
    with pytest.raises(ToolError, match="cannot read '.*in.arrow': it"):
        tool.run("read", tmp_path / "in.arrow")


def test_schema_comes_first_for_readers_of_streams(tool: Tool, tmp_path: Path) -> None:
    """What follows the first eight bytes is a stream, as the format asks."""
    write(tmp_path / "in.arrow", TABLE)
    tool.run("copy", tmp_path / "in.arrow", tmp_path / "out.arrow")
    stream = (tmp_path / "out.arrow").read_bytes()[8:]
    assert_same(TABLE, pa.ipc.open_stream(stream).read_all())
