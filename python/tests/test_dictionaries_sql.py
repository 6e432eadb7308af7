"""Dictionary-encoded texts in SQL: as dictionary vectors, flat, and with nulls wherever they can be."""

import numpy as np
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache

INDICES = [pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64()]
QUERIES = [
    "SELECT d, count(*) AS n, sum(v) AS total FROM {t} GROUP BY d",
    "SELECT count(DISTINCT d) AS n, min(d) AS low, max(d) AS high, count(d) AS present FROM {t}",
    "SELECT d, v FROM {t} WHERE d LIKE '%7' OR d IS NULL",
    "SELECT upper(d) AS u, v FROM {t} WHERE v % 3 = 0",
    "SELECT a.d, count(*) AS n FROM {t} AS a JOIN (SELECT DISTINCT d FROM {t} WHERE v < 900) AS b ON a.d = b.d GROUP BY a.d",
    "SELECT d, v FROM {t} ORDER BY d NULLS FIRST, v LIMIT 100",
    "SELECT d, v FROM {t} WHERE d = '6'",
    "SELECT d, v FROM {t} WHERE d IN ('3', '12', 'a longer text than fits a header 31', 'none of them')",
    "SELECT count(*) AS n, sum(v) AS total FROM {t} WHERE d NOT IN ('0', 'a longer text than fits a header 1')",
    "SELECT count(*) AS n, sum(v) AS total FROM {t} WHERE d IS DISTINCT FROM '3'",
    "SELECT count(*) AS n, sum(v) AS total FROM {t} WHERE d > 'a longer text than fits a header 5' AND d <= 'a longer text than fits a header 7'",
    "SELECT count(*) AS n, sum(v) AS total FROM {t} WHERE d <> '9' AND (d LIKE '9%' OR d IS NULL)",
    "SELECT d, v, row_number() OVER (PARTITION BY d ORDER BY v) AS r FROM {t} QUALIFY r < 3",
]


def rows(table: pa.Table) -> list[tuple]:
    return sorted(zip(*(column.to_pylist() for column in table.columns)), key=repr)


def dictionary_table(index, values, null_values, null_indices, offset, batches=3, count=5000):
    random = np.random.default_rng(len(values) + offset)
    made = []
    for batch in range(batches):
        mask = random.random(count) < 0.1 if null_indices else np.zeros(count, bool)
        codes = pa.array(random.integers(0, len(values), count), mask=mask).cast(index)
        dictionary = pa.array([None if null_values and place % 5 == 2 else text for place, text in enumerate(values)], values.type)
        array = pa.DictionaryArray.from_arrays(codes, dictionary)
        made.append(pa.record_batch({"d": array, "v": pa.array(np.arange(batch * count, (batch + 1) * count))}).slice(offset))
        values = values.take(pa.array(random.permutation(len(values))))  # the next batch has its own order
    return pa.Table.from_batches(made)


def texts(count, kind=pa.string()):
    return pa.array([f"{'a longer text than fits a header ' if place % 3 else ''}{place}" for place in range(count)], kind)


@pytest.mark.parametrize("index", INDICES, ids=str)
@pytest.mark.parametrize("nulls", ["none", "indices", "values", "both"])
def test_every_index_type(index, nulls):
    table = dictionary_table(index, texts(100), nulls in ("values", "both"), nulls in ("indices", "both"), offset=3)
    compare(table)


@pytest.mark.parametrize("count", [1, 1021, 1022, 1023, 1024, 4000])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
def test_sizes_around_the_limit_of_dictionary_vectors(count, kind):
    compare(dictionary_table(pa.int32(), texts(count, kind), True, True, offset=11))


def test_dictionary_larger_than_its_rows():
    compare(dictionary_table(pa.int32(), texts(20_000), True, True, offset=0, count=700))


def test_slices_of_dictionaries():
    whole = texts(600)
    codes = pa.array(np.arange(3000) % 200, pa.int16())
    array = pa.DictionaryArray.from_arrays(codes, whole.slice(100, 300))
    compare(pa.table({"d": array.slice(7), "v": np.arange(2993)}))


def test_bytes_stay_bytes():
    table = pa.table({"d": pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 1] * 700, pa.int8()), pa.array([b"\xff\x00", b"a"]))})
    with ArrowCache() as cache:
        cache.put("t", table)
        found = cache.query("SELECT d, count(*) AS n FROM _cache_t GROUP BY d", target_type="arrow")
    assert found.schema.field("d").type in (pa.binary(), pa.large_binary(), pa.binary_view())
    assert rows(found) == rows(pa.table({"d": [b"\xff\x00", b"a", None], "n": [700, 1400, 700]}))


@pytest.mark.parametrize(
    "values, condition, wanted",
    [
        (texts(50), "d = '6'", [6]),
        (texts(50, pa.large_string()), "d IN ('6', '12')", [6, 12]),
        (pa.array(range(100, 150)), "d > 146", [47, 48, 49]),
        (pa.array(range(50), pa.int32()).cast(pa.date32()), "d < DATE '1970-01-03'", [0, 1]),
        (pa.array([number / 4 for number in range(50)]), "d BETWEEN 1 AND 1.3", [4, 5]),
        (pa.array([number % 5 for number in range(50)]), "d = 3", list(range(3, 50, 5))),
    ],
    ids=str,
)
def test_filters_leave_rows_out_by_their_codes(values, condition, wanted):
    codes = np.random.default_rng(5).integers(0, 50, 40_000)
    table = pa.table({"d": pa.DictionaryArray.from_arrays(pa.array(codes, pa.int16()), values), "v": np.arange(len(codes))})
    expected = np.flatnonzero(np.isin(codes, wanted)).tolist()
    with ArrowCache(cache_query_results=False) as cache:
        cache.put("t", table)
        for _ in range(3):
            assert cache.query(f"SELECT v FROM _cache_t WHERE {condition} ORDER BY v", target_type="arrow")["v"].to_pylist() == expected
        if cache.status()["duckdb"]["engine"] == "v2":
            assert cache.status()["scans"]["rows_left_out"] > 0


def compare(table: pa.Table) -> None:
    plain = pa.table({"d": pa.chunked_array([chunk.dictionary.take(chunk.indices) for chunk in table["d"].chunks]), "v": table["v"]})
    with ArrowCache() as cache:
        cache.put("t", table)
        cache.put("plain", plain)
        for query in QUERIES:
            ours = cache.query(query.format(t="_cache_t"), target_type="arrow")
            expected = cache.query(query.format(t="_cache_plain"), target_type="arrow")
            assert rows(ours) == rows(expected), query
