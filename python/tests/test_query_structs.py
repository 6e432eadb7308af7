"""Structs in queries: their nulls, their columns of every kind, slices, rows on disk."""

import datetime
import random
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache

STRUCTS = {
    "numbers": pa.struct([("a", pa.int32()), ("b", pa.float64()), ("c", pa.bool_()), ("d", pa.decimal128(9, 2)), ("w", pa.decimal128(30, 2))]),
    "texts": pa.struct([("s", pa.string()), ("l", pa.large_string()), ("v", pa.string_view()), ("z", pa.binary())]),
    "deep": pa.struct([("x", pa.struct([("x", pa.int8()), ("deep", pa.struct([("t", pa.timestamp("us", "UTC")), ("s", pa.string())]))])), ("d", pa.date32())]),
    "left to DuckDB": pa.struct([("a", pa.int8()), ("l", pa.list_(pa.int32())), ("ms", pa.timestamp("ms"))]),
}
QUESTIONS = [
    "SELECT c, i + 0 AS i FROM {t}",
    "SELECT c.{first} AS f FROM {t} WHERE i % 3 = 1",
    "SELECT c.{first} AS f, count(*) AS n FROM {t} GROUP BY ALL ORDER BY ALL",
    "SELECT count(c) AS n, count(*) FILTER (c IS NULL) AS m, count(c.{first}) AS f FROM {t}",
    "SELECT c FROM {t} WHERE c IS NOT NULL AND i > 50",
    "SELECT a.c AS x, b.c AS y FROM {t} a JOIN {t} b ON a.i = b.i + 1 ORDER BY a.i",
]


def value(kind: pa.DataType, chance: random.Random) -> Any:
    if chance.random() < 0.2:
        return None
    if pa.types.is_struct(kind):
        return {field.name: value(field.type, chance) for field in kind}
    if pa.types.is_list(kind):
        return [value(kind.value_type, chance) for _ in range(chance.randrange(3))]
    if pa.types.is_boolean(kind):
        return chance.random() < 0.5
    if pa.types.is_floating(kind):
        return chance.choice([chance.random(), -0.0])
    if pa.types.is_integer(kind):
        return chance.randrange(100)
    if pa.types.is_decimal(kind):
        return Decimal(chance.randrange(-1000, 1000)) / 100
    if pa.types.is_temporal(kind):
        return datetime.datetime(2020, 1, 1) + datetime.timedelta(days=chance.randrange(900))
    return bytes(chance.randrange(20)) if pa.types.is_binary(kind) else "x" * chance.randrange(25) + str(chance.randrange(9))


@pytest.mark.parametrize("options", [{}, {"memory_limit": 200_000, "query_memory_limit": "200MB"}], ids=["in memory", "on disk"])
@pytest.mark.parametrize("rows", [1, 100, 9000])
@pytest.mark.parametrize("name", STRUCTS)
def test_structs_answer_as_in_duckdb(name: str, rows: int, options: dict[str, Any]) -> None:
    kind, chance = STRUCTS[name], random.Random(rows)
    whole = pa.table({"c": pa.array([value(kind, chance) for _ in range(rows)], kind), "i": range(rows)})
    cut = rows // 3
    for table in (whole, whole.slice(cut), pa.concat_tables([whole.slice(cut), whole.slice(0, cut)])):
        with duckdb.connect() as plain, ArrowCache(cache_query_results=False, **options) as cache:
            # Rebuilt: DuckDB's scan refuses slices of nested structs.
            plain.register("source", pa.table({"c": pa.array(table["c"].to_pylist(), kind), "i": pa.array(table["i"].to_pylist(), pa.int64())}))
            plain.execute("CREATE TABLE t AS SELECT * FROM source")
            for engine in (plain.execute, cache.query):
                engine("SET TimeZone = 'UTC'")
            cache.put("t", table)
            for sql in QUESTIONS:
                expected = plain.sql(sql.format(t="t", first=kind[0].name)).to_arrow_table().to_pylist()
                for _ in range(2):
                    assert cache.query(sql.format(t="_cache_t", first=kind[0].name), target_type="arrow").to_pylist() == expected, sql
