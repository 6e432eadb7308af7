"""GeoDataFrames out of any table that has geometry: entries, query results, GeoParquet."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ..errors import InvalidArgument, UnsupportedTypeError
from . import arrow_to_pandas, crs, facts, geometry_columns, pandas_out, values

__all__ = ["from_decoded", "geometry_positions", "geopandas", "to_geo_frame"]

_WKB = ("geoarrow.wkb", "ogc.wkb")


def _extension(field: pa.Field) -> tuple[str, bytes | None]:
    """Name and metadata of a field's extension type, whether pyarrow knows it or not."""
    if isinstance(field.type, pa.BaseExtensionType):
        return field.type.extension_name, field.type.__arrow_ext_serialize__()
    metadata = field.metadata or {}
    return metadata.get(crs.EXTENSION_NAME, b"").decode(), metadata.get(crs.EXTENSION_METADATA)


def geometry_positions(schema: pa.Schema) -> list[int]:
    """The positions of the columns that hold geometry as WKB."""
    return [position for position, field in enumerate(schema) if _extension(field)[0] in _WKB]


def to_geo_frame(table: pa.Table, offset: int = 0) -> Any:
    """A GeoDataFrame of a table that has geometry columns, each with the CRS of its metadata.

    The active one is the primary column of GeoParquet's metadata, else ``geometry``, else the first.

    Raises
    ------
    InvalidArgument
        No column holds geometry.
    """
    gpd = geopandas()
    native = [field.name for field in table.schema if _extension(field)[0].startswith("geoarrow.")]
    positions = geometry_positions(table.schema)
    if len(native) > len(positions):
        return gpd.GeoDataFrame.from_arrow(table)
    if not positions:
        raise InvalidArgument(
            f"no column holds geometry (columns: {', '.join(table.column_names[:10])}): "
            f"select a GEOMETRY column, or ask for target_type='pandas'"
        )
    rest = table
    for position in positions:
        empty = pa.field(table.column_names[position], pa.null())
        rest = rest.set_column(position, empty, pa.nulls(table.num_rows))
    frame = arrow_to_pandas.to_frame(rest, offset)
    for position in positions:
        field = table.schema.field(position)
        geometries = geometry_columns.from_wkb(table.column(position))
        found = crs.from_field_metadata(_extension(field)[1])
        frame[field.name] = gpd.GeoSeries(gpd.array.from_shapely(geometries, crs=found), index=frame.index)
    names = [table.column_names[position] for position in positions]
    active = facts.json_metadata(table.schema, b"geo").get("primary_column", "geometry")
    return gpd.GeoDataFrame(frame).set_geometry(active if active in names else names[0])


def from_decoded(table: pa.Table, found: dict[str, Any], offset: int) -> Any:
    """The GeoDataFrame that was put, or what ``gdf[columns]`` gives of it: a DataFrame if no geometry is left.

    Raises
    ------
    InvalidArgument
        The entry is no GeoDataFrame, and has no geometry column.
    """
    frame = pandas_out.decode_frame(table, found, offset)
    has_geometry = any(str(dtype) == "geometry" for dtype in frame.dtypes)
    if "geometry" not in found and not has_geometry:
        raise InvalidArgument(
            f"no column holds geometry (columns: {', '.join(map(str, frame.columns[:10]))}): "
            f"put a GeoDataFrame, or ask for target_type='pandas'"
        )
    if not has_geometry and len(frame.columns) < len(found["columns"]):
        return frame
    active = values.from_json(found["geometry"]) if "geometry" in found else None
    if active is None and "geometry" not in found:
        active = next(name for name, dtype in zip(frame.columns, frame.dtypes, strict=True) if str(dtype) == "geometry")
    frame.__class__ = geopandas().GeoDataFrame
    frame._geometry_column_name = active
    return frame


def geopandas() -> Any:
    """The module GeoPandas, imported when it is needed.

    Raises
    ------
    UnsupportedTypeError
        It is not installed.
    """
    try:
        import geopandas as gpd
    except ImportError as error:
        raise UnsupportedTypeError("target_type='geopandas' needs GeoPandas: pip install 'arrow_cache[geo]'") from error
    return gpd
