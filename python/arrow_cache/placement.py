"""Where the rows of an entry are, and how they came there: what `ArrowCache.explain_entry` returns."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from .sizes import format_bytes

if TYPE_CHECKING:
    import pandas as pd

#: Rows of a table that people read.
_SHOWN = 30
_HEADER = ("partition", "rows", "size", "tier", "since", "why", "moves")


@dataclass(frozen=True, slots=True)
class Partition:
    """A run of rows of an entry and its place.

    Attributes
    ----------
    partition : int
        Its number, from 0.
    first_row, num_rows : int
        Which rows.
    size_bytes : int
        What they take in memory, or would take.
    segment : int
        The number of the segment that it lies in: what moves together.
    tier : str
        ``"memory"``, ``"disk"``, or ``"memory+disk"`` where a copy in a file was kept.
    since : datetime.datetime
        Since when it is there, in UTC.
    cause : str
        Why it moved there; ``"put"`` where it never moved.
    moves : int
        How often it has moved.
    """

    partition: int
    first_row: int
    num_rows: int
    size_bytes: int
    segment: int
    tier: str
    since: datetime.datetime
    cause: str
    moves: int


@dataclass(frozen=True, slots=True)
class EntryPlacement:
    """Where an entry's rows are, partition by partition. Printed, it is a table; so it is in a notebook.

    Attributes
    ----------
    key : str
        Of the entry.
    version : int
        Which version of it.
    num_rows, size_bytes : int
        Of all of it, in memory if it were there.
    memory_bytes, disk_bytes : int
        What of it is in memory, and in files.
    pinned : bool
        Whether it stays where it is.
    partitions : list of Partition
        In the order of the rows.
    """

    key: str
    version: int
    num_rows: int
    size_bytes: int
    memory_bytes: int
    disk_bytes: int
    pinned: bool
    partitions: Sequence[Partition]

    def to_pandas(self) -> pd.DataFrame:
        """The partitions as a frame, a row each."""
        import pandas as pd

        names = list(Partition.__dataclass_fields__)
        columns = {name: [getattr(partition, name) for partition in self.partitions] for name in names}
        frame = pd.DataFrame(columns)
        return frame.astype({"since": "datetime64[us, UTC]"})

    def __str__(self) -> str:
        rows = [_HEADER, *map(_texts, self.partitions[:_SHOWN])]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
        lines = ["  ".join(text.rjust(width) if column < 3 else text.ljust(width) for column, (text, width) in enumerate(zip(row, widths))) for row in rows]
        return "\n".join([self._summary(), *("  " + line.rstrip() for line in lines), *self._rest()])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in _HEADER)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in _texts(partition)) + "</tr>" for partition in self.partitions[:_SHOWN]
        )
        more = "".join(f"<tr><td colspan={len(_HEADER)}>{escape(text.strip())}</td></tr>" for text in self._rest())
        return f"<div><b>{escape(self._summary())}</b><table><tr>{head}</tr>{rows}{more}</table></div>"

    def _summary(self) -> str:
        pinned = ", pinned" if self.pinned else ""
        return (
            f"{self.key!r}, version {self.version}: {self.num_rows:,} rows, {format_bytes(self.size_bytes)}; "
            f"{format_bytes(self.memory_bytes)} in memory, {format_bytes(self.disk_bytes)} on disk{pinned}"
        )

    def _rest(self) -> list[str]:
        rest = len(self.partitions) - _SHOWN
        return [f"  and {rest:,} more (to_pandas() has all)"] if rest > 0 else []


def _texts(partition: Partition) -> tuple[str, ...]:
    return (
        str(partition.partition),
        f"{partition.num_rows:,}",
        format_bytes(partition.size_bytes),
        partition.tier,
        f"{partition.since:%Y-%m-%d %H:%M:%S}",
        partition.cause,
        str(partition.moves),
    )


def placement_of(found: Mapping[str, Any]) -> EntryPlacement:
    """From what ``_core.placement`` gives."""
    names = ("key", "version", "num_rows", "size_bytes", "memory_bytes", "disk_bytes", "pinned")
    partitions = [
        Partition(**{**facts, "since": datetime.datetime.fromtimestamp(facts["since"], datetime.UTC)}) for facts in found["partitions"]
    ]
    return EntryPlacement(**{name: found[name] for name in names}, partitions=partitions)
