"""What `get_metadata` says about an entry."""

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
    try:
        private = copy.deepcopy(dict(metadata))
    except Exception:  # what can't be copied is kept as it is
        private = dict(metadata)
    _core.set_memo(entry, _MEMO, private, 0)


def entry_facts(entry: _core.Entry) -> dict[str, Any]:
    """The facts about an entry as a dict of our own names; the user's metadata is under ``"metadata"``."""
    facts, view = _core.describe(entry), EntryView.of(entry)
    expires_at = facts["expires_at"]
    kept = _core.memo(entry, _MEMO)
    found = {
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
        "num_columns": facts["column_count"],
        "column_names": view.schema.names,
        "column_types": [str(kind) for kind in view.schema.types],
        "partition_count": facts["partition_count"],
        "index_names": list(view.index_names),
        "crs": geometry_crs(view),
        "metadata": json.loads(facts["metadata"] or "{}") if kept is None else copy.copy(kept),
    }
    return found


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
