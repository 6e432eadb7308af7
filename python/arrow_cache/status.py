"""What a cache holds and has done, for programs (`nested_status`) and for people in notebooks (`status_html`)."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .sizes import format_bytes

#: Counters of the engine that appear under their own name.
_TOP = (
    "entry_count",
    "partition_count",
    "current_size_bytes",
    "hits",
    "misses",
    "query_count",
    "evicted_count",
    "evicted_bytes",
    "expired_count",
    "expired_bytes",
    "uptime_seconds",
)


def nested_status(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's counters in the documented form.

    Parameters
    ----------
    flat : mapping
        What ``_core.status`` gives. What the engine has beyond the names known here stays at the top.
    """
    lookups = flat.get("hits", 0) + flat.get("misses", 0)
    held, limit = flat.get("current_size_bytes", 0), flat.get("limit_bytes")
    allocated = held + flat.get("memo_bytes", 0)
    status: dict[str, Any] = {name: flat.get(name, 0) for name in _TOP}
    status |= {
        "max_size_bytes": limit,
        "hit_ratio": flat.get("hits", 0) / lookups if lookups else 0.0,
        "spilled_count": flat.get("spilled_count", 0),
        "spilled_bytes": flat.get("spilled_bytes", 0),
        "memory": {
            "allocated_bytes": allocated,
            "limit_bytes": limit,
            "usage_ratio": allocated / limit if limit else 0.0,
            "memo_bytes": flat.get("memo_bytes", 0),
        },
        "tiers": {
            "memory": {"bytes": held, "partition_count": flat.get("partition_count", 0)},
            "disk": {"bytes": flat.get("disk_bytes", 0), "partition_count": flat.get("disk_partition_count", 0)},
        },
        "duckdb": {
            "version": flat.get("duckdb_version"),
            "engine": flat.get("duckdb_engine"),
            "memory_bytes": flat.get("duckdb_memory_bytes", 0),
        },
    }
    placed = {"limit_bytes", "memo_bytes", "disk_bytes", "disk_partition_count", "duckdb_version", "duckdb_engine", "duckdb_memory_bytes"}
    return status | {name: value for name, value in flat.items() if name not in status and name not in placed}


def unavailable_html(reason: object) -> str:
    """In place of `status_html` where a cache is closed."""
    return f"<div><b>ArrowCache</b>: {escape(str(reason))}</div>"


def status_html(status: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> str:
    """A small table: the cache in one line, then an entry a line.

    Parameters
    ----------
    status : mapping
        As `nested_status` gives it.
    entries : list of mapping
        The metadata of the entries to show.
    """
    limit = status["memory"]["limit_bytes"]
    of_limit = f" of {format_bytes(limit)}" if limit else ""
    summary = (
        f"{status['entry_count']} entries, {format_bytes(status['current_size_bytes'])}{of_limit}; "
        f"{status['hits']} hits, {status['misses']} misses; DuckDB {status['duckdb']['version']}"
    )
    rows = "".join(
        f"<tr><td>{escape(_clipped(entry['key']))}</td><td>{escape(entry['kind'])}</td><td>{entry['num_rows']:,}</td>"
        f"<td>{entry['num_columns']:,}</td><td>{format_bytes(entry['size_bytes'])}</td></tr>"
        for entry in entries
    )
    rest = status["entry_count"] - len(entries)
    more = f"<tr><td colspan=5>and {rest:,} more</td></tr>" if rest > 0 else ""
    head = "<tr><th>key</th><th>kind</th><th>rows</th><th>columns</th><th>size</th></tr>"
    return f"<div><b>ArrowCache</b>: {escape(summary)}<table>{head}{rows}{more}</table></div>"


def _clipped(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
