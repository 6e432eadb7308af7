"""One builder at a time for a key: whoever comes while it is being built waits for the same outcome."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from .errors import InvalidArgument

T = TypeVar("T")


class _Flight(Generic[T]):
    """One build under way, and what came of it."""

    __slots__ = ("done", "error", "owner", "result")

    def __init__(self, owner: int) -> None:
        self.owner = owner
        self.done = threading.Event()
        self.result: list[T] = []  # empty or of one element, so that None is a result
        self.error: Exception | None = None


class SingleFlight(Generic[T]):
    """Runs at most one build a key at a time.

    The thread that comes first builds; the others wait and get its result, or its exception. Nothing is remembered: the
    next call after the end builds again. A builder that is interrupted (a ``BaseException`` such as Ctrl-C) only ends
    its own call, and one of those who wait takes over.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[str, _Flight[T]] = {}
        self._waiting: dict[int, _Flight[T]] = {}

    def run(self, key: str, build: Callable[[], T]) -> T:
        """The outcome of `build` for `key`, built here or by the thread that is at it already.

        Raises
        ------
        InvalidArgument
            If waiting would never end, because the build of `key` asks for `key` itself, through other threads too.
        """
        thread = threading.get_ident()
        while True:
            with self._lock:
                flight = self._flights.get(key)
                if flight is None:
                    flight = self._flights[key] = _Flight(thread)
                    break
                self._refuse_circle(flight, thread, key)
                self._waiting[thread] = flight
            try:
                flight.done.wait()
            finally:
                with self._lock:
                    del self._waiting[thread]
            if flight.error is not None:
                raise flight.error
            if flight.result:
                return flight.result[0]
        try:
            result = build()
            flight.result.append(result)
            return result
        except Exception as error:
            flight.error = error
            raise
        finally:
            with self._lock:
                del self._flights[key]
            flight.done.set()

    def _refuse_circle(self, flight: _Flight[T], thread: int, key: str) -> None:
        following: _Flight[T] | None = flight
        while following is not None:
            if following.owner == thread:
                raise InvalidArgument(f"building {key!r} asks for {key!r} itself: it would wait for ever")
            following = self._waiting.get(following.owner)
