"""Tables of TPC-H as Parquet files, and questions about them with the answers that DuckDB gives over those files."""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.ipc

TABLES = ("region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem")

#: What the tables of scale factor 1 take as plain Arrow, about, each buffer once; of that lineitem alone has two thirds.
BYTES_A_SCALE = 1.33e9

#: The queries of the benchmark that read most, with its own parameters; {lineitem} and the like stand for the tables.
QUERIES = {
    "Q1 pricing summary": """
        SELECT l_returnflag, l_linestatus, sum(l_quantity) AS quantity, sum(l_extendedprice) AS base,
               sum(l_extendedprice * (1 - l_discount)) AS discounted, avg(l_discount) AS discount, count(*) AS n
        FROM {lineitem} WHERE l_shipdate <= DATE '1998-09-02' GROUP BY ALL ORDER BY ALL""",
    "Q3 shipping priority": """
        SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority
        FROM {customer} JOIN {orders} ON c_custkey = o_custkey JOIN {lineitem} ON l_orderkey = o_orderkey
        WHERE c_mktsegment = 'BUILDING' AND o_orderdate < DATE '1995-03-15' AND l_shipdate > DATE '1995-03-15'
        GROUP BY ALL ORDER BY revenue DESC, o_orderdate, l_orderkey LIMIT 10""",
    "Q4 order priority": """
        SELECT o_orderpriority, count(*) AS n FROM {orders}
        WHERE o_orderdate >= DATE '1993-07-01' AND o_orderdate < DATE '1993-10-01'
          AND EXISTS (SELECT 1 FROM {lineitem} WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate)
        GROUP BY ALL ORDER BY ALL""",
    "Q5 local suppliers": """
        SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue
        FROM {customer} JOIN {orders} ON c_custkey = o_custkey JOIN {lineitem} ON l_orderkey = o_orderkey
             JOIN {supplier} ON l_suppkey = s_suppkey AND c_nationkey = s_nationkey
             JOIN {nation} ON s_nationkey = n_nationkey JOIN {region} ON n_regionkey = r_regionkey
        WHERE r_name = 'ASIA' AND o_orderdate >= DATE '1994-01-01' AND o_orderdate < DATE '1995-01-01'
        GROUP BY ALL ORDER BY revenue DESC""",
    "Q6 forecast": """
        SELECT sum(l_extendedprice * l_discount) AS revenue FROM {lineitem}
        WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01'
          AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24""",
    "Q12 ship modes": """
        SELECT l_shipmode, count(*) FILTER (o_orderpriority IN ('1-URGENT', '2-HIGH')) AS high, count(*) AS n
        FROM {orders} JOIN {lineitem} ON o_orderkey = l_orderkey
        WHERE l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate AND l_shipdate < l_commitdate
          AND l_receiptdate >= DATE '1994-01-01' AND l_receiptdate < DATE '1995-01-01'
        GROUP BY ALL ORDER BY ALL""",
    "Q14 promotions": """
        SELECT sum(l_extendedprice * (1 - l_discount)) FILTER (p_type LIKE 'PROMO%') AS promoted,
               sum(l_extendedprice * (1 - l_discount)) AS revenue
        FROM {lineitem} JOIN {part} ON l_partkey = p_partkey
        WHERE l_shipdate >= DATE '1995-09-01' AND l_shipdate < DATE '1995-10-01'""",
    "Q18 large orders": """
        SELECT o_orderkey, o_totalprice, sum(l_quantity) AS quantity FROM {orders} JOIN {lineitem} ON o_orderkey = l_orderkey
        WHERE o_orderkey IN (SELECT l_orderkey FROM {lineitem} GROUP BY l_orderkey HAVING sum(l_quantity) > 300)
        GROUP BY ALL ORDER BY o_totalprice DESC, o_orderkey LIMIT 100""",
    "texts of the comments": "SELECT sum(strlen(l_comment)) AS bytes, count(*) FILTER (l_comment LIKE '%furious%') AS n FROM {lineitem}",
}

#: Gets of a run of rows: how many rows, of which columns (None: all).
SLICES: dict[str, list[tuple[int, list[str] | None]]] = {
    "lineitem": [(2_000, None), (100_000, ["l_orderkey", "l_extendedprice"]), (50_000, ["l_shipdate", "l_comment"])],
    "orders": [(2_000, None), (100_000, ["o_totalprice"])],
    "partsupp": [(2_000, None), (20_000, ["ps_comment"])],
    "customer": [(2_000, None)],
}
WHOLE = ("region", "nation", "supplier")


@dataclass(frozen=True)
class Question:
    """What to ask a cache, and the file of what it must answer."""

    kind: str
    name: str
    offset: int
    limit: int | None
    columns: list[str] | None
    answer: str


def generate(folder: Path, scale: float) -> None:
    """Write a Parquet file a table."""
    program = shutil.which("tpchgen-cli", path=str(Path(sys.executable).parent)) or shutil.which("tpchgen-cli")
    if program is None:
        sys.exit("tpchgen-cli is missing, which makes the data: make bench-memory installs it (pip install arrow_cache[bench])")
    subprocess.run([program, "parquet", "-s", str(scale), "--output-dir", str(folder), "--overwrite"], check=True, stdout=subprocess.DEVNULL)


def answer(folder: Path, slices_a_kind: int, seed: int) -> None:
    """Ask DuckDB over the Parquet files; writes ``questions.json`` and an Arrow file an answer."""
    connection = duckdb.connect(config={"memory_limit": "3GB", "temp_directory": str(folder / "duckdb")})
    files = {name: f"read_parquet('{folder / name}.parquet')" for name in TABLES}
    questions = []

    def keep(question: Question, table: pa.Table) -> None:
        with pa.ipc.new_file(folder / question.answer, table.schema) as writer:
            writer.write_table(table)
        questions.append(question.__dict__)

    for number, (name, sql) in enumerate(QUERIES.items()):
        keep(Question("query", name, 0, None, None, f"query-{number}.arrow"), connection.sql(sql.format(**files)).to_arrow_table())
    for name in WHOLE:
        sql = f"FROM {files[name]}"
        keep(Question("whole", name, 0, None, None, f"{name}.arrow"), connection.sql(sql).to_arrow_table())
    for question, table in _slices(connection, files, slices_a_kind, random.Random(seed)):
        keep(question, table)
    (folder / "questions.json").write_text(json.dumps(questions))


def _slices(
    connection: duckdb.DuckDBPyConnection, files: dict[str, str], count: int, chance: random.Random
) -> Iterator[tuple[Question, pa.Table]]:
    for name, kinds in SLICES.items():
        [[rows]] = connection.sql(f"SELECT count(*) FROM {files[name]}").fetchall()
        for kind, (limit, columns) in enumerate(kinds):
            for number in range(count):
                first = chance.randrange(max(1, rows - limit))
                picked = ", ".join(columns) if columns else "*"
                sql = f"SELECT {picked} FROM {files[name]} LIMIT {limit} OFFSET {first}"
                table = connection.sql(sql).to_arrow_table()
                yield Question("slice", name, first, limit, columns, f"{name}-{kind}-{number}.arrow"), table


def is_right(answer: pa.Table, file: Path) -> bool:
    """Whether an answer has the values of the file: exactly, but for the last digits of floating-point numbers."""
    with pa.memory_map(str(file)) as source:
        expected = pa.ipc.open_file(source).read_all()
        if answer.column_names != expected.column_names or answer.num_rows != expected.num_rows:
            return False
        for mine, other in zip(answer.columns, expected.columns, strict=True):
            if pa.types.is_floating(other.type):
                pairs = zip(mine.to_pylist(), other.to_pylist(), strict=True)
                if not all(a == b or (a is not None and b is not None and abs(a - b) <= 1e-9 * abs(b)) for a, b in pairs):
                    return False
            elif not mine.cast(other.type).equals(other):
                return False
    return True


if __name__ == "__main__":
    answer(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
