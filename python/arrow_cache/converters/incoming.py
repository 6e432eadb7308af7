"""What `to_arrow` hands to the engine."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Incoming"]


@dataclass(frozen=True, slots=True)
class Incoming:
    """Data on its way in.

    Attributes
    ----------
    stream : object
        An ``arrow_array_stream`` capsule, or an object with ``__arrow_c_stream__``.
    kind : str
        What was put: decides what ``get`` gives back.
    copy : bool or list of int
        Columns whose buffers may be memory that the caller can still write to: the engine copies them.
    """

    stream: object
    kind: str
    copy: bool | list[int]
