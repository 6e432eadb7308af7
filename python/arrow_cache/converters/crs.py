"""Coordinate reference systems: as GeoArrow's field metadata (PROJJSON, which DuckDB reads), and exactly as they were."""

from __future__ import annotations

import functools
import json
from typing import Any

from ..errors import UnsupportedTypeError

__all__ = ["EXTENSION_METADATA", "EXTENSION_NAME", "field_metadata", "from_fact", "from_field_metadata", "to_fact"]

EXTENSION_NAME = b"ARROW:extension:name"
EXTENSION_METADATA = b"ARROW:extension:metadata"


@functools.lru_cache(maxsize=64)
def _projjson(definition: str) -> str:
    from pyproj import CRS

    return str(CRS.from_user_input(definition).to_json())


@functools.lru_cache(maxsize=64)
def _make(definition: str) -> Any:
    from pyproj import CRS

    return CRS.from_user_input(definition)


def field_metadata(definition: str | None) -> dict[bytes, bytes]:
    """Metadata that makes a binary field a ``geoarrow.wkb`` one, with the CRS of `to_fact` if there is one."""
    content: dict[str, Any] = {}
    if definition is not None:
        content = {"crs": json.loads(_projjson(definition)), "crs_type": "projjson"}
    return {EXTENSION_NAME: b"geoarrow.wkb", EXTENSION_METADATA: json.dumps(content).encode()}


def to_fact(crs: Any, where: str) -> str | None:
    """The definition from which the same CRS is made again: its own text, else WKT 2.

    Raises
    ------
    UnsupportedTypeError
        Neither gives an equal CRS.
    """
    if crs is None:
        return None
    for definition in (crs.srs, crs.to_wkt()):
        if definition and _make(definition) == crs:
            return str(definition)
    raise UnsupportedTypeError(
        f"{where} has the CRS {crs.name!r}, which its own definition does not give back: "
        f"set one that PROJ knows, for example gdf.set_crs('EPSG:4326', allow_override=True)"
    )


def from_fact(definition: str | None) -> Any:
    """The CRS of a definition."""
    return None if definition is None else _make(definition)


def from_field_metadata(metadata: bytes | None) -> Any:
    """The CRS in the metadata of a GeoArrow field: PROJJSON, WKT or an authority's code; None where there is none."""
    content = json.loads(metadata) if metadata else {}
    definition = content.get("crs") if isinstance(content, dict) else None
    if definition is None:
        return None
    return _make(json.dumps(definition) if isinstance(definition, dict) else str(definition))
