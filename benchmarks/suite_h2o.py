"""The group-by and join questions of the H2O.ai database benchmark (db-benchmark): its data, made as its scripts make them, and its SQL."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contest import Query, Suite

#: G1_<rows>_1e2_0_0: 100 groups in the columns of few, no missing values, not sorted.
GROUPS = 100

GROUP_BY = {
    "q1 sum v1 by id1": "SELECT id1, sum(v1) AS v1 FROM {x} GROUP BY id1",
    "q2 sum v1 by id1, id2": "SELECT id1, id2, sum(v1) AS v1 FROM {x} GROUP BY id1, id2",
    "q3 sum v1, mean v3 by id3": "SELECT id3, sum(v1) AS v1, avg(v3) AS v3 FROM {x} GROUP BY id3",
    "q4 means by id4": "SELECT id4, avg(v1) AS v1, avg(v2) AS v2, avg(v3) AS v3 FROM {x} GROUP BY id4",
    "q5 sums by id6": "SELECT id6, sum(v1) AS v1, sum(v2) AS v2, sum(v3) AS v3 FROM {x} GROUP BY id6",
    "q6 median, sd by id4, id5": "SELECT id4, id5, median(v3) AS median_v3, stddev(v3) AS sd_v3 FROM {x} GROUP BY id4, id5",
    "q7 range by id3": "SELECT id3, max(v1) - min(v2) AS range_v1_v2 FROM {x} GROUP BY id3",
    "q8 largest two by id6": """
        SELECT id6, v3 AS largest2_v3
        FROM (SELECT id6, v3, row_number() OVER (PARTITION BY id6 ORDER BY v3 DESC) AS order_v3 FROM {x} WHERE v3 IS NOT NULL) AS sub
        WHERE order_v3 <= 2""",
    "q9 regression by id2, id4": "SELECT id2, id4, pow(corr(v1, v2), 2) AS r2 FROM {x} GROUP BY id2, id4",
    "q10 sum, count by id1:id6": "SELECT id1, id2, id3, id4, id5, id6, sum(v3) AS v3, count(*) AS n FROM {x} GROUP BY id1, id2, id3, id4, id5, id6",
}

JOIN = {
    "q1 small inner on int": "SELECT x.*, small.id4 AS small_id4, small.v2 AS v2 FROM {x} AS x JOIN {small} AS small ON x.id1 = small.id1",
    "q2 medium inner on int": """
        SELECT x.*, medium.id1 AS medium_id1, medium.id4 AS medium_id4, medium.id5 AS medium_id5, medium.v2 AS v2
        FROM {x} AS x JOIN {medium} AS medium ON x.id2 = medium.id2""",
    "q3 medium outer on int": """
        SELECT x.*, medium.id1 AS medium_id1, medium.id4 AS medium_id4, medium.id5 AS medium_id5, medium.v2 AS v2
        FROM {x} AS x LEFT JOIN {medium} AS medium ON x.id2 = medium.id2""",
    "q4 medium inner on text": """
        SELECT x.*, medium.id1 AS medium_id1, medium.id2 AS medium_id2, medium.id4 AS medium_id4, medium.v2 AS v2
        FROM {x} AS x JOIN {medium} AS medium ON x.id5 = medium.id5""",
    "q5 big inner on int": """
        SELECT x.*, big.id1 AS big_id1, big.id2 AS big_id2, big.id4 AS big_id4, big.id5 AS big_id5, big.id6 AS big_id6, big.v2 AS v2
        FROM {x} AS x JOIN {big} AS big ON x.id3 = big.id3""",
}


def group_table(rows: int) -> dict[str, pa.Table]:
    random = np.random.default_rng(108)
    many = max(1, rows // GROUPS)

    def texts(count: int, digits: int) -> pa.Array:
        words = pa.array([f"id{number:0{digits}d}" for number in range(1, count + 1)])
        return pa.DictionaryArray.from_arrays(random.integers(0, count, rows, dtype=np.int32), words).cast(pa.string())

    def numbers(count: int) -> pa.Array:
        return pa.array(random.integers(1, count + 1, rows, dtype=np.int32))

    columns = {
        "id1": texts(GROUPS, 3), "id2": texts(GROUPS, 3), "id3": texts(many, 10), "id4": numbers(GROUPS), "id5": numbers(GROUPS), "id6": numbers(many),
        "v1": numbers(5), "v2": numbers(15), "v3": pa.array(_decimals(random, rows)),
    }  # fmt: skip
    return {"x": batched(pa.table(columns))}


def join_tables(rows: int) -> dict[str, pa.Table]:
    """J1_<rows>_NA_0_0: a tenth of the keys of each table has no match in the other."""
    random = np.random.default_rng(108)
    sizes = {"small": max(10, rows // 1_000_000), "medium": max(100, rows // 1000), "big": rows}
    keys = {name: _keys(random, size) for name, size in sizes.items()}

    def sample(name: str, side: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        """Every key of a side at least once where there is room."""
        known = keys[name][side]
        drawn = random.choice(known, max(0, count - len(known)))
        return random.permutation(np.concatenate([known, drawn])[:count]).astype(np.int32)

    def table(name: str, side: int, count: int, value: str) -> pa.Table:
        names = list(sizes)[: list(sizes).index(name) + 1]
        columns = {f"id{number}": pa.array(sample(part, side, count)) for number, part in enumerate(names, start=1)}
        for number in range(1, len(names) + 1):
            columns[f"id{number + 3}"] = pc.binary_join_element_wise(pa.scalar("id"), columns[f"id{number}"].cast(pa.string()), "")
        return batched(pa.table({**columns, value: pa.array(_decimals(random, count))}))

    return {"x": table("big", 0, rows, "v1"), **{name: table(name, 1, size, "v2") for name, size in sizes.items()}}


def _keys(random: np.random.Generator, size: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], ...]:
    """The keys of both sides: nine tenths are in both."""
    drawn = random.permutation(size + size // 10) + 1
    common = size - size // 10
    return drawn[:size], np.concatenate([drawn[:common], drawn[size:]])


def _decimals(random: np.random.Generator, rows: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.round(random.uniform(0, 100, rows), 6)


def batched(table: pa.Table) -> pa.Table:
    """In batches of a million rows, as a reader of files gives them."""
    return pa.Table.from_batches(table.combine_chunks().to_batches(max_chunksize=1_000_000)) if table.num_rows else table


def group_suite(rows: int) -> Suite:
    queries = {label: Query(" ".join(sql.split()), "text" if label.startswith("q1 ") else "") for label, sql in GROUP_BY.items()}
    return Suite("h2o_groupby", f"H2O.ai group-by questions, {rows:,} rows", lambda: group_table(rows), queries)


def join_suite(rows: int) -> Suite:
    return Suite("h2o_join", f"H2O.ai join questions, {rows:,} rows", lambda: join_tables(rows), {label: Query(" ".join(sql.split())) for label, sql in JOIN.items()})
