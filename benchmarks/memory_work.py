"""The process whose memory `bench_memory.py` watches: puts the tables into a cache, then asks for as long as it is told.

Prints a line of JSON for each thing that happened; `RssWatch` in the other process reads them.
"""

import argparse
import json
import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from arrow_cache import ArrowCache
from tpch import QUERIES, TABLES, Question, is_right

#: Of a hundred questions.
WEIGHTS = {"slice": 80, "whole": 8, "query": 12}


_telling = threading.Lock()


def say(kind: str, **facts: object) -> None:
    line = json.dumps({"kind": kind, "time": time.monotonic(), **facts})
    with _telling:  # one line at a time
        print(line, flush=True)


def own_memory() -> dict[str, int]:
    """Bytes in memory of this process: all, its own, of files; and the most there has been since `reset_peak`."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    names = {"rss": "VmRSS", "anonymous": "RssAnon", "files": "RssFile", "peak": "VmHWM"}
    return {name: int(lines[field].split()[0]) * 1024 for name, field in names.items()}


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


class Work:
    """Asks one cache for what `tpch.answer` wrote down, from several threads, and compares."""

    def __init__(self, cache: ArrowCache, folder: Path, seed: int) -> None:
        self.cache, self.folder, self.seed = cache, folder, seed
        questions = [Question(**question) for question in json.loads((folder / "questions.json").read_text())]
        self.questions = {kind: [question for question in questions if question.kind == kind] for kind in WEIGHTS}
        self.seconds: dict[str, list[float]] = {}
        self.wrong: list[str] = []
        self.errors: Counter[str] = Counter()
        self.lock = threading.Lock()

    def run(self, seconds: float, threads: int) -> None:
        end = time.monotonic() + seconds
        workers = [threading.Thread(target=self._ask_until, args=(end, random.Random(self.seed + number))) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def _ask_until(self, end: float, chance: random.Random) -> None:
        while time.monotonic() < end:
            [kind] = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
            question = chance.choice(self.questions[kind])
            as_pandas = kind == "slice" and question.columns is None and chance.random() < 0.5
            start = time.perf_counter()
            try:
                found = self._ask(question, as_pandas)
                took = time.perf_counter() - start
                right = is_right(found, self.folder / question.answer)
            except Exception as error:  # counted and told: the run goes on
                with self.lock:
                    self.errors[f"{question.name}: {type(error).__name__}: {str(error)[:300]}"] += 1
                continue
            name = f"{kind}{' as pandas' if as_pandas else ''}: {question.name}"
            with self.lock:
                self.seconds.setdefault(name, []).append(took)
                if not right:
                    self.wrong.append(f"{question.answer} ({name})")

    def _ask(self, question: Question, as_pandas: bool) -> pa.Table:
        if question.kind == "query":
            sql = QUERIES[question.name].format(**{name: f"_cache_{name}" for name in TABLES})
            return self.cache.query(sql, target_type="arrow")
        found: Any = self.cache.get(
            question.name,
            "pandas" if as_pandas else "arrow",
            offset=question.offset,
            limit=question.limit,
            columns=question.columns,
        )
        return pa.Table.from_pandas(found, preserve_index=False) if isinstance(found, pd.DataFrame) else found


def watch(cache: ArrowCache, stop: threading.Event) -> None:
    while not stop.wait(0.2):
        status = cache.status()
        say("status", status=status, pyarrow=pa.total_allocated_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="of the Parquet files and the answers")
    parser.add_argument("--limit", type=int, required=True)
    parser.add_argument("--query-limit", type=int, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    cache = ArrowCache(memory_limit=options.limit, query_memory_limit=options.query_limit, spill_directory=options.folder / "spill")
    reset_peak()
    say("empty", **own_memory())
    stop = threading.Event()
    watcher = threading.Thread(target=watch, args=(cache, stop))
    watcher.start()
    for name in TABLES:
        start = time.perf_counter()
        cache.put(name, options.folder / f"{name}.parquet")
        facts = cache.get_metadata(name)
        assert facts is not None
        say("put", name=name, seconds=time.perf_counter() - start, rows=facts["num_rows"], bytes=facts["size_bytes"], **own_memory())
    work = Work(cache, options.folder, options.seed)
    say("work")
    work.run(options.minutes * 60, options.threads)
    stop.set()
    watcher.join()
    say(
        "done",
        **own_memory(),
        seconds=work.seconds,
        wrong=work.wrong,
        errors=dict(work.errors),
        missing=[name for name in TABLES if name not in cache],
        status=cache.status(),
        pool={"backend": pa.default_memory_pool().backend_name, "peak": pa.default_memory_pool().max_memory()},
    )
    cache.close()
    say("closed", **own_memory())


if __name__ == "__main__":
    main()
