"""What a cache holds and has done, for programs (`nested_status`) and for people in notebooks (`status_html`)."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .sizes import format_bytes

#: Counters of the engine that appear under their own name.
_TOP = (
    "entry_count",
    "partition_count",
    "pinned_count",
    "current_size_bytes",
    "hits",
    "misses",
    "query_count",
    "spilled_count",
    "spilled_bytes",
    "loaded_count",
    "loaded_bytes",
    "evicted_count",
    "evicted_bytes",
    "expired_count",
    "expired_bytes",
    "lost_count",
    "refused_count",
    "wait_count",
    "wait_seconds",
    "spill_failures",
    "pending_count",
    "pending_bytes",
    "persist_failures",
    "catalog_failures",
    "uptime_seconds",
)

#: What of the engine's counters goes where: tier or part, name there, name of the engine's.
_PLACED = {
    "memory": {
        "limit_bytes": "limit_bytes",
        "threshold_bytes": "threshold_bytes",
        "memo_bytes": "memo_bytes",
        "reserved_bytes": "reserved_bytes",
        "leased_bytes": "leased_bytes",
        "results_bytes": "result_bytes",
        "peak_bytes": "high_water_bytes",
    },
    "disk": {
        "bytes": "disk_bytes",
        "file_count": "disk_file_count",
        "limit_bytes": "disk_limit_bytes",
        "peak_bytes": "disk_high_water_bytes",
        "written_bytes": "written_bytes",
        "write_seconds": "write_seconds",
    },
    "scans": {
        "partitions_read": "partitions_read",
        "partitions_skipped": "partitions_skipped",
        "blocks_read": "blocks_read",
        "blocks_skipped": "blocks_skipped",
        "rows": "rows_read",
        "memory_bytes": "memory_bytes_read",
        "disk_bytes": "disk_bytes_read",
        "rows_left_out": "rows_left_out",
        "remembered_hits": "remembered_hits",
        "remembered_bytes": "remembered_bytes",
    },
    "persisted": {"bytes": "persisted_bytes", "file_count": "persisted_file_count"},
    "query_plans": {"hits": "plan_hits"},
    "query_results": {"hits": "result_hits", "misses": "result_misses", "count": "result_count", "bytes": "kept_result_bytes"},
    "query": {"bytes": "duckdb_memory_bytes", "limit_bytes": "query_memory_limit_bytes", "disk_bytes": "query_disk_bytes"},
    "duckdb": {"version": "duckdb_version", "engine": "duckdb_engine", "memory_bytes": "duckdb_memory_bytes"},
}


def nested_status(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's counters in the documented form.

    Parameters
    ----------
    flat : mapping
        What ``_core.status`` gives. What the engine has beyond the names known here stays at the top.
    """
    lookups = flat.get("hits", 0) + flat.get("misses", 0)
    limit = flat.get("limit_bytes")
    resident = flat.get("resident_bytes", 0)
    allocated = resident + flat.get("memo_bytes", 0) + flat.get("reserved_bytes", 0)
    names = ("memory", "disk", "persisted", "scans", "query", "duckdb", "query_results", "query_plans")
    memory, disk, persisted, scans, query, duckdb, results, plans = (_part(flat, name) for name in names)
    blocks = scans["blocks_read"] + scans["blocks_skipped"]
    status: dict[str, Any] = {name: flat.get(name, 0) for name in _TOP}
    status |= {
        "max_size_bytes": limit,
        "hit_ratio": flat.get("hits", 0) / lookups if lookups else 0.0,
        "last_spill_failure": flat.get("last_spill_failure"),
        "last_persist_failure": flat.get("last_persist_failure"),
        "last_catalog_failure": flat.get("last_catalog_failure"),
        "causes": flat.get("causes", {}),
        "memory": {"allocated_bytes": allocated, "usage_ratio": allocated / limit if limit else 0.0, **memory},
        "tiers": {"memory": {"bytes": resident, "limit_bytes": limit}, "disk": disk, "persisted": persisted, "query": query},
        "scans": {**scans, "skip_rate": scans["blocks_skipped"] / blocks if blocks else 0.0},
        "query_results": results,
        "query_plans": plans,
        "duckdb": duckdb,
    }
    placed = {"resident_bytes", *(name for part in _PLACED.values() for name in part.values())}
    return status | {name: value for name, value in flat.items() if name not in status and name not in placed}


def _part(flat: Mapping[str, Any], part: str) -> dict[str, Any]:
    return {name: flat.get(of, None if name.endswith("limit_bytes") or of.startswith("duckdb") else 0) for name, of in _PLACED[part].items()}


def unavailable_html(reason: object) -> str:
    """In place of `status_html` where a cache is closed."""
    return f"<div><b>ArrowCache</b>: {escape(str(reason))}</div>"


def status_html(status: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> str:
    """Small tables: the cache in one line, a tier a line, an entry a line.

    Parameters
    ----------
    status : mapping
        As `nested_status` gives it.
    entries : list of mapping
        The metadata of the entries to show.
    """
    summary = (
        f"{status['entry_count']} entries, {format_bytes(status['current_size_bytes'])}; "
        f"{status['hits']} hits, {status['misses']} misses; DuckDB {status['duckdb']['version']}"
    )
    tiers = "".join(_tier_html(name, tier) for name, tier in _tiers(status).items())
    failure = status["last_spill_failure"]
    trouble = "" if failure is None else f"<div>{status['spill_failures']} writes failed, the last: {escape(failure)}</div>"
    rows = "".join(
        f"<tr><td>{escape(_clipped(entry['key']))}</td><td>{escape(entry['kind'])}</td><td>{entry['num_rows']:,}</td>"
        f"<td>{entry['num_columns']:,}</td><td>{format_bytes(entry['size_bytes'])}</td></tr>"
        for entry in entries
    )
    rest = status["entry_count"] - len(entries)
    more = f"<tr><td colspan=5>and {rest:,} more</td></tr>" if rest > 0 else ""
    head = "<tr><th>key</th><th>kind</th><th>rows</th><th>columns</th><th>size</th></tr>"
    return f"<div><b>ArrowCache</b>: {escape(summary)}<table>{tiers}</table>{trouble}<table>{head}{rows}{more}</table></div>"


def _tiers(status: Mapping[str, Any]) -> dict[str, tuple[int, int | None]]:
    """Bytes, and the limit where there is one."""
    tiers = status["tiers"]
    return {
        "memory": (status["memory"]["allocated_bytes"], tiers["memory"]["limit_bytes"]),
        "disk": (tiers["disk"]["bytes"] + tiers["query"]["disk_bytes"], tiers["disk"]["limit_bytes"]),
        "persisted": (tiers["persisted"]["bytes"], None),
        "queries": (tiers["query"]["bytes"] or 0, tiers["query"]["limit_bytes"]),
        "held by results": (status["memory"]["leased_bytes"], None),
    }


def _tier_html(name: str, tier: tuple[int, int | None]) -> str:
    held, limit = tier
    bar = "" if limit is None else f"<meter max={limit} value={min(held, limit)}></meter>"
    of_limit = "" if limit is None else f" of {format_bytes(limit)}"
    return f"<tr><td>{name}</td><td>{format_bytes(held)}{of_limit}</td><td>{bar}</td></tr>"


def _clipped(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
