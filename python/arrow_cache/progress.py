"""How far long calls have come: a bar in a terminal or notebook, or a function of the caller's."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Protocol, Self, TextIO

from .errors import CacheError

__all__ = ["Progress", "Reporter", "Ticker", "display"]

#: What callers give as ``progress``: whether to show a bar, or what to call with the share that is done.
Progress = bool | Callable[[float], object]

_SECONDS_BETWEEN = 0.1


class Display(Protocol):
    """What shows how far something has come."""

    def show(self, fraction: float) -> None:
        """Tell the share that is done: from 0 to 1, never less than before."""

    def close(self) -> None:
        """It is over, whether it was finished or not."""


class Reporter:
    """Asks now and then, while a block runs, how far it has come, and shows it.

    What the display raises ends the work, and is raised in place of what the work raises then.

    Parameters
    ----------
    display : Display
        Shows 0 at first, and 1 at the end if nothing was raised. It is closed whatever happens.
    ask : callable
        The share that is done.
    stop : callable
        Ends the work.
    """

    def __init__(self, display: Display, ask: Callable[[], float], stop: Callable[[], object]) -> None:
        self._display, self._ask, self._stop = display, ask, stop
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._watch, name="arrow_cache progress", daemon=True)

    def __enter__(self) -> Self:
        try:
            self._display.show(0.0)
            self._thread.start()
        except BaseException:
            self._display.close()
            raise
        return self

    def _watch(self) -> None:
        while not self._over.wait(_SECONDS_BETWEEN):
            try:
                self._display.show(min(1.0, self._ask()))
            except BaseException as error:
                self._failure = error
                with suppress(CacheError):  # closed meanwhile
                    self._stop()
                return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        try:
            if error is None and self._failure is None:
                self._display.show(1.0)
        finally:
            self._display.close()
        if self._failure is not None and (error is None or isinstance(error, Exception)):
            raise self._failure from None


class Ticker:
    """Shows now and then how far something has come that goes on and pauses, from a thread of its own, while it goes on.

    What the display raises ends the work, and is raised in place of what the work raises then.

    Parameters
    ----------
    display : Display
        Closed by `close`.
    ask : callable
        The share that is done.
    stop : callable
        Ends the work.
    """

    def __init__(self, display: Display, ask: Callable[[], float], stop: Callable[[], object]) -> None:
        self._display, self._ask, self._stop = display, ask, stop
        #: Held while something is shown; what is called then may close this.
        self._showing = threading.RLock()
        self._over = threading.Event()
        self._is_working = False
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """The work goes on."""
        self._is_working = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="arrow_cache progress", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """The work pauses, or has ended."""
        self._is_working = False
        if self._failure is not None and (error is None or isinstance(error, Exception)):
            raise self._failure from None

    def show(self, fraction: float | None = None) -> None:
        """Show the share that is done: `fraction`, or what `ask` says."""
        with self._showing:
            if not self._over.is_set():
                self._display.show(min(1.0, self._ask() if fraction is None else fraction))

    def close(self) -> None:
        """It is over; a second call does nothing."""
        if not self._over.is_set():
            self._over.set()
            with self._showing:
                self._display.close()

    def _watch(self) -> None:
        while not self._over.wait(_SECONDS_BETWEEN):
            if not self._is_working:
                continue
            try:
                self.show()
            except BaseException as error:
                self._failure = error
                with suppress(CacheError):  # closed meanwhile
                    self._stop()
                return


def display(progress: Progress, label: str) -> Display | None:
    """What shows progress as the caller wants it; None where nothing is to be shown.

    A bar is for eyes: with ``progress=True`` there is none where the standard error stream is neither a terminal nor a notebook's.
    """
    if progress is False:
        return None
    if progress is not True:
        return _Function(progress)
    stream = sys.stderr
    if stream is None or not (_is_notebook() or stream.isatty()):
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _Line(label, stream)
    return _Tqdm(tqdm(total=1.0, desc=label, bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}", dynamic_ncols=True))


def _is_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in getattr(shell, "config", {})


class _Function:
    def __init__(self, function: Callable[[float], object]) -> None:
        self._function = function

    def show(self, fraction: float) -> None:
        self._function(fraction)

    def close(self) -> None:
        """There is nothing to close."""


class _Tqdm:
    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def show(self, fraction: float) -> None:
        self._bar.update(fraction - self._bar.n)
        if fraction == 1.0:
            self._bar.refresh()

    def close(self) -> None:
        self._bar.close()


class _Line:
    """A bar of one line, where tqdm is not installed."""

    _WIDTH = 30

    def __init__(self, label: str, stream: TextIO) -> None:
        self._label, self._stream, self._start = label, stream, time.monotonic()

    def show(self, fraction: float) -> None:
        done = int(fraction * self._WIDTH)
        bar = "█" * done + " " * (self._WIDTH - done)
        if not (self._stream.encoding or "").lower().startswith("utf"):
            bar = bar.replace("█", "#")
        self._stream.write(f"\r{self._label}: {fraction:4.0%}|{bar}| {time.monotonic() - self._start:.1f} s")
        self._stream.flush()

    def close(self) -> None:
        self._stream.write("\n")
        self._stream.flush()
