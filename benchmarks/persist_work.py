"""The table, and the formats, that `bench_persist.py` compares: how each is written so that it lasts, and how it is read."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from arrow_cache import ArrowCache

CHUNK_BYTES = 1 << 20


# --- data -----------------------------------------------------------------------------------------------------------------


def mixed_table(rows: int) -> pa.Table:
    """Whole numbers, doubles, texts that repeat and texts that hardly do, times, truth values, and nulls among them."""
    random = np.random.default_rng(7)
    few = pa.array([f"category {number}" for number in range(50)])
    many = pa.array([f"customer-{number:08d}" for number in random.permutation(max(1, rows // 4))])
    return pa.table(
        {
            "id": np.arange(rows),
            "k": random.integers(0, 1000, rows, dtype=np.int32),
            "x": pa.array(random.normal(size=rows), mask=random.random(rows) < 0.1),
            "y": random.random(rows),
            "few": few.take(pa.array(random.integers(0, len(few), rows))),
            "many": many.take(pa.array(random.integers(0, len(many), rows))),
            "at": pa.array(1_600_000_000_000_000 + 1_000_000 * np.arange(rows), pa.timestamp("us")),
            "flag": pa.array(random.random(rows) < 0.5, mask=random.random(rows) < 0.05),
        }
    ).combine_chunks()


def with_another_value(table: pa.Table) -> pa.Table:
    """The table with one number in its middle changed."""
    numbers = table["y"].to_numpy().copy()
    numbers[len(numbers) // 2] += 1.0
    return table.set_column(table.schema.get_field_index("y"), "y", pa.array(numbers))


def consume(table: pa.Table) -> int:
    """Looks at every byte, so that mapped files are read."""
    total = 0
    for column in table.columns:
        for chunk in column.chunks:
            for buffer in chunk.buffers():
                if buffer is not None and buffer.size >= 8:
                    total ^= int(np.bitwise_xor.reduce(np.frombuffer(buffer, dtype=np.uint64, count=buffer.size // 8)))
    return total


# --- writing --------------------------------------------------------------------------------------------------------------


def synchronize(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_raw(path: Path, content: bytes) -> int:
    """Writes in pieces, as any program does; returns the descriptor, for who makes it durable."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    view = memoryview(content)
    for start in range(0, len(view), CHUNK_BYTES):
        os.write(descriptor, view[start : start + CHUNK_BYTES])
    return descriptor


def settle(descriptor: int) -> None:
    os.fdatasync(descriptor)
    os.close(descriptor)


def raw_files(folder: Path, parts: list[bytes], manifest: bytes) -> None:
    """As many files and syncs as `persist` has: all parts, their names, the manifest, its name."""
    folder.mkdir()
    descriptors = [write_raw(folder / f"{index}.new", part) for index, part in enumerate(parts)]
    for descriptor in descriptors:
        settle(descriptor)
    for index in range(len(parts)):
        (folder / f"{index}.new").rename(folder / f"{index}")
    synchronize(folder)
    settle(write_raw(folder / "manifest.new", manifest))
    (folder / "manifest.new").rename(folder / "manifest")
    synchronize(folder)


def raw_file(folder: Path, parts: list[bytes]) -> None:
    folder.mkdir()
    descriptor = os.open(folder / "all", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    for part in parts:
        view = memoryview(part)
        for start in range(0, len(view), CHUNK_BYTES):
            os.write(descriptor, view[start : start + CHUNK_BYTES])
    settle(descriptor)
    synchronize(folder)


def to_file(folder: Path, name: str, write: Callable[[Path], object]) -> None:
    folder.mkdir()
    write(folder / name)
    synchronize(folder / name)
    synchronize(folder)


def to_duckdb(folder: Path, table: pa.Table) -> None:
    folder.mkdir()
    with duckdb.connect(str(folder / "t.duckdb")) as connection:
        connection.register("source", table)
        connection.execute("CREATE TABLE t AS SELECT * FROM source")
        connection.execute("CHECKPOINT")
    synchronize(folder / "t.duckdb")
    synchronize(folder)


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


# --- reading --------------------------------------------------------------------------------------------------------------


def load_ours(folder: Path, read: Callable[[ArrowCache], object]) -> Callable[[], object]:
    """Loads into a cache that is open already, and is closed later."""
    caches: list[ArrowCache] = []

    def run() -> object:
        cache = caches.pop()
        if not cache.load("t", folder):
            sys.exit(f"there is nothing to load in '{folder}'")
        result = read(cache)
        caches.append(cache)
        return result

    caches.append(ArrowCache(spill_to_disk=False))
    caches[0].query("SELECT 1")
    return run


def duckdb_read(folder: Path, sql: str) -> object:
    with duckdb.connect(str(folder / "t.duckdb"), read_only=True) as connection:
        return connection.sql(sql).to_arrow_table()


def first_row_of_parquet(path: Path) -> object:
    return next(pq.ParquetFile(path).iter_batches(batch_size=1))


def first_row_of_feather(path: Path) -> object:
    return pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0).slice(0, 1)


def readers(folders: Mapping[str, Path], does_read_all: bool) -> dict[str, Callable[[], object]]:
    """What reads the first row, or all of them, by the name of the format."""
    parquet, fast, feathers, small, database = (
        folders["Parquet, snappy"] / "t.parquet",
        folders["Parquet, zstd"] / "t.parquet",
        folders["Feather"] / "t.arrow",
        folders["Feather, lz4"] / "t.arrow",
        folders["DuckDB file"],
    )
    if does_read_all:
        return {
            "ArrowCache": load_ours(folders["ArrowCache"], lambda cache: consume(cache.get("t", target_type="arrow"))),
            "Parquet, snappy": lambda: consume(pq.read_table(parquet)),
            "Parquet, zstd": lambda: consume(pq.read_table(fast)),
            "Feather": lambda: consume(feather.read_table(feathers, memory_map=True)),
            "Feather, lz4": lambda: consume(feather.read_table(small)),
            "DuckDB file": lambda: consume(duckdb_read(database, "FROM t")),
        }
    return {
        "ArrowCache": load_ours(folders["ArrowCache"], lambda cache: cache.get("t", target_type="arrow", limit=1)),
        "ArrowCache, SQL": load_ours(folders["ArrowCache"], lambda cache: cache.query("SELECT * FROM _cache_t LIMIT 1")),
        "Parquet, snappy": lambda: first_row_of_parquet(parquet),
        "Parquet, zstd": lambda: first_row_of_parquet(fast),
        "Feather": lambda: first_row_of_feather(feathers),
        "Feather, lz4": lambda: first_row_of_feather(small),
        "DuckDB file": lambda: duckdb_read(database, "FROM t LIMIT 1"),
    }
