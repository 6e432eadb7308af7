"""Random statements over two tables, `{t}` and the smaller `{u}`."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from .predicates import Clause, Predicates
from .tables import Column, Table


@dataclass(frozen=True)
class Statement:
    """SQL with `{0}`, `{1}` … for its predicates, and `{t}` and `{u}` for the tables."""

    form: str
    predicates: tuple[Clause, ...] = ()
    #: Whether the order of the rows is part of the answer.
    is_ordered: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)

    def sql(self, **tables: str) -> str:
        return self.form.format(*self.predicates, **tables)

    def bound(self) -> dict[str, Any] | None:
        """The parameters that are still in it."""
        text = " ".join(map(str, self.predicates)) + " "
        used = {name: value for name, value in self.parameters.items() if any(f"${name}{end}" in text for end in " ),;")}
        return used or None

    def smaller(self) -> list[Statement]:
        """The same with a part of a predicate in place of it."""
        found = []
        for position, predicate in enumerate(self.predicates):
            for less in [Clause("true"), *predicate.smaller()]:
                found.append(replace(self, predicates=(*self.predicates[:position], less, *self.predicates[position + 1 :])))
        return found


class Statements:
    """Statements about one pair of tables."""

    def __init__(self, rng: random.Random, table: Table, other: Table) -> None:
        self.random, self.table, self.other = rng, table, other
        self.forms: list[Callable[[], Statement]] = [
            self.rows, self.rows, self.rows, self.rows, self.values, self.aggregates, self.aggregates, self.counts, self.groups, self.groups, self.top, self.top, self.top,
            self.ties, self.limit, self.joined, self.joined, self.joined_rows, self.self_joined, self.shared, self.combined, self.window, self.subquery, self.expressions, self.distinct,
            self.surroundings,
        ]  # fmt: skip

    def statement(self) -> Statement:
        return self.random.choice(self.forms)()

    def predicate(self, prefix: str = "", other: bool = False, parameters: dict[str, Any] | None = None, has_long_lists: bool = False) -> Clause:
        return Predicates(self.random, (self.other if other else self.table).columns, prefix, parameters, has_long_lists).tree()

    def where(self, share: float = 0.7) -> tuple[str, tuple[Clause, ...]]:
        return ("WHERE {0}", (self.predicate(),)) if self.random.random() < share else ("", ())

    def column(self, *families: str) -> Column | None:
        fitting = [column for column in self.table.columns if (column.kind.family in families if families else column.kind.is_ordered)]
        return self.random.choice(fitting) if fitting else None

    def rows(self) -> Statement:
        parameters: dict[str, Any] | None = {} if self.random.random() < 0.25 else None
        is_ordered = self.random.random() < 0.7
        predicate = self.predicate(parameters=parameters, has_long_lists=not is_ordered)
        return Statement("SELECT row FROM {t} WHERE {0}", (predicate,), is_ordered, parameters or {})

    def values(self) -> Statement:
        names = ", ".join(column.name for column in self.random.sample(self.table.columns, self.random.randint(1, len(self.table.columns))))
        where, predicates = self.where()
        return Statement(f"SELECT {self.random.choice([names, '*', 'row, ' + names])} FROM {{t}} {where}", predicates, True)

    def aggregates(self) -> Statement:
        wanted = ["count(*)"]
        for column in self.random.sample(self.table.columns, 3):
            wanted.append(f"count({column.name})")
            if column.kind.is_ordered:
                wanted += [f"min({column.name})", f"max({column.name})", f"count(DISTINCT {column.name})"]
            if column.kind.family in ("integer", "decimal"):
                wanted.append(f"sum({column.name}::HUGEINT)" if column.kind.family == "integer" else f"sum({column.name})")
        where, predicates = self.where()
        return Statement(f"SELECT {', '.join(self.random.sample(wanted, min(len(wanted), 4)))} FROM {{t}} {where}", predicates)

    def counts(self) -> Statement:
        form = self.random.choice(
            ["SELECT count(*) FROM {t} WHERE {0}", "SELECT count(*) FROM {t}", "SELECT count(*) FILTER (WHERE {0}) AS n, count(*) FROM {t}",
             "SELECT count(*) FROM {t}, {u} WHERE {t}.row = {u}.row AND {t}.row < 5", "SELECT count(*) FROM (SELECT 1 FROM {t} WHERE {0} LIMIT 100)",
             "SELECT EXISTS (SELECT 1 FROM {t} WHERE {0}) AS found", "SELECT min(row), max(row) FROM {t} WHERE {0}", "SELECT count(*) FROM (SELECT row FROM {t} LIMIT 10 OFFSET 4)"]
        )  # fmt: skip
        return Statement(form, (self.predicate(),))

    def groups(self) -> Statement:
        keys = ", ".join({column.name for column in (self.column(), self.column() if self.random.random() < 0.4 else None) if column})
        if not keys:
            return self.counts()
        where, predicates = self.where(0.5)
        having = self.random.choice(["", "", "HAVING count(*) > 2", "HAVING min(row) > 10"])
        return Statement(f"SELECT {keys}, count(*) AS n, sum(row) AS total, min(row) AS first FROM {{t}} {where} GROUP BY {keys} {having}", predicates)

    def order(self, column: Column) -> str:
        return f"{column.name}{self.random.choice(['', ' ASC', ' DESC'])}{self.random.choice(['', ' NULLS FIRST', ' NULLS LAST'])}"

    def top(self) -> Statement:
        columns = [column for column in (self.column(), self.column() if self.random.random() < 0.3 else None) if column]
        if not columns:
            return self.limit()
        order = ", ".join([*map(self.order, columns), f"row{self.random.choice(['', ' DESC'])}"])
        count = self.random.choice([0, 1, 3, 10, 100, 1000, 2048, 10_000])
        offset = self.random.choice(["", "", " OFFSET 3", " OFFSET 500", " OFFSET 2048"])
        where, predicates = self.where(0.4)
        extra = self.random.choice(["", ", *", ", " + self.random.choice(self.table.columns).name])
        return Statement(f"SELECT row AS number, {columns[0].name} AS key{extra} FROM {{t}} {where} ORDER BY {order} LIMIT {count}{offset}", predicates, True)

    def ties(self) -> Statement:
        """Which of equal rows come is open; their keys are not."""
        column = self.column()
        if column is None:
            return self.limit()
        where, predicates = self.where(0.4)
        count = self.random.choice([1, 2, 5, 10, 50, 3000])
        return Statement(f"SELECT {column.name} FROM {{t}} {where} ORDER BY {self.order(column)} LIMIT {count}{self.random.choice(['', ' OFFSET 7'])}", predicates, True)

    def limit(self) -> Statement:
        where, predicates = self.where(0.6)
        wanted = self.random.choice(["row", "*"])
        return Statement(f"SELECT {wanted} FROM {{t}} {where} LIMIT {self.random.choice([0, 1, 10, 2049])}{self.random.choice(['', ' OFFSET 5'])}", predicates, True)

    def joined(self) -> Statement:
        form = self.random.choice(
            ["SELECT a.row, b.row FROM {t} a JOIN {u} b ON a.row = b.row WHERE {0} AND {1}", "SELECT a.row, b.row FROM {t} a LEFT JOIN {u} b ON a.row = b.row AND {1} WHERE {0}",
             "SELECT row FROM {t} a WHERE {0} AND row IN (SELECT row FROM {u} b WHERE {1})", "SELECT row FROM {t} a WHERE {0} AND row NOT IN (SELECT row FROM {u} b WHERE {1})",
             "SELECT count(*), sum(a.row) FROM {t} a FULL JOIN {u} b ON a.row = b.row + 3 WHERE {0} OR {1}", "SELECT a.row FROM {t} a SEMI JOIN {u} b ON a.row = b.row * 2 WHERE {0}",
             "SELECT a.row FROM {t} a ANTI JOIN (SELECT * FROM {u} b WHERE {1}) b ON a.row = b.row WHERE {0}",
             "SELECT a.row FROM {t} a WHERE EXISTS (SELECT 1 FROM {u} b WHERE b.row = a.row AND {1}) AND {0}"]
        )  # fmt: skip
        shared = [(a.name, b.name) for a in self.table.columns for b in self.other.columns if a.kind == b.kind and a.kind.is_ordered]
        if shared and self.random.random() < 0.4:
            mine, theirs = self.random.choice(shared)
            form = f"SELECT count(*), sum(a.row), max(b.row) FROM {{t}} a JOIN {{u}} b ON a.{mine} = b.{theirs} WHERE {{0}} AND {{1}}"
        return Statement(form, (self.predicate("a."), self.predicate("b.", other=True)))

    def joined_rows(self) -> Statement:
        """Rows of both tables side by side, with all columns of one or of both."""
        mine, theirs = (self.random.choice(table.columns).name for table in (self.table, self.other))
        columns = self.random.choice(
            ["a.*, b.row AS other_row", "b.*, a.row AS other_row", "*", f"a.row, a.{mine}, b.row AS other_row, b.{theirs} AS other", f"a.*, b.{theirs} AS \"Other\", b.row AS other_row, b.row + 1",
             f"b.*, a.row AS other_row, a.{mine} IS NULL, a.{mine} AS \"some\""]
        )  # fmt: skip
        count = max(1, self.other.data.num_rows)
        shared = [(a.name, b.name) for a in self.table.columns for b in self.other.columns if a.kind == b.kind and a.kind.is_ordered]
        condition = self.random.choice(["ON a.row = b.row", f"ON a.row % {count} = b.row", "ON a.row // 3 = b.row", "ON b.row * 7 = a.row", "USING (row)"])
        if shared and self.random.random() < 0.4:
            names = self.random.choice(shared)
            condition = f"ON a.{names[0]} = b.{names[1]} AND a.row % 50 = b.row % 50 AND b.row < 200"
        join = self.random.choice(["JOIN", "JOIN", "INNER JOIN", "LEFT JOIN", "LEFT OUTER JOIN", "RIGHT JOIN", "FULL JOIN"])
        where = self.random.choice(["", "WHERE {0}", "WHERE {1}", "WHERE {0} AND {1}"])
        tables = ("{t} a", "{u} AS b") if self.random.random() < 0.7 else ("{u} AS b", "{t} a")
        return Statement(f"SELECT {columns} FROM {tables[0]} {join} {tables[1]} {condition} {where}", (self.predicate("a."), self.predicate("b.", other=True)))

    def self_joined(self) -> Statement:
        form = self.random.choice(
            ["SELECT a.row, b.row FROM {t} a JOIN {t} b ON a.row = b.row + 1 WHERE {0} AND {1}", "SELECT count(*), min(a.row) FROM {t} a JOIN {t} b ON a.row = b.row WHERE {0} OR {1}",
             "SELECT a.row FROM (SELECT row FROM {t} a WHERE {0}) a LEFT JOIN (SELECT row FROM {t} b WHERE {1}) b ON a.row = b.row WHERE b.row IS NULL"]
        )  # fmt: skip
        return Statement(form, (self.predicate("a."), self.predicate("b.")))

    def shared(self) -> Statement:
        with_clause = f"WITH x AS {self.random.choice(['', 'MATERIALIZED ', 'NOT MATERIALIZED '])}(SELECT * FROM {{t}} WHERE {{2}}) "
        form = self.random.choice(
            ["SELECT (SELECT count(*) FROM x WHERE {0}) AS a, (SELECT sum(row) FROM x WHERE {1}) AS b", "SELECT row FROM x WHERE {0} UNION ALL SELECT row FROM x WHERE {1}",
             "SELECT row FROM x WHERE {0} AND row NOT IN (SELECT row FROM x WHERE {1})"]
        )  # fmt: skip
        return Statement(with_clause + form, (self.predicate(), self.predicate(), self.predicate()))

    def combined(self) -> Statement:
        verb = self.random.choice(["UNION", "UNION ALL", "EXCEPT", "INTERSECT", "EXCEPT ALL"])
        return Statement(f"SELECT row FROM {{t}} WHERE {{0}} {verb} SELECT row FROM {{t}} WHERE {{1}}", (self.predicate(), self.predicate()))

    def surroundings(self) -> Statement:
        """What reads a view, a macro, a variable or a table of the session as well, which change in between."""
        form = self.random.choice(
            ["SELECT row FROM w WHERE {0}", "SELECT count(*), shifted(min(row)) FROM {t} WHERE {0}", "SELECT row FROM {t} WHERE row > getvariable('edge') AND {0}",
             "SELECT row FROM {t} WHERE row IN (SELECT row FROM own) AND {0}", "SELECT count(*) FROM {t} JOIN own USING (row) WHERE {0}"]
        )  # fmt: skip
        return Statement(form, (self.predicate(),))

    def window(self) -> Statement:
        column = self.column()
        if column is None:
            return self.rows()
        form = self.random.choice(
            [f"SELECT row, row_number() OVER (PARTITION BY {column.name} ORDER BY row DESC) AS n FROM {{t}} WHERE {{0}} QUALIFY n <= 2",
             f"SELECT row, lag({column.name}) OVER (ORDER BY row) AS before FROM {{t}} WHERE {{0}}", f"SELECT DISTINCT ON ({column.name}) row FROM {{t}} WHERE {{0}} ORDER BY {column.name}, row",
             f"SELECT {column.name}, arg_max(row, row) AS last, list(row ORDER BY row)[:3] AS some FROM {{t}} WHERE {{0}} GROUP BY {column.name}"]
        )  # fmt: skip
        return Statement(form, (self.predicate(),))

    def subquery(self) -> Statement:
        column = self.column("integer", "decimal", "date", "stamp", "text")
        if column is None:
            return self.rows()
        name = column.name
        form = self.random.choice(
            [f"SELECT row FROM {{t}} WHERE {name} = (SELECT max({name}) FROM {{t}} WHERE {{0}})", f"SELECT row FROM {{t}} WHERE {name} >= (SELECT min({name}) FROM {{t}} WHERE {{0}})",
             f"SELECT row FROM {{t}} WHERE {name} IN (SELECT {name} FROM {{t}} WHERE {{0}} ORDER BY row LIMIT 5)",
             f"SELECT row FROM {{t}} ORDER BY {name} IS NULL, row DESC LIMIT (SELECT count(*) FROM {{t}} WHERE {{0}} AND row < 9)",
             f"SELECT max(row) FROM (SELECT row FROM {{t}} WHERE {{0}} ORDER BY {name} DESC NULLS LAST, row LIMIT 10)"]
        )  # fmt: skip
        return Statement(form, (self.predicate(),))

    def expressions(self) -> Statement:
        column = self.random.choice(self.table.columns)
        form = f"SELECT row, ({{0}}) AS truth, {column.name}::VARCHAR AS text, {column.name} IS NULL AS missing FROM {{t}} WHERE {{1}}"
        return Statement(form, (self.predicate(), self.predicate()), True)

    def distinct(self) -> Statement:
        column = self.column()
        where, predicates = self.where()
        return Statement(f"SELECT DISTINCT {column.name if column else 'row % 5'} FROM {{t}} {where}", predicates)
