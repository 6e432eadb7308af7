"""Amounts of memory: bytes from text, shares of the machine, and text from bytes."""

import os
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

#: Bytes of a unit: decimal prefixes as on a disk, binary ones with an ``i``, as DuckDB reads them.
UNIT_BYTES = {
    "": 1,
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgtp", start=1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgtp", start=1)},
}
_SIZE = re.compile(r"\s*([0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?|\.[0-9]+)\s*([kmgtp]?i?b?)\s*", re.IGNORECASE)


def parse_bytes(text: str) -> int:
    """Bytes that a text such as ``"4GB"``, ``"512 MiB"`` or ``"1.5 gb"`` stands for.

    Parameters
    ----------
    text : str
        A number and a unit: B, kB, MB, GB, TB, PB (powers of 1000) or KiB, MiB, GiB, TiB, PiB (powers of 1024). A unit without
        its B (``"4G"``) is read as with it; no unit means bytes. Case does not matter.

    Raises
    ------
    ValueError
        If the text is not of that form.

    Examples
    --------
    >>> parse_bytes("1.5 GB")
    1500000000
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size")
    number, unit = match[1].replace("_", ""), match[2].lower()
    if unit and not unit.endswith("b"):
        unit += "b"
    if unit not in UNIT_BYTES:
        raise ValueError(f"{text!r} is not a size")
    return int(Decimal(number) * UNIT_BYTES[unit])


def format_bytes(count: int) -> str:
    """A number of bytes for people.

    Examples
    --------
    >>> format_bytes(1536)
    '1.5 KiB'
    """
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(amount) < 1024:
            return f"{int(amount)} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} PiB"


def machine_bytes(root: str = "/") -> int:
    """Memory in bytes that this process may use at most: the machine's, or its container's where that is less.

    Parameters
    ----------
    root : str, default "/"
        Where ``proc`` and ``sys`` are.
    """
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in _cgroup_files(Path(root)):
        try:
            limits.append(int(file.read_text()))  # "max" where nothing is set
        except (OSError, ValueError):
            continue
    return min(limit for limit in limits if limit > 0)


def _cgroup_files(root: Path) -> Iterator[Path]:
    """Every file that can hold a memory limit for this process: of its own control group and of those above it."""
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for group in groups:
        _, _, rest = group.partition(":")
        controllers, found, path = rest.partition(":")
        if not found or (controllers and "memory" not in controllers.split(",")):
            continue
        top = root / ("sys/fs/cgroup/memory" if controllers else "sys/fs/cgroup")
        # memory.high does not kill, but what is above it is slowed down to a crawl.
        names = ("memory.limit_in_bytes",) if controllers else ("memory.max", "memory.high")
        folder = top / path.lstrip("/")
        while folder.is_relative_to(top):
            for name in names:
                yield folder / name
            folder = folder.parent
