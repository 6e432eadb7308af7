"""Tables in, tables out: streams that are moved, shared, broken, or dropped unread."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

import arrow_cache
from arrow_cache import _core


def addresses(table: pa.Table) -> list[int]:
    return [buffer.address for column in table.columns for chunk in column.chunks for buffer in chunk.buffers() if buffer is not None]


def failing(good: int, error: BaseException) -> pa.RecordBatchReader:
    """Gives some batches, then fails."""

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(good):
            yield pa.record_batch({"n": [number]})
        raise error

    return pa.RecordBatchReader.from_batches(pa.schema({"n": pa.int64()}), batches())


def test_rows_come_back_without_a_copy(core: Any, numbers: pa.Table) -> None:
    core.put("k", numbers)
    back = core.read("k")
    assert back.equals(numbers, check_metadata=True)
    assert addresses(back) == addresses(numbers)


def test_copied_columns_have_memory_of_their_own(core: Any, numbers: pa.Table) -> None:
    entry = core.put("k", numbers, copy=[1])
    shared = [column.chunk(0).buffers()[-1].address for column in numbers.columns]
    kept = [column.chunk(0).buffers()[-1].address for column in core.rows(entry).columns]
    assert [ours == theirs for ours, theirs in zip(kept, shared, strict=True)] == [True, False, True]
    assert core.rows(core.put("k", numbers, copy=True)).equals(numbers)


def test_row_ranges_and_columns(core: Any, numbers: pa.Table) -> None:
    entry = core.put("k", numbers)
    for offset in range(12):
        for limit in (None, 0, 1, 5, 20):
            expected = numbers.slice(offset, limit).select([2, 0])
            assert core.rows(entry, offset, limit, [2, 0]).equals(expected), (offset, limit)
    assert core.rows(entry, columns=[]).num_columns == 0


def test_describe(core: Any, numbers: pa.Table) -> None:
    first = _core.describe(core.put("k", numbers))
    core.put("k", numbers, ttl=100)
    facts = _core.describe(_core.lookup(core.handle, "k"))
    assert {name: facts[name] for name in ("key", "kind", "metadata", "row_count", "column_count", "batch_count", "access_count")} == {
        "key": "k", "kind": "arrow", "metadata": "{}", "row_count": 10, "column_count": 3, "batch_count": 3, "access_count": 1,
    }  # fmt: skip
    assert facts["version"] > first["version"]
    assert first["expires_at"] is None
    assert facts["expires_at"] == pytest.approx(facts["created_at"] + 100)
    assert facts["size_bytes"] >= 10 * 8 * 2


def test_schema_keeps_metadata(core: Any, numbers: pa.Table) -> None:
    table = numbers.replace_schema_metadata({"a": "1", "b": b"\xff\x00"})
    entry = core.put("k", table)

    class Schema:
        def __arrow_c_schema__(self) -> object:
            return _core.schema(entry)

    assert pa.schema(Schema()).equals(table.schema, check_metadata=True)


def test_lookup_counts_and_peek_does_not(core: Any, numbers: pa.Table) -> None:
    core.put("k", numbers)
    assert _core.lookup(core.handle, "k") is not None
    assert _core.lookup(core.handle, "other") is None
    assert _core.peek(core.handle, "k") is not None
    assert _core.peek(core.handle, "other") is None
    status = _core.status(core.handle)
    assert (status["hits"], status["misses"], status["entry_count"]) == (1, 1, 1)


def test_remove_clear_keys_and_contains(core: Any, numbers: pa.Table) -> None:
    for key in ("b", "a", "c"):
        core.put(key, numbers)
    assert _core.keys(core.handle) == ["b", "a", "c"]
    assert _core.remove(core.handle, "a") is True
    assert _core.remove(core.handle, "a") is False
    assert (_core.contains(core.handle, "a"), _core.contains(core.handle, "b")) == (False, True)
    assert _core.clear(core.handle) == 2
    assert _core.keys(core.handle) == []


def test_time_to_live(core: Any, numbers: pa.Table) -> None:
    core.put("k", numbers)
    assert _core.update_ttl(core.handle, "k", 50.0) is True
    assert _core.describe(_core.peek(core.handle, "k"))["expires_at"] is not None
    assert _core.update_ttl(core.handle, "k", None) is True
    assert _core.describe(_core.peek(core.handle, "k"))["expires_at"] is None
    assert _core.update_ttl(core.handle, "other", 1) is False


def test_entry_outlives_what_replaces_it(core: Any, numbers: pa.Table) -> None:
    old = core.put("k", numbers)
    core.put("k", pa.table({"z": ["new"]}))
    assert core.rows(old).equals(numbers)
    assert core.read("k").column_names == ["z"]


def test_key_that_is_there_is_kept(core: Any, numbers: pa.Table) -> None:
    core.put("k", numbers)
    with pytest.raises(arrow_cache.errors.KeyExists, match="k"):
        core.put("k", pa.table({"z": [1]}), overwrite=False)
    assert core.read("k").equals(numbers)


def test_stream_is_moved_out_of_its_capsule(core: Any, numbers: pa.Table) -> None:
    capsule = numbers.__arrow_c_stream__()
    put = (core.handle, "k", capsule, "arrow", "{}", None, True, None, False, None, None)
    _core.put(*put)
    with pytest.raises(arrow_cache.errors.StreamError, match="consumed already"):
        _core.put(*put)


def test_wrong_argument_leaves_the_stream_to_its_owner(core: Any, numbers: pa.Table) -> None:
    capsule = numbers.__arrow_c_stream__()
    with pytest.raises(TypeError, match="copy"):
        _core.put(core.handle, "k", capsule, "arrow", "{}", None, True, None, "all", None, None)
    _core.put(core.handle, "k", capsule, "arrow", "{}", None, True, None, True, None, None)
    assert core.read("k").equals(numbers)


@pytest.mark.parametrize("good", [0, 1, 3])
def test_stream_that_fails_keeps_the_old_entry(core: Any, numbers: pa.Table, good: int) -> None:
    core.put("k", numbers)
    with pytest.raises(arrow_cache.errors.StreamError, match="ValueError: no more"):
        core.put("k", failing(good, ValueError("no more")))
    assert core.read("k").equals(numbers)


def test_stream_of_something_else_than_rows(core: Any) -> None:
    with pytest.raises(arrow_cache.errors.UnsupportedTypeError):
        core.put("k", pa.chunked_array([[1, 2, 3]]))


def test_what_is_dropped_is_released(core: Any) -> None:
    gc.collect()
    before = pa.total_allocated_bytes()
    table = pa.table({"n": pa.array(range(100_000)), "s": pa.array([str(n) for n in range(100_000)])})
    old = core.put("k", table)
    del table
    for _ in range(10):
        _core.scan(old, 0, None, None)
        _core.schema(old)
    part = core.rows(old, 10, 5)
    gc.collect()
    assert pa.total_allocated_bytes() > before
    _core.remove(core.handle, "k")
    del old
    assert part.column("n").to_pylist() == [10, 11, 12, 13, 14]
    del part
    gc.collect()
    assert pa.total_allocated_bytes() == before


def test_result_that_is_not_read_is_released(core: Any) -> None:
    for streaming in (False, True):
        for _ in range(20):
            _core.query(core.handle, "SELECT * FROM range(10000)", None, streaming, None)
    assert core.query("SELECT 1 AS one") == [{"one": 1}]


class Kept:
    """Something that a weak reference can watch."""


def test_memo_lives_as_long_as_its_version(core: Any, numbers: pa.Table) -> None:
    entry = core.put("k", numbers)
    first, second = Kept(), Kept()
    watch_first, watch_second = weakref.ref(first), weakref.ref(second)
    assert _core.memo(entry, "m") is None
    _core.set_memo(entry, "m", first, 100)
    assert _core.memo(entry, "m") is first
    assert _core.memo(_core.peek(core.handle, "k"), "m") is first
    assert _core.memo(entry, "other") is None
    _core.set_memo(entry, "m", second, 50)
    del first
    assert watch_first() is None
    assert _core.status(core.handle)["memo_bytes"] == 50
    del second
    core.put("k", numbers)
    assert _core.memo(_core.peek(core.handle, "k"), "m") is None
    assert watch_second() is not None
    del entry
    assert watch_second() is None
    assert _core.status(core.handle)["memo_bytes"] == 0


def test_memo_can_be_dropped(core: Any, numbers: pa.Table) -> None:
    entry = core.put("k", numbers)
    kept = Kept()
    watch = weakref.ref(kept)
    _core.set_memo(entry, "m", kept, 1)
    del kept
    _core.set_memo(entry, "m", None, 0)
    assert watch() is None
    assert _core.memo(entry, "m") is None


def test_memo_whose_finaliser_uses_the_cache(core: Any, numbers: pa.Table) -> None:
    seen = []

    class Curious:
        def __del__(self) -> None:
            seen.append((_core.keys(core.handle), core.query("SELECT 7 AS seven")))

    _core.set_memo(core.put("k", numbers), "m", Curious(), 0)
    _core.clear(core.handle)
    assert seen == [([], [{"seven": 7}])]
