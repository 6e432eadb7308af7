"""Parquet files and folders as a stream of batches: a file larger than memory goes in.

They come back as pandas, under the index and dtypes that pandas wrote into them; GeoParquet as a GeoDataFrame.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from ..errors import InvalidArgument, StorageError
from . import crs, facts, geo_frames, pandas_in
from .incoming import Incoming
from .lasting_memory import lasting_pool
from .locations import Location

__all__ = ["read"]

_DEFAULT_CRS = "OGC:CRS84"

#: Uncompressed bytes of row groups up to which they are read together, while the ones before are taken.
_READ_AHEAD_BYTES = 16 << 20


def read(location: Location) -> Incoming:
    """Stream Parquet files whose schemas agree; a column that a file lacks is null there."""
    paths = location.files()
    folders = [path for path in location.paths if path not in set(paths)]
    factory = ds.FileSystemDatasetFactory(
        location.filesystem,
        paths,
        ds.ParquetFileFormat(),
        ds.FileSystemFactoryOptions(
            partition_base_dir=folders[0] if len(folders) == 1 else None, partitioning=ds.HivePartitioning.discover()
        ),
    )
    try:
        schema = factory.inspect(promote_options="permissive", fragments=None)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        if isinstance(error, pa.ArrowInvalid) and "Could not read schema" in str(error):
            raise StorageError(f"{location.shown} cannot be read: {error}") from error
        raise InvalidArgument(f"the files of {location.shown} do not fit together: {error}") from error
    dataset = factory.finish(schema)
    metadata = dict(schema.metadata or {})
    metadata.pop(facts.KEY, None)
    if len(paths) > 1 and b"pandas" in metadata:
        metadata[b"pandas"] = _number_rows(schema, dataset.count_rows())
    geo = facts.json_metadata(schema, b"geo")
    if isinstance(geo.get("columns"), dict):
        return _read_geo(location, dataset, schema.with_metadata(metadata), geo)
    return Incoming(_stream(dataset, schema.with_metadata(metadata), location.is_local), "pandas", False)


def _stream(dataset: Any, schema: pa.Schema, is_local: bool) -> pa.RecordBatchReader:
    """The batches of a dataset under another schema of the same types, some row groups at a time, and the next ones ahead.

    A scanner over all of it reads ahead by up to a gigabyte where whoever takes the batches is slow.
    """
    read_bytes = 1 << (20 if is_local else 23)
    reads = ds.ParquetFragmentScanOptions(pre_buffer=False, use_buffered_stream=True, buffer_size=read_bytes)

    def read(run: Any) -> list[pa.RecordBatch]:
        scanner = run.scanner(schema=dataset.schema, fragment_scan_options=reads, memory_pool=lasting_pool())
        return [pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in scanner.to_batches() if batch.num_rows]

    return pa.RecordBatchReader.from_batches(schema, _ahead(read, _row_groups(dataset)))


def _row_groups(dataset: Any) -> Iterator[tuple[Any, int]]:
    """The files cut into runs of row groups that together are not large, or of one; with their bytes."""
    for fragment in dataset.get_fragments():
        run: list[int] = []
        run_bytes = 0
        for group in fragment.row_groups:
            if run and run_bytes + group.total_byte_size > _READ_AHEAD_BYTES:
                yield fragment.subset(row_group_ids=run), run_bytes
                run, run_bytes = [], 0
            run.append(group.id)
            run_bytes += group.total_byte_size
        if run:
            yield fragment.subset(row_group_ids=run), run_bytes


def _ahead(read: Callable[[Any], list[pa.RecordBatch]], runs: Iterator[tuple[Any, int]]) -> Iterator[pa.RecordBatch]:
    """What `read` makes of each, while the one before is taken, unless it is large."""
    with ThreadPoolExecutor(1) as pool:
        started = None
        for run, run_bytes in runs:
            before, started = started, None
            if run_bytes <= _READ_AHEAD_BYTES:
                started = pool.submit(read, run)
            if before is not None:
                yield from _taken(before.result())
            if started is None:
                yield from _taken(read(run))
        if started is not None:
            yield from _taken(started.result())


def _taken(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches, each let go of when it is asked for the next."""
    batches.reverse()
    while batches:
        yield batches.pop()


def _number_rows(schema: pa.Schema, rows: int) -> bytes:
    """pandas' metadata of several files: the RangeIndex of the first one is not that of all."""
    described = facts.json_metadata(schema, b"pandas")
    for item in described.get("index_columns", []):
        if isinstance(item, dict) and item.get("kind") == "range":
            item.update(start=0, stop=rows, step=1)
    return json.dumps(described).encode()


def _read_geo(location: Location, dataset: Any, schema: pa.Schema, geo: dict[str, Any]) -> Incoming:
    columns = {name: about for name, about in geo["columns"].items() if name in schema.names}
    if any(about.get("encoding") != "WKB" for about in columns.values()):
        gpd = geo_frames.geopandas()
        if not location.is_local or len(location.paths) > 1:
            raise InvalidArgument(
                f"{location.shown} has geometry that is not WKB: read it with geopandas and put the frame"
            )
        frame = gpd.read_parquet(location.paths[0])
        return pandas_in.from_frame(frame, kind="geopandas", geometry=frame._geometry_column_name)
    for name, about in columns.items():
        position = schema.get_field_index(name)
        definition = about.get("crs", _DEFAULT_CRS)
        text = json.dumps(definition) if isinstance(definition, dict) else definition
        field = schema.field(position)
        schema = schema.set(position, field.with_metadata({**(field.metadata or {}), **crs.field_metadata(text)}))
    return Incoming(_stream(dataset, schema, location.is_local), "geopandas", False)
