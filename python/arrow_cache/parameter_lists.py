"""Lists as parameters: DuckDB's lists have one element type, so what differs in width is widened and what differs in kind is refused."""

from decimal import Decimal
from typing import Any

from .errors import InvalidArgument, InvalidArgumentType

#: A value as the engine takes it: a tag and plain data; see ``_core.pyi``.
Tagged = tuple[str, Any]

NULL: Tagged = ("null", None)
_INTEGERS = {"int", "ubigint", "hugeint"}
_NUMBERS = {*_INTEGERS, "decimal", "double"}

#: Units in a day.
_MOMENTS = {"date": 1, "timestamp": 86_400_000_000, "timestamp_ns": 86_400_000_000_000}


def unified(items: list[Tagged], where: str) -> list[Tagged]:
    """The elements of a list in one common type.

    Raises
    ------
    InvalidArgumentType
        If there is none.
    InvalidArgument
        If decimals have no common width of at most 38 digits.
    """
    tags = {tag for tag, _ in items} - {"null"}
    if tags == {"list"}:
        return _unified_lists(items, where)
    if tags == {"struct"}:
        return _unified_structs(items, where)
    if len(tags) > 1 and tags <= _INTEGERS:
        return [(tag, value) if tag == "null" else ("hugeint", str(value)) for tag, value in items]
    if "decimal" in tags and tags <= _NUMBERS - {"double"}:
        return _unified_decimals(items, where)
    if len(tags) > 1 and tags <= _NUMBERS:
        return [(tag, value) if tag == "null" else ("double", _as_float(tag, value)) for tag, value in items]
    if len(tags) > 1 and tags <= _MOMENTS.keys():
        widest = max(tags, key=lambda tag: _MOMENTS[tag])
        return [(tag, value) if tag == "null" else (widest, value * (_MOMENTS[widest] // _MOMENTS[tag])) for tag, value in items]
    if len(tags) > 1:
        raise InvalidArgumentType(f"{where}: the elements of a list are of one type, not {', '.join(sorted(tags))}")
    return items


def _unified_lists(items: list[Tagged], where: str) -> list[Tagged]:
    inner = iter(unified([element for _, elements in items for element in elements or ()], where))
    return [NULL if tag == "null" else (tag, [next(inner) for _ in elements]) for tag, elements in items]


def _unified_structs(items: list[Tagged], where: str) -> list[Tagged]:
    structs = [dict(fields) for tag, fields in items if tag != "null"]
    names = list(structs[0])
    if any(set(fields) != set(names) for fields in structs):
        raise InvalidArgumentType(f"{where}: the dicts of a list have the same names, here {sorted(set().union(*structs))} do not")
    columns = [iter(unified([fields[name] for fields in structs], where)) for name in names]
    return [NULL if tag == "null" else (tag, [(name, next(column)) for name, column in zip(names, columns, strict=True)]) for tag, _ in items]


def _unified_decimals(items: list[Tagged], where: str) -> list[Tagged]:
    parts = [None if tag == "null" else value if tag == "decimal" else _as_decimal(value) for tag, value in items]
    scale = max(part[2] for part in parts if part)
    width = max(part[1] - part[2] for part in parts if part) + scale
    if width > 38:
        raise InvalidArgument(f"{where}: a common DECIMAL of these elements has {width} digits, DuckDB's at most 38; pass floats or text")
    return [NULL if part is None else ("decimal", (part[0] + "0" * (scale - part[2]), width, scale)) for part in parts]


def _as_decimal(value: int | str) -> tuple[str, int, int]:
    digits = str(value)
    return digits, len(digits.lstrip("-")), 0


def _as_float(tag: str, value: Any) -> float:
    if tag == "decimal":
        digits, _, scale = value
        return float(Decimal(digits).scaleb(-scale))
    return float(value)
