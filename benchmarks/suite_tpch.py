"""TPC-H: its 22 queries with the parameters of validation over the data of tpchgen-cli."""

import re
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from contest import Query, Suite
from tpch import TABLES, generate

SQL = Path(__file__).with_name("tpch_queries.sql")


def queries() -> dict[str, Query]:
    parts = re.split(r"^-- (Q\d+)\n", SQL.read_text(), flags=re.MULTILINE)[1:]
    return {label: Query(sql.strip()) for label, sql in zip(parts[::2], parts[1::2], strict=True)}


def tables(scale: float) -> dict[str, pa.Table]:
    with tempfile.TemporaryDirectory(prefix="tpch-") as folder:
        generate(Path(folder), scale)
        return {name: plain(pq.read_table(Path(folder, f"{name}.parquet"))) for name in TABLES}


def plain(table: pa.Table) -> pa.Table:
    """Text as strings with offsets, as most producers give it."""
    views = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    return table.cast(pa.schema([field.with_type(views.get(field.type, field.type)) for field in table.schema]))


def tpch_suite(scale: float) -> Suite:
    return Suite("tpch", f"TPC-H, scale {scale:g}", lambda: tables(scale), queries())
