"""Entries that are built when they are missing: `get_or_put` and the decorator `memoize`, one builder at a time for a key."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, overload

from . import _core
from .arguments import checked_key, checked_ttl
from .config import ArrowCacheConfig
from .errors import InvalidArgumentType, ReadOnlyError
from .memoize import Memoized, memoized
from .single_flight import SingleFlight

P = ParamSpec("P")
R = TypeVar("R")


class Building:
    """What a cache does for results that cost something to make."""

    _handle: _core.Cache
    _config: ArrowCacheConfig

    def __init__(self) -> None:
        self._flights: SingleFlight[_core.Entry] = SingleFlight()

    @abstractmethod
    def remove(self, key: str) -> bool: ...

    @abstractmethod
    def _store(self, key: str, data: object, *, ttl: float | None, build_seconds: float | None) -> _core.Entry: ...

    @abstractmethod
    def _whole(self, entry: _core.Entry) -> Any: ...

    def get_or_put(self, key: str, build: Callable[[], Any], *, ttl: float | None = None) -> Any:
        """The entry under a key, built and kept first if it is not there.

        However many threads ask at once, one builds and the others wait for it. How long that took is kept with the entry: the
        eviction policy ``"gdsf"`` goes by it.

        Parameters
        ----------
        key : str
            The key.
        build : callable
            Makes the table, without arguments.
        ttl : float or datetime.timedelta, optional
            Seconds until what was built expires. Default: never.

        Returns
        -------
        object
            What ``get(key)`` gives, also to the caller that built it.

        Raises
        ------
        Exception
            What `build` raises, in every thread that waits for it. It is not kept: the next call builds again.
        InvalidArgument
            If the build of a key asks for that key itself.

        Examples
        --------
        >>> frame = cache.get_or_put("slow", lambda: pd.DataFrame({"a": range(3)}), ttl=60)
        """
        key, seconds = checked_key(key), checked_ttl(ttl)
        if not callable(build):
            raise InvalidArgumentType(f"build: give a function without arguments that makes the table, not {type(build).__name__}")
        entry = _core.lookup(self._handle, key)
        if entry is None:
            if self._config.read_only:
                raise ReadOnlyError(f"cannot build {key!r}: the cache was opened with read_only, and the entry is not there")

            def built() -> _core.Entry:
                done = _core.peek(self._handle, key)  # another thread may have been faster than our look-up
                if done is not None:
                    return done
                start = time.perf_counter()
                data = build()
                return self._store(key, data, ttl=seconds, build_seconds=time.perf_counter() - start)

            entry = self._flights.run(key, built)
        return self._whole(entry)

    @overload
    def memoize(self, ttl: Callable[P, R], key: None = None) -> Memoized[P, R]: ...

    @overload
    def memoize(
        self, ttl: float | None = None, key: Callable[..., str] | str | None = None
    ) -> Callable[[Callable[P, R]], Memoized[P, R]]: ...

    def memoize(self, ttl: Any = None, key: Any = None) -> Any:
        """Decorator that keeps the tables which a function returns.

        Parameters
        ----------
        ttl : float or datetime.timedelta, optional
            Seconds until a result expires. Default: never.
        key : callable or str, optional
            A function of the same arguments that returns the key, or the text that stands in place of the function's name.
            Default: made from the function's name and code and the values of its arguments, which then are
            plain values, or lists, dicts, sets and dataclasses of them.

        Returns
        -------
        callable
            The function with a method ``cache_key(*args)``, the key of a call, and ``forget(*args)``, which removes its result.

        Raises
        ------
        InvalidArgumentType
            When the function is called with an argument that no key can be made from, such as a frame, without `key`.

        Notes
        -----
        An edited function has other keys than before. What it reads from elsewhere (files, global variables) is not part of them.

        Examples
        --------
        >>> @cache.memoize(ttl=3600)
        ... def squares(count: int) -> pd.DataFrame:
        ...     return pd.DataFrame({"x": [number**2 for number in range(count)]})
        >>> len(squares(10))
        10
        """
        if callable(ttl) and key is None:  # @cache.memoize without parentheses
            return memoized(ttl, None, self.get_or_put, self.remove)
        seconds = checked_ttl(ttl)
        if key is not None and not callable(key) and not (isinstance(key, str) and key):
            raise InvalidArgumentType(f"key: give a function that returns the key, or a non-empty str, not {key!r}")

        def decorate(function: Callable[P, R]) -> Memoized[P, R]:
            return memoized(function, key, lambda name, build: self.get_or_put(name, build, ttl=seconds), self.remove)

        return decorate
