"""Entries that stay while they are worked with: `pin`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from . import _core
from .arguments import checked_key
from .errors import ClosedError, ForkError, KeyNotFound


class Pinning:
    """What a cache does to keep an entry where it is."""

    _handle: _core.Cache

    @contextlib.contextmanager
    def pin(self, key: str) -> Iterator[None]:
        """Keep an entry from being evicted inside a ``with`` block.

        A pin holds for the key: another version that is put meanwhile is pinned too. `remove`, `clear` and a time to live that is
        over still end an entry. Pins of one key count; the last one that ends lets go. What is pinned counts against
        ``memory_limit``, so that a `put` for which nothing else is left to evict fails.

        Parameters
        ----------
        key : str
            The key.

        Raises
        ------
        KeyNotFound
            If there is no entry under the key when the block is entered.

        Examples
        --------
        >>> with cache.pin("numbers"):
        ...     frame = cache.get("numbers")
        """
        if not _core.pin(self._handle, checked_key(key)):
            raise KeyNotFound(f"there is no entry {key!r} to pin")
        try:
            yield
        finally:
            with contextlib.suppress(ClosedError, ForkError):  # no entry is left to let go
                _core.unpin(self._handle, key)
