"""Parquet files and folders as a stream of batches: a file larger than memory goes in.

They come back as pandas, under the index and dtypes that pandas wrote into them; GeoParquet as a GeoDataFrame.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
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
    """The batches of a dataset under another schema of the same types.

    By default Arrow reads ahead as fast as it can, which is all of the file; this holds a few batches.
    """
    read_bytes = 1 << (20 if is_local else 23)
    reads = ds.ParquetFragmentScanOptions(pre_buffer=False, use_buffered_stream=True, buffer_size=read_bytes)
    scanner = dataset.scanner(batch_readahead=2, fragment_readahead=1, fragment_scan_options=reads, memory_pool=lasting_pool())
    reader = scanner.to_reader()
    if reader.schema.equals(schema, check_metadata=True):
        return reader

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


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
