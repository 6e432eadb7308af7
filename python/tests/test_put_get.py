import time

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from arrow_cache import (
    ArrowCache,
    CacheError,
    InvalidArgument,
    InvalidArgumentType,
    KeyExists,
    KeyNotFound,
    MemoryLimitError,
    MissingFileError,
    StreamError,
    UnsupportedTypeError,
    converters,
)

KEYS = [
    "a",
    "with space",
    'with "double" quotes',
    "it's",
    "dots.and.more",
    "1st",
    "ключ",
    "🦆",
    "UPPER",
    "upper",
    "new\nline",
    "tab\t",
    "semi;colon -- comment /* x */",
    "%s {} $1 ?",
    "../../etc/passwd",
    "_cache_",
    "x" * 5000,
    "e\u0301",
    "\u00e9",
    " ",
    "null\0byte",
]


def test_a_frame_comes_back_as_it_went_in(cache, frame):
    assert cache.put("my_dataframe", frame) == "my_dataframe"
    assert_frame_equal(cache.get("my_dataframe"), frame)


@pytest.mark.parametrize("key", KEYS)
def test_any_text_is_a_key(cache, key):
    cache.put(key, pd.DataFrame({"v": [len(key)]}))
    assert cache.get(key)["v"][0] == len(key)
    assert cache.contains(key) and key in cache and cache.get_keys() == [key]
    assert cache.get_metadata(key)["key"] == key
    assert cache.remove(key) and not cache.contains(key)


def test_keys_stay_apart(cache):
    for number, key in enumerate(KEYS):
        cache.put(key, pd.DataFrame({"v": [number]}))
    assert cache.get_keys() == KEYS
    assert [int(cache.get(key)["v"][0]) for key in KEYS] == list(range(len(KEYS)))


@pytest.mark.parametrize("key", [None, 5, 1.5, b"a", ["a"], ("a",), object()])
def test_a_key_that_is_no_text_is_refused(cache, frame, key):
    for call in (
        lambda: cache.put(key, frame),
        lambda: cache.get(key),
        lambda: cache.contains(key),
        lambda: cache.remove(key),
        lambda: cache.get_metadata(key),
        lambda: cache.update_ttl(key, 1),
        lambda: cache[key],
        lambda: cache.__setitem__(key, frame),
        lambda: cache.__delitem__(key),
        lambda: cache.get_or_put(key, lambda: frame),
    ):
        with pytest.raises(InvalidArgumentType, match="a key is a non-empty str") as caught:
            call()
        assert isinstance(caught.value, TypeError) and isinstance(caught.value, ValueError)
    assert key not in cache and len(cache) == 0


@pytest.mark.parametrize("key", ["", "\ud800"])
def test_a_key_without_text_is_refused(cache, frame, key):
    with pytest.raises(InvalidArgument):
        cache.put(key, frame)
    assert key == "\ud800" or key not in cache
    assert len(cache) == 0


def test_a_str_of_another_class_is_a_key(cache, frame):
    cache.put(np.str_("a"), frame)
    assert cache.get_keys() == ["a"]


# --- kinds --------------------------------------------------------------------------------------------------------------------


def test_the_kind_that_was_put_comes_back(cache, frame, table):
    cache.put("pandas", frame)
    cache.put("arrow", table)
    cache.put("polars", pl.DataFrame({"a": [1, 2]}))
    assert_frame_equal(cache.get("pandas"), frame)
    assert cache.get("arrow").equals(table, check_metadata=True)
    assert isinstance(cache.get("polars"), pl.DataFrame) and cache.get("polars").equals(pl.DataFrame({"a": [1, 2]}))


@pytest.mark.parametrize("source", ["pandas", "arrow", "polars"])
@pytest.mark.parametrize("target", ["pandas", "arrow", "polars", "reader", "capsule", "numpy", "dict"])
def test_every_target_of_every_kind(cache, source, target):
    data = {"pandas": pd.DataFrame, "arrow": pa.table, "polars": pl.DataFrame}[source]({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    cache.put("t", data)
    got = cache.get("t", target_type=target, offset=1)
    if target == "capsule":
        got = pa.RecordBatchReader._import_from_c_capsule(got).read_all() if not hasattr(got, "__arrow_c_stream__") else pa.table(got)
    if target == "reader":
        assert isinstance(got, pa.RecordBatchReader)
        got = got.read_all()
    rows = {
        "pandas": lambda: got.to_dict("list"),
        "polars": lambda: got.to_dict(as_series=False),
        "numpy": lambda: {name: list(got[name]) for name in ("a", "b")},
        "dict": lambda: {name: list(got[name]) for name in ("a", "b")},
    }.get(target, lambda: got.to_pydict())()
    assert rows == {"a": [2, 3], "b": ["y", "z"]}


@pytest.mark.parametrize("target", ["panda", "Arrow!", "", 5, ["arrow"], b"arrow", True])
def test_an_unknown_target_lists_the_allowed(cache, frame, target):
    cache.put("a", frame)
    for call in (
        lambda: cache.get("a", target_type=target),
        lambda: cache.get("missing", target),
        lambda: cache.query("SELECT 1", target_type=target),
    ):
        with pytest.raises(CacheError) as caught:
            call()
        assert all(name in str(caught.value) for name in converters.target_kinds())
        assert isinstance(caught.value, (ValueError, TypeError))


@pytest.mark.parametrize("data", [None, 5, "no such file.parquet", b"bytes", object(), {1, 2}, lambda: 1, [1, 2, 3]])
def test_what_is_no_table_is_refused(cache, data):
    with pytest.raises((UnsupportedTypeError, MissingFileError, InvalidArgument)):
        cache.put("a", data)
    assert cache.get("a") is None


def test_a_failed_put_leaves_the_entry_of_before(cache, frame):
    cache.put("a", frame, metadata={"version": 1})

    def rows():
        yield pa.record_batch({"x": [1]})
        raise RuntimeError("the disk is on fire")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"x": pa.int64()}), rows())
    with pytest.raises(StreamError, match="the disk is on fire"):
        cache.put("a", reader)
    with pytest.raises(UnsupportedTypeError):
        cache.put("a", object())
    assert_frame_equal(cache.get("a"), frame)
    assert cache.get_metadata("a")["metadata"] == {"version": 1}


class Broken:
    """Something that promises a stream."""

    def __init__(self, stream):
        self.stream = stream

    def __arrow_c_stream__(self, requested_schema=None):
        if isinstance(self.stream, Exception):
            raise self.stream
        return self.stream


@pytest.mark.parametrize("stream", [None, 5, object()])
def test_a_stream_that_is_none_is_refused(cache, stream):
    with pytest.raises(UnsupportedTypeError, match="a Broken can't be put: stream must be a capsule"):
        cache.put("a", Broken(stream))
    assert len(cache) == 0


def test_a_stream_that_was_read_is_refused(cache):
    capsule = pa.table({"a": [1]}).__arrow_c_stream__()
    cache.put("a", Broken(capsule))
    with pytest.raises(StreamError, match="consumed"):
        cache.put("b", Broken(capsule))
    assert cache.get_keys() == ["a"]


def test_an_exporters_own_error_comes_through(cache):
    with pytest.raises(ZeroDivisionError):
        cache.put("a", Broken(ZeroDivisionError("x")))


# --- replacing, missing, removing ---------------------------------------------------------------------------------------------


def test_a_put_replaces(cache, frame, table):
    cache.put("k", frame)
    cache.put("k", table)
    assert cache.get("k").equals(table)
    assert cache.get_keys() == ["k"] and len(cache) == 1


def test_overwrite_false_keeps_what_is_there(cache, frame, table):
    cache.put("k", frame, overwrite=False)
    reader = table.to_reader()
    with pytest.raises(KeyExists, match="'k'") as caught:
        cache.put("k", reader, overwrite=False)
    assert isinstance(caught.value, ValueError)
    assert_frame_equal(cache.get("k"), frame)
    assert reader.read_all().equals(table)  # was not touched


@pytest.mark.parametrize("name", ["overwrite", "preserve_index", "auto_partition"])
@pytest.mark.parametrize("wrong", [1, "yes", [True]])
def test_flags_are_true_or_false(cache, frame, name, wrong):
    with pytest.raises(InvalidArgumentType, match=f"{name}: give True or False"):
        cache.put("k", frame, **{name: wrong})
    assert len(cache) == 0


def test_preserve_index_false_drops_the_index(cache, frame):
    cache.put("k", frame.set_index("b"), preserve_index=False)
    assert_frame_equal(cache.get("k"), frame.set_index("b").reset_index(drop=True))


def test_auto_partition(table):
    with ArrowCache(partition_size_rows=3) as cache:
        cache.put("cut", table)
        cache.put("whole", table, auto_partition=False)
        assert cache.get_metadata("cut")["partition_count"] == 4
        assert cache.get_metadata("whole")["partition_count"] == 1
        assert cache.get("cut").equals(table)
    with ArrowCache(partition_size_rows=3, auto_partition=False) as cache:
        cache.put("whole", table)
        cache.put("cut", table, auto_partition=True)
        assert cache.get_metadata("whole")["partition_count"] == 1
        assert cache.get_metadata("cut")["partition_count"] == 4


def test_a_missing_key_gives_the_default(cache):
    default = object()
    assert cache.get("nothing") is None
    assert cache.get("nothing", default=default) is default
    assert cache.get("nothing", "arrow", default, 5, 7, columns=["x"]) is default


def test_a_missing_key_in_brackets_is_a_key_error(cache):
    for call in (lambda: cache["nothing"], lambda: cache.__delitem__("nothing")):
        with pytest.raises(KeyNotFound, match="^no entry 'nothing'") as caught:
            call()
        assert isinstance(caught.value, KeyError) and isinstance(caught.value, CacheError)


def test_a_cache_is_a_dictionary(cache, frame, table):
    cache["f"] = frame
    cache["t"] = table
    assert_frame_equal(cache["f"], frame)
    assert "f" in cache and "nothing" not in cache and None not in cache and "" not in cache
    assert len(cache) == 2 and list(cache) == ["f", "t"] == cache.keys() == cache.get_keys()
    del cache["f"]
    assert list(cache) == ["t"]
    assert cache.remove("t") is True and cache.remove("t") is False
    assert len(cache) == 0 and bool(cache)


def test_clear(cache, frame):
    for name in "abc":
        cache.put(name, frame)
    assert cache.clear() == 3
    assert cache.get_keys() == [] and cache.get("a") is None and cache.status()["current_size_bytes"] == 0
    assert cache.clear() == 0


def test_tables_outlive_their_entry(cache, table):
    cache.put("t", table)
    got, part, reader = cache.get("t"), cache.get("t", offset=3), cache.get("t", "reader")
    cache.put("t", pa.table({"other": [1]}))
    cache.remove("t")
    cache.close()
    assert got.equals(table) and part.equals(table.slice(3)) and reader.read_all().equals(table)
    got.validate(full=True)


def test_get_returns_the_very_buffers_that_were_put(cache):
    table = pa.table({"n": np.arange(100_000), "s": pa.array([str(n) for n in range(100_000)])})
    cache.put("t", table)
    addresses = lambda t: [buffer and buffer.address for column in t.columns for chunk in column.chunks for buffer in chunk.buffers()]  # noqa: E731
    assert addresses(cache.get("t")) == addresses(table)
    part = cache.get("t", columns=["s"], offset=5, limit=10)
    assert [b and b.address for b in part["s"].chunk(0).buffers()] == [b and b.address for b in table["s"].chunk(0).buffers()]


def test_writing_to_what_was_put_or_got_changes_nothing(cache):
    values = np.arange(5)
    frame = pd.DataFrame({"v": values}, copy=False)
    cache.put("f", frame)
    values[:] = -1
    frame.loc[0, "v"] = -2
    got = cache.get("f")
    assert list(got["v"]) == [0, 1, 2, 3, 4]
    got.loc[:, "v"] = -3
    got["w"] = 1
    assert_frame_equal(cache.get("f"), pd.DataFrame({"v": np.arange(5)}))


def test_a_second_get_of_an_arrow_table_is_fast(cache):
    cache.put("t", pa.table({f"c{n}": np.arange(1000) for n in range(50)}))
    cache.get("t")
    times = []
    for _ in range(200):
        start = time.perf_counter()
        cache.get("t")
        times.append(time.perf_counter() - start)
    assert sorted(times)[20] <= 50e-6  # of the fastest: others may be at work on the machine


# --- memory -------------------------------------------------------------------------------------------------------------------


def test_what_does_not_fit_is_refused_and_nothing_changes():
    with ArrowCache(memory_limit=100_000, spill_to_disk=False) as cache:
        small = pa.table({"n": np.arange(1000)})
        cache.put("small", small)
        with pytest.raises(MemoryLimitError) as caught:
            cache.put("large", pa.table({"n": np.arange(100_000)}))
        assert isinstance(caught.value, MemoryError) and "memory_limit" in str(caught.value)
        assert cache.get("small").equals(small) and cache.get_keys() == ["small"]


def test_above_the_limit_the_least_recently_used_goes():
    tables = {name: pa.table({"n": np.arange(1000) + ord(name)}) for name in "abc"}
    with ArrowCache(memory_limit=20_000, spill_to_disk=False) as cache:
        cache.put("a", tables["a"])
        cache.put("b", tables["b"])
        cache.get("a")
        cache.put("c", tables["c"])
        assert cache.get_keys() == ["a", "c"]
        status = cache.status()
        assert status["evicted_count"] == 1 and status["evicted_bytes"] == 8000 and status["current_size_bytes"] == 16_000


def test_no_rows_of_a_wide_frame_keep_their_categories(cache: ArrowCache) -> None:
    frame = pd.DataFrame({f"c{position}": pd.Categorical(["a", "b"]) for position in range(2100)})
    cache.put("wide", frame)
    assert_frame_equal(cache.get("wide", limit=0), frame.iloc[:0])
    assert_frame_equal(cache.get("wide", offset=1), frame.iloc[1:])
