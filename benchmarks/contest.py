"""The same tables in every engine, and the same queries asked in turn: what takes how long, and whether the answers are the same."""

import contextlib
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from answer_check import disagreement
from arrow_cache import ArrowCache
from measure import alternate, milliseconds, progress

OURS, HALF, SPILLED = "ours", "ours, half spilled", "ours, all spilled"
SAME, NATIVE, POLARS, PANDAS = "DuckDB, same pyarrow table", "DuckDB table", "Polars SQL", "pandas"

#: An answer of a query, and how it is got from a template of SQL in which {name} stands for a table.
Ask = Callable[[str], pa.Table]


@dataclass(frozen=True)
class Query:
    """A question of a suite."""

    #: SQL, or how it is made for a round where each must ask for other rows (nothing remembered of the last one helps).
    sql: str | Callable[[int], str]
    #: What the issue's targets ask of it: "filter" for selective filters, "text" for grouping by text.
    kind: str = ""
    #: The same in pandas, where it makes sense.
    pandas: Callable[[Any], object] | None = None

    def text(self, round_number: int) -> str:
        return self.sql if isinstance(self.sql, str) else self.sql(round_number)


@dataclass(frozen=True)
class Suite:
    """Tables and queries that belong together."""

    name: str
    title: str
    tables: Callable[[], dict[str, pa.Table]]
    queries: Mapping[str, Query]


@dataclass
class Contest:
    """The engines with the tables in them."""

    ask: dict[str, Ask]
    #: Share of the rows' bytes that is on disk, of the caches.
    on_disk: dict[str, float]
    frame: Any = None
    failed: dict[str, str] = field(default_factory=dict)


def cache_options() -> dict[str, Any]:
    """What the benchmark's caches have in common: answers are computed, neither kept nor found by what was asked before."""
    return {"cache_query_results": False, "remember_filters": False}


@contextlib.contextmanager
def contest(tables: Mapping[str, pa.Table], folder: Path, others: bool = True, has_pandas: bool = False) -> Iterator[Contest]:
    """The tables in caches that have all of them, half and nothing in memory, in DuckDB by reference and as its own, and in Polars."""
    data = sum(table.nbytes for table in tables.values())
    with contextlib.ExitStack() as stack:
        ask: dict[str, Ask] = {}
        on_disk = {}
        for name, limit in ((OURS, 2 * data + 2**26), (HALF, data // 2), (SPILLED, max(data // 25, 2**20))):
            options = {"memory_limit": limit, "spill_directory": folder, "query_target_type": "arrow", **cache_options()}
            cache = stack.enter_context(ArrowCache(**options))
            for key, table in tables.items():
                cache.put(key, table)
                progress(f"{name}: {key}")
            tiers = cache.status()["tiers"]
            on_disk[name] = round(tiers["disk"]["bytes"] / max(1, tiers["disk"]["bytes"] + tiers["memory"]["bytes"]), 3)
            ask[name] = _ours(cache, tables)
        if others:
            ask[SAME] = _duckdb(stack.enter_context(duckdb.connect()), tables, by_reference=True)
            ask[NATIVE] = _duckdb(stack.enter_context(duckdb.connect()), tables, by_reference=False)
            ask[POLARS] = _polars(tables)
        frame = next(iter(tables.values())).to_pandas() if has_pandas and others else None
        progress("")
        yield Contest(ask, on_disk, frame)


def _ours(cache: ArrowCache, tables: Mapping[str, pa.Table]) -> Ask:
    names = {name: f"_cache_{name}" for name in tables}
    return lambda sql: cache.query(sql.format(**names))


def _duckdb(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table], *, by_reference: bool) -> Ask:
    for name, table in tables.items():
        connection.register(name if by_reference else "source", table)
        if not by_reference:
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM source")
            connection.unregister("source")
    names = {name: name for name in tables}
    return lambda sql: connection.sql(sql.format(**names)).to_arrow_table()


def _polars(tables: Mapping[str, pa.Table]) -> Ask:
    context = pl.SQLContext()
    for name, table in tables.items():
        context.register(name, pl.DataFrame(table))
    names = {name: name for name in tables}
    return lambda sql: context.execute(sql.format(**names), eager=True).to_arrow()


def measure(contest: Contest, label: str, query: Query, rounds: int, seconds: float) -> dict[str, Any]:
    """Ask every engine once, compare the answers with those of DuckDB's own table, then ask in turn; what goes into the JSON.

    An engine that cannot answer (Polars has not all of SQL) is left out, with its reason.
    """
    reference = contest.ask.get(NATIVE, contest.ask[OURS])(query.text(0))
    failed: dict[str, str] = {}
    work: dict[str, Callable[[], object]] = {}
    for name, ask in contest.ask.items():
        if name != POLARS or _polars_can(ask, query, reference, failed):
            numbers = itertools.count()
            work[name] = lambda ask=ask, numbers=numbers: ask(query.text(next(numbers)))  # type: ignore[misc]
    if query.pandas is not None and contest.frame is not None:
        work[PANDAS] = lambda: query.pandas(contest.frame) if query.pandas else None

    def check(name: str, answer: Any) -> None:
        if name != PANDAS and name != POLARS and (fact := disagreement(answer, reference)) is not None:
            sys.exit(f"{label}: {name} answers differently from DuckDB: {fact}\n{query.text(0)}")

    first: dict[str, float] = {}
    times = alternate(work, rounds, check, seconds=seconds, first=first)
    progress(f"measured: {label}, {milliseconds(times[OURS].median)} ms")
    ours = times[OURS].median
    return {
        "sql": " ".join(query.text(0).split()),
        "kind": query.kind,
        "rows": reference.num_rows,
        "times": {name: {**taken.summary(), "first_ms": round(first[name] * 1e3, 4)} for name, taken in times.items()},
        "ratios": {name: round(ours / taken.median, 4) for name, taken in times.items() if name != OURS},
        **({"cannot": failed} if failed else {}),
    }


def _polars_can(ask: Ask, query: Query, reference: pa.Table, failed: dict[str, str]) -> bool:
    try:
        fact = disagreement(ask(query.text(0)), reference)
    except Exception as error:  # polars raises its own kinds, and panics
        fact = f"{type(error).__name__}: {error}"
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        fact = "panics"
    if fact is not None:
        failed[POLARS] = fact.splitlines()[0][:160]
    return fact is None
