"""The smallest case that still disagrees, as a program to run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from .case import Case, Disagreement, run, with_statements

SECONDS = 30.0


def reduced(case: Case, found: Disagreement) -> tuple[Case, Disagreement]:
    """A smaller case that disagrees too, found within half a minute."""
    deadline = time.monotonic() + SECONDS
    alone = with_statements(case, found.statement)
    smaller = True
    best = (case, found)
    if (again := _disagreement(alone)) is not None:
        best = (alone, again)
    while smaller and time.monotonic() < deadline:
        smaller = False
        for candidate in _smaller(best[0]):
            if time.monotonic() > deadline:
                break
            if (again := _disagreement(candidate)) is not None:
                best, smaller = (candidate, again), True
                break
    return best


def _disagreement(case: Case) -> Disagreement | None:
    try:
        run(case)
    except Disagreement as found:
        return found
    except Exception:
        return None
    return None


def _smaller(case: Case) -> Iterator[Case]:
    if len(case.statements) > 1:
        half = len(case.statements) // 2
        yield replace(case, statements=case.statements[:half])
        yield replace(case, statements=case.statements[half:])
        for position in range(len(case.statements)):
            yield replace(case, statements=case.statements[:position] + case.statements[position + 1 :])
    if case.newer.num_rows:
        yield replace(case, newer=case.newer.slice(0, 0))
    rows = case.table.num_rows
    for part in (2, 4, 16):
        size = -(-rows // part)
        if size < rows:
            for start in range(0, rows, size):
                yield replace(case, table=case.table.slice(start, size))
                yield replace(case, table=pa.concat_tables([case.table.slice(0, start), case.table.slice(start + size)]))
    if case.other.num_rows:
        yield replace(case, other=case.other.slice(0, case.other.num_rows // 2))
    if case.place != "memory":
        yield replace(case, place="memory")
    if case.source != "arrow":
        yield replace(case, source="arrow")
    if case.repetitions > 1:
        yield replace(case, repetitions=case.repetitions - 1)
    for name in case.table.column_names[1:]:
        texts = " ".join(statement.sql(t="t", u="u") for statement in case.statements)
        if name not in texts and name in case.newer.column_names:
            yield replace(case, table=case.table.drop_columns([name]), newer=case.newer.drop_columns([name]))
    for position, statement in enumerate(case.statements):
        for less in statement.smaller():
            yield replace(case, statements=(*case.statements[:position], less, *case.statements[position + 1 :]))


def report(case: Case, found: Disagreement) -> str:
    """What was found, how to have it again, and the smallest table and statement that show it."""
    small, last = reduced(case, found)
    sizes = [batch.num_rows for batch in small.table.to_batches()]
    lines = [
        f"seed {case.seed}: {found.when}: {found.fact}",
        f"  {found.statement.sql(t='_cache_t', u='_cache_u')}",
        f"  parameters {found.statement.bound()}",
        f"again: cd python/tests && python -m differential --seed {case.seed}" + (" --large" if case.table.num_rows > 100_000 else ""),
        f"reduced: {last.when}: {last.fact}",
        f"  {small.place}, {small.source}, {small.options}, {small.repetitions} repetitions, {small.setting}",
        *(f"  {statement.sql(t='_cache_t', u='_cache_u')}  {statement.bound() or ''}" for statement in small.statements),
        f"  t: {small.table.num_rows} rows in batches of {sizes[:10]}, then {small.newer.num_rows}; u: {small.other.num_rows} rows",
        "  " + str(small.table.schema.remove_metadata()).replace("\n", "\n  "),
    ]
    if small.table.num_rows <= 40:
        lines.append("  " + "\n  ".join(f"{name} = {small.table[name].to_pylist()}" for name in small.table.column_names))
    return "\n".join(lines)
