"""Time zones: the name that Arrow and SQL see, and the very object that comes back.

pandas takes zones of ``zoneinfo``, ``datetime``, ``pytz`` and ``dateutil``. Arrow knows names and whole-minute offsets
only and gives back whatever class pyarrow prefers, so the class is kept as a fact beside it.
"""

from __future__ import annotations

import datetime
import importlib
import zoneinfo
from typing import Any

from ..errors import UnsupportedTypeError

__all__ = ["arrow_name", "from_json", "to_json"]


def to_json(zone: datetime.tzinfo, where: str) -> dict[str, Any]:
    """What `from_json` needs to give ``zone`` back.

    Raises
    ------
    UnsupportedTypeError
        The zone has no name or offset by which it could be made again.
    """
    fact = _describe(zone)
    if fact is None or not _is_same(from_json(fact), zone):
        raise UnsupportedTypeError(
            f"{where} has the time zone {zone!r}, which has no name to store: "
            f"convert it first, for example with .dt.tz_convert('UTC') or to a zoneinfo.ZoneInfo"
        )
    return fact


def _is_same(made: Any, zone: Any) -> bool:
    """Whether both are one zone; pytz has an object for each offset that a zone ever had."""
    return bool(made == zone) or (type(made).__module__ == "pytz.tzfile" and made.zone == zone.zone)


def _describe(zone: datetime.tzinfo) -> dict[str, Any] | None:
    module = type(zone).__module__.partition(".")[0]
    if type(zone) is datetime.timezone:
        offset = zone.utcoffset(None)
        name = zone.tzname(None)
        default = datetime.timezone(offset).tzname(None)
        return {"fixed": offset // datetime.timedelta(microseconds=1), "name": None if name == default else name}
    if isinstance(zone, zoneinfo.ZoneInfo):
        return None if zone.key is None else {"zoneinfo": zone.key}
    if module == "pytz":
        minutes = getattr(zone, "_minutes", None)
        return {"pytz_minutes": minutes} if minutes is not None else {"pytz": getattr(zone, "zone", None)}
    if module == "dateutil":
        return _describe_dateutil(zone)
    return None


def _describe_dateutil(zone: Any) -> dict[str, Any] | None:
    name = type(zone).__name__
    if name in ("tzutc", "tzlocal"):
        return {"dateutil": name}
    if name == "tzoffset":
        offset = zone.utcoffset(None) // datetime.timedelta(microseconds=1)
        return {"dateutil": name, "offset": offset, "name": zone.tzname(None)}
    filename = str(getattr(zone, "_filename", ""))
    key = getattr(zone, "_key", None) or filename.rpartition("zoneinfo/")[2]
    return {"dateutil": "gettz", "name": key} if key else None


def from_json(fact: dict[str, Any]) -> Any:
    """The zone that `to_json` described."""
    if "fixed" in fact:
        offset = datetime.timedelta(microseconds=fact["fixed"])
        if fact["name"] is not None:
            return datetime.timezone(offset, fact["name"])
        return datetime.timezone(offset) if offset else datetime.timezone.utc
    if "zoneinfo" in fact:
        return zoneinfo.ZoneInfo(fact["zoneinfo"])
    if "dateutil" in fact:
        tz = importlib.import_module("dateutil.tz")
        if fact["dateutil"] == "tzoffset":
            return tz.tzoffset(fact["name"], datetime.timedelta(microseconds=fact["offset"]))
        return tz.gettz(fact["name"]) if fact["dateutil"] == "gettz" else getattr(tz, fact["dateutil"])()
    pytz = importlib.import_module("pytz")
    if "pytz_minutes" in fact:
        return pytz.FixedOffset(fact["pytz_minutes"])
    return pytz.timezone(fact["pytz"]) if fact["pytz"] else None


def arrow_name(fact: dict[str, Any]) -> str:
    """The zone's name in Arrow; ``"UTC"`` where Arrow has none, which leaves every instant what it is."""
    name = fact.get("zoneinfo") or fact.get("pytz") or (fact["name"] if fact.get("dateutil") == "gettz" else None)
    if name:
        return "UTC" if name.startswith(("/", "-", "+")) else str(name)
    offset = fact.get("fixed", fact.get("offset", fact.get("pytz_minutes", 0) * 60_000_000))
    minutes, rest = divmod(abs(offset), 60_000_000)
    if offset == 0 or rest or minutes >= 24 * 60:
        return "UTC"
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
