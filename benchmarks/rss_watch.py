"""Memory of another process over time, beside what it tells."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_FIELDS = {"rss": "VmRSS", "anonymous": "RssAnon", "files": "RssFile"}


class RssWatch:
    """Samples a process 20 times a second until it ends, and keeps the lines of JSON that it prints.

    Attributes
    ----------
    samples : list of dict
        ``time`` (of the system's monotonic clock) and bytes: ``rss``, ``anonymous``, ``files``.
    told : list of dict
        What the process printed; ``kind`` and ``time`` are in each.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.samples: list[dict[str, float]] = []
        self.told: list[dict[str, Any]] = []

    def run(self, on_event: Callable[[dict[str, Any]], None]) -> None:
        """Until the process ends; exits where it fails."""
        sampler = threading.Thread(target=self._sample)
        sampler.start()
        assert self.process.stdout is not None
        try:
            for line in self.process.stdout:
                self.told.append(json.loads(line))
                on_event(self.told[-1])
            if self.process.wait() != 0:
                sys.exit(f"The process that works with the cache failed, with exit status {self.process.returncode}")
        finally:
            self.process.kill()
            sampler.join()

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.told if event["kind"] == kind]

    def event(self, kind: str) -> dict[str, Any]:
        [event] = self.events(kind)
        return event

    def _sample(self) -> None:
        status = Path(f"/proc/{self.process.pid}/status")
        while self.process.poll() is None:
            try:
                lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
                sample = {name: int(lines[field].split()[0]) * 1024.0 for name, field in _FIELDS.items()}
                self.samples.append({"time": time.monotonic(), **sample})
            except (OSError, KeyError):  # it has just ended
                return
            time.sleep(0.05)
