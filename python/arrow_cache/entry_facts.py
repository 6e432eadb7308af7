"""What `get_metadata` says about an entry."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Mapping
from typing import Any

from . import _core
from .entry_view import EntryView

_MEMO = "metadata"


def keep_metadata(entry: _core.Entry, metadata: Mapping[str, Any]) -> None:
    """Keep metadata beside the entry that its JSON text does not hold as it is."""
    _core.set_memo(entry, _MEMO, _private(metadata), None)


def _private(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """A copy, deep wherever that can be had."""
    return {name: _copied(value) for name, value in metadata.items()}


def _copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:  # whatever a class of the caller's raises: what can't be copied is kept as it is
        return value


def entry_facts(entry: _core.Entry) -> dict[str, Any]:
    """The facts about an entry as a dict of our own names; the user's metadata is under ``"metadata"``."""
    facts, view = _core.describe(entry), EntryView.of(entry)
    expires_at = facts["expires_at"]
    kept = _core.memo(entry, _MEMO)
    index_names = view.index_names()
    columns = [field for field in view.schema if field.name not in index_names]
    crs = geometry_crs(view)
    return {
        "key": facts["key"],
        "kind": facts["kind"],
        "version": facts["version"],
        "created_at": facts["created_at"],
        "last_accessed_at": facts["last_accessed_at"],
        "access_count": facts["access_count"],
        "expires_at": expires_at,
        "ttl": None if expires_at is None else max(0.0, expires_at - time.time()),
        "size_bytes": facts["size_bytes"],
        "num_rows": facts["row_count"],
        "num_columns": len(columns),
        "column_names": [field.name for field in columns],
        "column_types": [str(field.type) for field in columns],
        "partition_count": facts["partition_count"],
        "index_names": index_names,
        "crs": crs,
        "bounds": {name: _bounds(entry, view, name) for name in crs},
        "metadata": json.loads(facts["metadata"] or "{}") if kept is None else _private(kept),
    }


def _bounds(entry: _core.Entry, view: EntryView, name: str) -> list[float] | None:
    """What ``GeoSeries.total_bounds`` gives for a geometry column, None where nothing has a place."""
    box = _core.bounding_box(entry, view.schema.get_field_index(name))
    return None if box is None else [box["minx"], box["miny"], box["maxx"], box["maxy"]]


def geometry_crs(view: EntryView) -> dict[str, Any]:
    """The CRS of each geometry column, as GeoArrow's metadata has it (PROJJSON, a text, or None)."""
    found: dict[str, Any] = {}
    for field in view.schema:
        about = field.metadata or {}
        name = about.get(b"ARROW:extension:name", b"")
        if name.startswith(b"geoarrow.") or name == b"ogc.wkb":
            try:
                found[field.name] = json.loads(about.get(b"ARROW:extension:metadata") or b"{}").get("crs")
            except (ValueError, AttributeError):
                found[field.name] = None
    return found
