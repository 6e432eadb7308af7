"""Geometry columns: ISO WKB under the extension name ``geoarrow.wkb``, which DuckDB reads as GEOMETRY.

WKB cannot say all that GEOS can: a LinearRing becomes a LineString, a point at NaN becomes an empty one. Which rows
those are is kept beside the column.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from ..errors import UnsupportedTypeError
from . import crs, row_codes
from .deferred import BLOCK_ROWS, Deferred
from .encoded import Encoded
from .lasting_memory import lasting_pool

__all__ = ["decode", "encode", "from_wkb"]

_RING, _POINT, _COLLECTION = 2, 0, 7
_AS_RING, _AS_NAN_POINT = 1, 2


def encode(values: Any, where: str, *, deferring: bool = False) -> Encoded:
    """Turn a ``GeometryArray`` of GeoPandas into WKB."""
    import shapely

    geometries = np.asarray(values, dtype=object)
    fact: dict[str, Any] = {"as": "geometry", "crs": crs.to_fact(values.crs, where)}
    types = shapely.get_type_id(geometries)
    codes = np.where(types == _RING, _AS_RING, 0)
    points = np.flatnonzero((types == _POINT) & ~shapely.is_empty(geometries))
    codes[points[np.isnan(shapely.get_x(geometries[points]))]] = _AS_NAN_POINT
    if codes.any():
        fact["codes"] = row_codes.pack(codes)
    doubtful = (codes == _AS_NAN_POINT) | (types == _COLLECTION)
    _check(geometries[doubtful], codes[doubtful], where)
    fact.update(_uniform(geometries, where))
    array = _deferred(geometries) if deferring else pa.array(_wkb(geometries), pa.binary(), memory_pool=lasting_pool())
    return Encoded(array, fact, metadata=crs.field_metadata(fact["crs"]))


def _wkb(geometries: Any) -> Any:
    import shapely

    return shapely.to_wkb(geometries, flavor="iso")


def _deferred(geometries: Any) -> Deferred:
    import shapely

    def make(rows: slice) -> pa.Array:
        return pa.array(_wkb(geometries[rows]), pa.binary(), memory_pool=lasting_pool())

    # WKB has 16 or 24 bytes a coordinate, and a few around them; while it is made, once more.
    coordinates = shapely.get_num_coordinates(geometries)
    starts = np.arange(0, len(geometries), BLOCK_ROWS)
    block_bytes = np.add.reduceat(coordinates * 24 + 50, starts) if len(starts) else np.zeros(0, dtype=np.int64)
    return Deferred(len(geometries), pa.binary(), make, block_bytes, shapely.is_missing(geometries))


def _check(geometries: Any, codes: Any, where: str) -> None:
    """Refuse what does not come back: a ring inside a collection, a point of which only one coordinate is NaN."""
    import shapely

    back = _restore(shapely.from_wkb(_wkb(geometries)), codes)
    wrong = np.flatnonzero(shapely.to_wkt(back) != shapely.to_wkt(geometries))
    if len(wrong):
        raise UnsupportedTypeError(
            f"{where} holds {shapely.to_wkt(geometries[wrong[0]])}, which WKB cannot hold: "
            f"replace linear rings inside collections by line strings, and points with a NaN coordinate by POINT EMPTY"
        )


def _uniform(geometries: Any, where: str) -> dict[str, Any]:
    """What GEOS keeps at each geometry and WKB does not: SRID and precision grid, if they are the same everywhere."""
    import shapely

    present = geometries[~shapely.is_missing(geometries)]
    facts: dict[str, Any] = {}
    for name, read in (("srid", shapely.get_srid), ("grid", shapely.get_precision)):
        found = np.unique(read(present))
        if len(found) > 1:
            raise UnsupportedTypeError(
                f"{where} mixes geometries of different {name}: {found[:3].tolist()}; "
                f"make them the same with shapely.{'set_srid' if name == 'srid' else 'set_precision'}"
            )
        if len(found) and found[0]:
            facts[name] = found[0].item()
    return facts


def _restore(geometries: Any, codes: Any) -> Any:
    import shapely

    for row in np.flatnonzero(codes):
        if codes[row] == _AS_RING:
            coordinates = shapely.get_coordinates(geometries[row], include_z=bool(shapely.has_z(geometries[row])))
            geometries[row] = shapely.linearrings(coordinates) if len(coordinates) else shapely.LinearRing()
        else:
            geometries[row] = shapely.Point([np.nan] * (3 if shapely.has_z(geometries[row]) else 2))
    return geometries


def from_wkb(column: pa.ChunkedArray) -> Any:
    """Shapely geometries of a WKB column, also one whose extension type is registered with pyarrow."""
    import shapely

    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    return shapely.from_wkb(column.to_numpy(zero_copy_only=False))


def decode(column: pa.ChunkedArray, fact: dict[str, Any], offset: int) -> Any:
    """The ``GeometryArray`` that `encode` got."""
    import shapely
    from geopandas.array import from_shapely

    geometries = from_wkb(column)
    if "codes" in fact:
        geometries = _restore(geometries, row_codes.unpack(fact["codes"], offset, len(column)))
    if "grid" in fact:
        geometries = shapely.set_precision(geometries, fact["grid"], mode="pointwise")
    if "srid" in fact:
        geometries = shapely.set_srid(geometries, fact["srid"])
    return from_shapely(geometries, crs=crs.from_fact(fact["crs"]))
