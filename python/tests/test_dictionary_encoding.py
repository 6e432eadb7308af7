"""Texts that repeat, kept as dictionaries (``dictionary_encoding``): what comes back is what was put, in less memory."""

import math
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from arrow_cache import ArrowCache, _core

ROWS = 6000

WORDS = ["", "a", "ä€", "a text that is longer than any view or header holds by itself", "12345678", "123456789", "\x00", "B" * 300]


def words(nulls: bool = True) -> list[str | None]:
    random = np.random.default_rng(7)
    choice = random.integers(0, len(WORDS) + nulls, ROWS)
    return [WORDS[place] if place < len(WORDS) else None for place in choice]


@pytest.fixture
def cache():
    with ArrowCache(dictionary_encoding=True) as cache:
        yield cache


def encoded(cache: ArrowCache, key: str = "t") -> list[int]:
    return _core.describe(_core.peek(cache._handle, key))["encoded_columns"]


ARROW_TYPES = [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()]


@pytest.mark.parametrize("kind", ARROW_TYPES, ids=str)
@pytest.mark.parametrize("nulls", [False, True])
def test_arrow_tables_come_back_equal(cache, kind, nulls):
    column = pa.array([None if word is None else word.encode() for word in words(nulls)], pa.binary())
    column = column.cast(kind) if pa.types.is_binary(kind) or kind in (pa.large_binary(), pa.binary_view()) else column.cast(pa.string()).cast(kind)
    field = pa.field("s", kind, nullable=nulls, metadata={"unit": "words"})
    schema = pa.schema([field, pa.field("n", pa.int64())], metadata={"whose": "mine"})
    numbers = pa.array(range(ROWS))
    table = pa.Table.from_batches(
        [
            pa.record_batch([column.slice(5, 2000), numbers.slice(5, 2000)], schema=schema),
            pa.record_batch([column.slice(3000), numbers.slice(3000)], schema=schema),
        ]
    )
    cache.put("t", table)
    assert encoded(cache) == [0]
    back = cache.get("t")
    assert back.schema.equals(table.schema, check_metadata=True)
    back.validate(full=True)
    assert back.equals(table)
    for offset, limit in [(0, 1), (1999, 3), (2500, 700), (4999, 5), (10_000, 1)]:
        part = cache.get("t", offset=offset, limit=limit)
        part.validate(full=True)
        assert part.equals(table.slice(offset, limit))
    assert cache.get("t", columns=["n", "s"]).equals(table.select(["n", "s"]))
    assert cache.get("t", columns=["n"]).equals(table.select(["n"]))
    batches = list(cache.get("t", target_type="reader"))
    assert pa.Table.from_batches(batches, schema).equals(table)


FRAMES = {
    "object": lambda: pd.DataFrame({"s": pd.Series(words(), dtype=object), "n": np.arange(ROWS)}),
    "str": lambda: pd.DataFrame({"s": pd.Series(words(), dtype="str"), "n": np.arange(ROWS)}),
    "string": lambda: pd.DataFrame({"s": pd.Series(words(), dtype="string"), "n": np.arange(ROWS)}),
    "string[python]": lambda: pd.DataFrame({"s": pd.Series(words(), dtype=pd.StringDtype("python"))}),
    "ArrowDtype": lambda: pd.DataFrame({"s": pd.Series(words(), dtype=pd.ArrowDtype(pa.string()))}),
    "category": lambda: pd.DataFrame({"s": pd.Series(words()).astype("category"), "t": pd.Series(words(), dtype=object)}),
    "index": lambda: pd.DataFrame({"n": np.arange(ROWS)}, index=pd.Index(words(nulls=False), name="word")),
    "levels": lambda: pd.DataFrame({"n": range(ROWS)}, index=pd.MultiIndex.from_arrays([words(False), np.arange(ROWS)], names=["w", None])),
    "columns of texts": lambda: pd.DataFrame({f"c{place}": pd.Series(words()[place:] + words()[:place], dtype="str") for place in range(4)}),
    "bytes": lambda: pd.DataFrame({"s": pd.Series([None if word is None else word.encode() for word in words()], dtype=object)}),
    "dates": lambda: pd.DataFrame({"d": pd.Series([date(2026, 1, place % 28 + 1) for place in range(ROWS)]), "s": words(False)}),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_come_back_equal(cache, kind):
    frame = FRAMES[kind]()
    with ArrowCache(dictionary_encoding=False) as plain:
        for place in (cache, plain):
            place.put("t", frame)
        for get in (
            {},
            {"offset": 17, "limit": 100},
            {"offset": ROWS - 1, "limit": 5},
            {"columns": list(frame.columns[:1])},
        ):
            pd.testing.assert_frame_equal(cache.get("t", **get), plain.get("t", **get))
        pd.testing.assert_frame_equal(cache.get("t"), frame)
        assert cache.get("t", target_type="arrow").equals(plain.get("t", target_type="arrow"))


def test_writing_to_a_frame_changes_nothing(cache):
    frame = pd.DataFrame({"s": pd.Series(words(), dtype="str"), "o": pd.Series(words(), dtype=object)})
    cache.put("t", frame)
    got = cache.get("t")
    got.iloc[0, 0] = got.iloc[1, 1] = "changed"
    got["s"] = "all"
    pd.testing.assert_frame_equal(cache.get("t"), frame)


def test_polars(cache):
    frame = pl.DataFrame({"s": words(), "c": pl.Series(words(), dtype=pl.Categorical), "n": range(ROWS)})
    cache.put("t", frame)
    assert 0 in encoded(cache)
    back = cache.get("t")
    assert back.equals(frame) and back.schema == frame.schema
    assert cache.get("t", offset=10, limit=20).equals(frame.slice(10, 20))
    lazy = cache.scan_polars("t").filter(pl.col("s") == "a").select("n").collect()
    assert lazy.equals(frame.filter(pl.col("s") == "a").select("n"))


def test_memory_is_saved_and_counted():
    table = pa.table({"s": pa.array([f"one of some words {place % 200}" for place in range(100_000)])})
    sizes = {}
    for encoding in (False, True):
        with ArrowCache(dictionary_encoding=encoding) as cache:
            cache.put("t", table)
            sizes[encoding] = cache.get_metadata("t")["size_bytes"]
            assert cache.status()["current_size_bytes"] >= sizes[encoding]
    assert sizes[False] >= table.nbytes
    assert 100_000 <= sizes[True] <= 100_000 + 200 * 30 + 1000  # an index of one byte a row, and the words


def test_unique_texts_stay_as_they_are(cache):
    table = pa.table({"s": pa.array([f"word {place}" for place in range(ROWS)])})
    cache.put("t", table)
    assert encoded(cache) == []
    assert cache.get("t")["s"].chunk(0).buffers()[2].address == table["s"].chunk(0).buffers()[2].address


@pytest.mark.parametrize("encoding", [None, False])
def test_arrow_data_is_not_copied_unless_asked_for(encoding):
    table = pa.table({"s": pa.array(words())})
    with ArrowCache(dictionary_encoding=encoding) as cache:
        cache.put("t", table)
        assert encoded(cache) == []
        assert cache.get("t")["s"].chunk(0).buffers()[2].address == table["s"].chunk(0).buffers()[2].address


@pytest.mark.parametrize("spills", [True, False])
def test_by_default_texts_are_encoded_where_memory_is_short(tmp_path, spills):
    tables = [pa.table({"s": pa.array([f"table {number}, one of some words {row % 100}" for row in range(50_000)])}) for number in range(6)]
    limit = 3 * tables[0].nbytes
    with ArrowCache(memory_limit=limit, spill_to_disk=spills, spill_directory=tmp_path) as cache:
        for number, table in enumerate(tables):
            cache.put(f"t{number}", table)
            if number < 3:  # two fit below the threshold as they are
                assert encoded(cache, f"t{number}") == ([0] if number == 2 else [])
        assert cache.status()["memory"]["peak_bytes"] <= limit
        for number, table in enumerate(tables):
            if spills or cache.contains(f"t{number}"):
                assert cache.get(f"t{number}").equals(table)


def test_encoded_rows_on_disk(tmp_path):
    tables = [pa.table({"s": pa.array([f"table {number}, word {row % 300}" for row in range(40_000)]), "n": range(40_000)}) for number in range(6)]
    with ArrowCache(memory_limit=900_000, spill_directory=tmp_path, dictionary_encoding=True) as cache:
        for number, table in enumerate(tables):
            cache.put(f"t{number}", table)
        for number, table in enumerate(tables):
            assert cache.get(f"t{number}").equals(table)
            found = cache.query(f"SELECT s, sum(n)::BIGINT AS n FROM _cache_t{number} GROUP BY s ORDER BY s", target_type="arrow")
            expected = table.group_by("s").aggregate([("n", "sum")]).sort_by("s")
            assert found["s"].to_pylist() == expected["s"].to_pylist() and found["n"].to_pylist() == expected["n_sum"].to_pylist()


def test_a_mark_of_a_cache_is_refused(cache):
    field = pa.field("s", pa.dictionary(pa.uint8(), pa.string()), metadata={"arrow_cache.dictionary_encoded": "u"})
    table = pa.table([pa.array(["a", "b"]).dictionary_encode().cast(field.type)], schema=pa.schema([field]))
    with pytest.raises(TypeError, match="metadata of a column that a cache has encoded"):
        cache.put("t", table)


def test_answers_are_those_of_plain_texts(cache):
    random = np.random.default_rng(3)
    count = 50_000
    columns = {"v": random.integers(0, 1000, count), "x": np.where(random.random(count) < 0.1, math.nan, random.random(count))}
    for name, distinct, share in [("few", 5, 0.2), ("several", 900, 0.0), ("many", 5000, 0.05)]:
        codes = random.integers(0, distinct, count)
        gone = random.random(count) < share
        columns[name] = pa.array([None if lost else f"{'long and ' * (code % 3)}{code:05d}" for code, lost in zip(codes, gone)])
    table = pa.table(columns)
    queries = [
        "SELECT {c}, count(*) AS n, sum(v) AS t FROM {t} GROUP BY {c}",
        "SELECT {c}, v FROM {t} WHERE {c} > 'long' AND v < 20",
        "SELECT count(*) AS n FROM {t} WHERE {c} IN ('00001', 'long and 00004') OR {c} IS NULL",
        "SELECT min({c}) AS low, max({c}) AS high, count(DISTINCT {c}) AS n FROM {t} WHERE v % 2 = 0",
        "SELECT a.{c}, count(*) AS n FROM {t} AS a JOIN {t} AS b ON a.{c} = b.{c} AND a.v = b.v GROUP BY a.{c}",
        "SELECT {c}, few, count(*) AS n FROM {t} GROUP BY ALL HAVING n > 1",
        "SELECT length({c}) AS l, upper({c}) AS u, v FROM {t} WHERE {c} LIKE '%7%'",
        "SELECT {c} FROM {t} ORDER BY {c} DESC NULLS LAST, v LIMIT 50",
    ]
    with ArrowCache(dictionary_encoding=False) as plain:
        for place in (cache, plain):
            place.put("t", table)
        assert encoded(cache) == [2, 3, 4]
        for query in queries:
            for column in ("few", "several", "many"):
                sql = query.format(t="_cache_t", c=column)
                ours, expected = cache.query(sql, target_type="arrow"), plain.query(sql, target_type="arrow")
                assert ours.schema.equals(expected.schema)
                assert sorted(ours.to_pylist(), key=repr) == sorted(expected.to_pylist(), key=repr), sql
        assert cache.query("DESCRIBE _cache_t", target_type="arrow").equals(plain.query("DESCRIBE _cache_t", target_type="arrow"))
