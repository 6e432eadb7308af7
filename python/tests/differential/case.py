"""A case: tables, a cache of some configuration, statements that are asked several times, and what plain DuckDB answers."""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from arrow_cache import ArrowCache, CacheError

from .answers import difference
from .statements import Statement, Statements
from .tables import LARGE_ROW_COUNTS, ROW_COUNTS, Column, Table, random_table

PLACES = ("memory", "memory", "memory", "spilled", "compressed", "loaded")
SOURCES = ("arrow", "arrow", "arrow", "stream", "polars", "pandas")
SETTINGS = ("SET TimeZone = 'America/New_York'", "SET TimeZone = 'Asia/Kathmandu'", "SET default_null_order = 'nulls_first'", "SET default_order = 'DESC'")


class Disagreement(Exception):
    """An answer that is not plain DuckDB's."""

    def __init__(self, statement: Statement, when: str, fact: str) -> None:
        super().__init__(fact)
        self.statement, self.when, self.fact = statement, when, fact


@dataclass(frozen=True)
class Case:
    """Everything that a run depends on."""

    seed: int
    table: pa.Table
    #: What is put over it in the end.
    newer: pa.Table
    other: pa.Table
    statements: tuple[Statement, ...]
    options: dict[str, Any]
    place: str = "memory"
    source: str = "arrow"
    #: A setting of DuckDB that changes between two runs of the same statements.
    setting: str = SETTINGS[0]
    repetitions: int = 3


def random_case(seed: int, statement_count: int = 25, large: bool = False) -> Case:
    """The case of a seed."""
    rng = random.Random(seed)
    source = rng.choice(SOURCES)
    row_count = rng.choice(LARGE_ROW_COUNTS if large else ROW_COUNTS)
    drawn = random_table(rng, row_count)
    table = _converted(drawn, source)
    if len(table.columns) < 3:
        table, source = drawn, "arrow"
    kinds = [column.kind for column in table.columns]
    newer = random_table(rng, rng.choice([row_count, row_count, max(0, row_count - 1), 1500]), kinds).data
    if source == "pandas":  # whose types of columns depend on the values
        newer = table.data.take(pa.array(range(row_count - 1, -1, -1), pa.int64()))
    newer = _converted(Table(newer.rename_columns(table.data.column_names), table.columns), source)
    other = _converted(random_table(rng, rng.choice([0, 5, 300, 2049]), rng.sample(kinds, min(4, len(kinds)))), source)
    options: dict[str, Any] = {
        "partition_size_rows": rng.choice([50, 777, 2047, 2048, 2049, 4096, 100_000, 10**9]) if row_count < 20_000 else rng.choice([2048, 5000, 8192, 100_000, 122_880, 10**9]),
        "thread_count": rng.choice([1, 2, 4]),
        "dictionary_encoding": rng.choice([None, None, True, False]),
        "cache_query_results": rng.random() < 0.6,
    }
    makers = Statements(rng, table, other)
    statements = tuple(makers.statement() for _ in range(statement_count))
    return Case(seed, table.data, newer.data, other.data, statements, options, rng.choice(PLACES), source, rng.choice(SETTINGS))


def _converted(table: Table, source: str) -> Table:
    """The table without the columns that the source cannot have."""
    if source in ("arrow", "stream"):
        return table
    kept = []
    for column in table.columns:
        if pa.types.is_fixed_size_list(column.kind.type):
            continue  # polars fails over slices of them
        try:
            back = _as_source(table.data.select([column.name]), source)
            arrow = back.to_arrow() if source == "polars" else pa.Table.from_pandas(back, preserve_index=False)
        except Exception:
            continue
        if not _keeps_type(column, arrow.column(0).type, source):
            continue
        kept.append((column, arrow.column(0)))
    data = pa.table({"row": table.data["row"], **{column.name: values for column, values in kept}})
    return Table(data, [column for column, _ in kept])


def _keeps_type(column: Column, back: pa.DataType, source: str) -> bool:
    """Whether the cache gives DuckDB the type that the source's own conversion to Arrow has."""
    if source == "polars":  # times of nanoseconds, which nothing compares with; text views in dictionaries, which DuckDB 1.5 cannot read
        return column.kind.family != "time" and (not pa.types.is_dictionary(back) or duckdb.__version__ >= "2")
    values = back.value_type if pa.types.is_dictionary(back) else back
    return column.kind.family not in ("nested", "binary", "time", "decimal") and not pa.types.is_null(values) and back != pa.timestamp("ns", getattr(back, "tz", None) or "UTC")


def _as_source(table: pa.Table, source: str) -> Any:
    return pl.DataFrame(table) if source == "polars" else table.to_pandas() if source == "pandas" else table.to_reader() if source == "stream" else table


def run(case: Case) -> int:
    """Ask everything; the number of answers compared. Raises `Disagreement` with the first that differs."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(config={"threads": 2}) as reference:
        options = {"memory_limit": "1GB", "query_memory_limit": "1GB", "spill_directory": folder, **case.options}
        if case.place in ("spilled", "compressed"):
            options["memory_limit"] = max(200_000, case.table.nbytes // 2)
            options["enable_compression"] = case.place == "compressed"
        with ArrowCache(**options) as cache:
            return _Run(case, cache, reference, folder).all()


class _Run:
    def __init__(self, case: Case, cache: ArrowCache, reference: duckdb.DuckDBPyConnection, folder: str) -> None:
        self.case, self.cache, self.reference, self.folder = case, cache, reference, folder
        self.expected: dict[int, pa.Table | None] = {}
        self.compared = 0
        self.surroundings = 0
        # It loses the first row of DuckDB 2.0's own tables to OFFSET where NULLs come first.
        self.reference.execute("SET disabled_optimizers = 'row_group_pruner'")
        self.both("SET TimeZone = 'UTC'")

    def both(self, sql: str) -> None:
        self.reference.execute(sql)
        self.cache.query(sql)

    def put(self, name: str, table: pa.Table) -> None:
        self.reference.register("arrow_table", table)
        # A table of its own: the filters that DuckDB 1.5 hands to pyarrow get NaN wrong.
        self.reference.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM arrow_table")
        self.reference.unregister("arrow_table")
        self.cache.put(name, _as_source(table, self.case.source))
        if self.case.place == "loaded":
            self.cache.persist(name, self.folder + "/files")
            self.cache.remove(name)
            self.cache.load(name, self.folder + "/files")
        self.expected.clear()

    def all(self) -> int:
        case = self.case
        self.put("t", case.table)
        self.put("u", case.other)
        for number in range(case.repetitions):
            self.surround(2 + number // 2)
            self.ask(f"asked the {number + 1}. time")
        self.both(case.setting)
        self.expected.clear()
        self.ask("after " + case.setting)
        self.both(case.setting.split("=")[0].replace("SET", "RESET"))
        self.both("SET TimeZone = 'UTC'")
        self.expected.clear()
        self.put("t", case.newer)
        self.surround(4)
        for number in range(2):
            self.ask(f"asked the {number + 1}. time after another put")
        return self.compared

    def surround(self, number: int) -> None:
        """What statements may read besides the tables: changed, so must their answers be."""
        if number == self.surroundings:
            return
        self.surroundings = number
        self.expected.clear()
        self.reference.execute(f"CREATE OR REPLACE VIEW w AS SELECT * FROM t WHERE row % {number} = 0")
        self.cache.query(f"CREATE OR REPLACE VIEW w AS SELECT * FROM _cache_t WHERE row % {number} = 0")
        self.both(f"CREATE OR REPLACE MACRO shifted(x) AS x + {number}")
        self.both(f"SET VARIABLE edge = {number}")
        self.both(f"CREATE OR REPLACE TEMP TABLE own AS SELECT range * {number} AS row FROM range(20)")

    def ask(self, when: str) -> None:
        for number, statement in enumerate(self.case.statements):
            if number not in self.expected:
                self.expected[number] = self.answer_of_duckdb(statement)
            expected = self.expected[number]
            try:
                found = self.cache.query(statement.sql(t="_cache_t", u="_cache_u"), statement.bound(), target_type="arrow")
            except CacheError as error:
                # DuckDB has no answer (a literal out of the type's range, say); the cache must only survive it.
                if expected is not None:
                    raise Disagreement(statement, when, f"{type(error).__name__}: {error}") from error
                continue
            if expected is None:
                continue
            fact = difference(found, expected, statement.is_ordered)
            if fact is not None:
                raise Disagreement(statement, when, fact)
            self.compared += 1

    def answer_of_duckdb(self, statement: Statement) -> pa.Table | None:
        try:
            return self.reference.sql(statement.sql(t="t", u="u"), params=statement.bound() or {}).to_arrow_table()
        except duckdb.Error:
            return None


def with_statements(case: Case, *statements: Statement) -> Case:
    return replace(case, statements=statements)
