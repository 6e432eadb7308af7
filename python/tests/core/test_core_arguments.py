"""Arguments of the wrong type or value: an error that names the argument, never a crash."""

import inspect
import math
import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

import arrow_cache
from arrow_cache import _core
from arrow_cache.duckdb_library import library_path


class Indexed:
    """An integer by ``__index__`` alone, as numpy's are."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __index__(self) -> Any:
        return self.value


class Raising:
    """Fails whatever it is asked for."""

    def __index__(self) -> int:
        raise ZeroDivisionError("asked for an index")

    def __float__(self) -> float:
        raise ZeroDivisionError("asked for a float")

    def __iter__(self) -> Any:
        raise ZeroDivisionError("asked for an iterator")


def stream() -> object:
    return pa.table({"a": [1, 2], "b": [3, 4]}).__arrow_c_stream__()


@pytest.mark.parametrize("count", [0, 1, 10, 12])
def test_wrong_number_of_arguments(count: int) -> None:
    with pytest.raises(TypeError, match=rf"put\(\) takes 11 arguments by position, got {count}"):
        _core.put(*[None] * count)


@pytest.mark.parametrize("handle", [None, 1, "cache", object(), pa.table({"a": [1]}).__arrow_c_stream__()])
@pytest.mark.parametrize("function", [_core.close_cache, _core.clear, _core.keys, _core.status])
def test_no_cache(function: Any, handle: object) -> None:
    with pytest.raises(TypeError, match='cache must be a capsule "arrow_cache.cache"'):
        function(handle)


def test_handles_are_not_interchangeable(core: Any, numbers: pa.Table) -> None:
    entry = core.put("k", numbers)
    with pytest.raises(TypeError, match="entry must be a capsule"):
        _core.describe(core.handle)
    with pytest.raises(TypeError, match="cache must be a capsule"):
        _core.keys(entry)
    with pytest.raises(TypeError, match="stream must be a capsule"):
        _core.put(core.handle, "k", entry, "arrow", "{}", None, True, None, False, None, None)


@pytest.mark.parametrize(
    ("position", "value", "error", "words"),
    [
        (0, 5, TypeError, "cache must be"),
        (1, 5, TypeError, "key must be a str, not int"),
        (1, b"k", TypeError, "key must be a str, not bytes"),
        (1, "", arrow_cache.errors.InvalidArgument, "key is empty"),
        (1, "\udcff", ValueError, "lone surrogate"),
        (2, 5, TypeError, "stream must be a capsule"),
        (3, None, TypeError, "kind must be a str"),
        (4, {}, TypeError, "metadata must be a str, not dict"),
        (5, "1", TypeError, "ttl must be a number, not str"),
        (5, math.nan, arrow_cache.errors.InvalidArgument, "ttl is nan"),
        (5, math.inf, arrow_cache.errors.InvalidArgument, "ttl is inf"),
        (5, -1, arrow_cache.errors.InvalidArgument, "ttl is -1"),
        (5, 10**400, OverflowError, "too large"),
        (5, Raising(), ZeroDivisionError, "asked for a float"),
        (6, 1, TypeError, "overwrite must be a bool, not int"),
        (7, "yes", TypeError, "auto_partition must be a bool, not str"),
        (8, None, TypeError, "copy must be a sequence, not NoneType"),
        (8, "ab", TypeError, "copy must be a sequence, not str"),
        (8, [0, "1"], TypeError, r"copy\[1\] must be an int, not str"),
        (8, [0.5], TypeError, r"copy\[0\] must be an int, not float"),
        (8, [2], arrow_cache.errors.InvalidArgument, "column 2 is not there: the table has 2 columns"),
        (8, [-1], arrow_cache.errors.InvalidArgument, "column -1 is not there"),
        (8, [2**70], ValueError, r"copy\[0\] is beyond 64 bits"),
        (8, [Raising()], ZeroDivisionError, "asked for an index"),
        (8, Raising(), ZeroDivisionError, "asked for an iterator"),
        (9, "1", TypeError, "build_seconds must be a number, not str"),
        (9, Raising(), ZeroDivisionError, "asked for a float"),
        (10, "1", TypeError, "expected_bytes must be an int, not str"),
        (10, 1 << 70, ValueError, "expected_bytes is beyond 64 bits"),
    ],
)
def test_put_with_one_wrong_argument(core: Any, position: int, value: Any, error: type[Exception], words: str) -> None:
    arguments = [core.handle, "k", stream(), "arrow", "{}", None, True, None, False, None, None]
    arguments[position] = value
    with pytest.raises(error, match=words):
        _core.put(*arguments)
    assert _core.keys(core.handle) == []
    core.put("k", pa.table({"a": [1]}))
    assert core.read("k").num_rows == 1


@pytest.mark.parametrize(
    ("offset", "limit", "columns", "error", "words"),
    [
        (-1, None, None, ValueError, "offset is -1: it must be 0 or more"),
        (0, -5, None, ValueError, "limit is -5: it must be 0 or more"),
        (2**63, None, None, ValueError, "offset is beyond 64 bits"),
        (None, None, None, TypeError, "offset must be an int, not NoneType"),
        (0, "1", None, TypeError, "limit must be an int, not str"),
        (0, None, [3], ValueError, "column 3 is not there: the table has 3 columns"),
        (0, None, 5, TypeError, "columns must be a sequence, not int"),
    ],
)
def test_scan_with_wrong_arguments(core: Any, numbers: pa.Table, offset: Any, limit: Any, columns: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        _core.scan(core.put("k", numbers), offset, limit, columns)


@pytest.mark.parametrize("offset", [0, 10, 11, 2**63 - 1])
@pytest.mark.parametrize("limit", [0, 3, 2**63 - 1, None])
def test_scan_bounds_do_not_overflow(core: Any, numbers: pa.Table, offset: int, limit: int | None) -> None:
    expected = numbers.slice(min(offset, 10), limit)
    assert core.rows(core.put("k", numbers), offset, limit).equals(expected)


def test_integers_by_index(core: Any, numbers: pa.Table) -> None:
    entry = core.put("k", numbers)
    assert core.rows(entry, Indexed(8), Indexed(1), (Indexed(2), Indexed(0))).to_pydict() == {"f": [4.0], "n": [8]}
    with pytest.raises(TypeError):
        _core.scan(entry, Indexed("eight"), None, None)


def test_columns_that_change_while_they_are_read(core: Any, numbers: pa.Table) -> None:
    columns: list[Any] = [0, 1]

    class Emptying:
        def __index__(self) -> int:
            columns.clear()
            return 2

    columns.insert(0, Emptying())
    assert core.rows(core.put("k", numbers), 0, 1, columns).column_names == ["f", "n", "s"]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (None, TypeError, "options must be a mapping, not NoneType"),
        ([1], TypeError, "options must be a mapping, not list"),
        ({"colour": 1}, arrow_cache.errors.ConfigurationError, r'options\["colour"\] is no option of the engine'),
        ({1: 1}, TypeError, "a key of options must be a str, not int"),
        ({"memory_limit": -1}, arrow_cache.errors.ConfigurationError, "must be 0 or more"),
        ({"memory_limit": 2**64}, ValueError, "beyond 64 bits"),
        ({"auto_partition": 1}, TypeError, "must be a bool, not int"),
        ({"partition_size_rows": 0}, arrow_cache.errors.ConfigurationError, "partition"),
        ({"eviction_policy": "random"}, arrow_cache.errors.ConfigurationError, "random"),
        ({"duckdb_extensions": "spatial"}, TypeError, "must be a sequence, not str"),
        ({"duckdb_extensions": [1]}, TypeError, r"\[0\] must be a str, not int"),
    ],
)
def test_open_with_wrong_options(options: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        _core.open_cache(options, library_path())


@pytest.mark.parametrize("key", ["a\0b", "\0", "ключ 🗝", "a'b\"c", " ", "x" * 100_000])
def test_any_text_is_a_key(core: Any, numbers: pa.Table, key: str) -> None:
    core.put(key, numbers)
    assert _core.keys(core.handle) == [key]
    assert _core.describe(_core.peek(core.handle, key))["key"] == key
    assert _core.remove(core.handle, key)


def test_error_classes_are_checked() -> None:
    with pytest.raises(TypeError, match=r'types\["query"\] must be an exception class, not type'):
        _core.register_errors({"query": int})
    with pytest.raises(TypeError, match=r'types\["query"\] must be an exception class, not ValueError'):
        _core.register_errors({"query": ValueError()})
    with pytest.raises(ValueError, match='unknown error code "nonsense"'):
        _core.register_errors({"nonsense": ValueError})


def test_every_error_code_of_the_engine_has_its_class() -> None:
    with pytest.raises(ValueError, match="unknown error code") as caught:
        _core.register_errors({"nonsense": ValueError})
    codes = str(caught.value).rpartition("are ")[2].split(", ")
    assert set(codes) == set(arrow_cache.errors.BY_CODE)


@pytest.mark.parametrize("byte_count", [-1, 2**62, 2**64])
def test_memo_of_an_impossible_size(core: Any, numbers: pa.Table, byte_count: int) -> None:
    with pytest.raises(ValueError, match="byte_count"):
        _core.set_memo(core.put("k", numbers), "m", "value", byte_count)


@pytest.mark.parametrize("seed", range(5))
def test_random_arguments_raise_or_work(core: Any, numbers: pa.Table, seed: int) -> None:
    """Whatever comes in: a result or an exception, and the cache goes on."""
    source = random.Random(seed)
    entry = core.put("k", numbers)
    values: list[Callable[[], Any]] = [
        lambda: core.handle, lambda: entry, stream, lambda: "k", lambda: "", lambda: "SELECT 1", lambda: "\0\ud800", lambda: "{}", lambda: b"k",
        lambda: None, lambda: True, lambda: False, lambda: 0, lambda: 1, lambda: -1, lambda: 2**31, lambda: 2**63, lambda: -(2**63), lambda: 2**200,
        lambda: 0.5, lambda: math.nan, lambda: -math.inf, lambda: 1e308, list, lambda: [0, 2], lambda: [2**63], lambda: ["a"], tuple, dict,
        lambda: {"a": ("int", 1)}, lambda: {1: 2}, lambda: [("int", 1)], lambda: [("list", [("text", "\ud800")])], Raising, lambda: Indexed(2**80),
        object, lambda: _core, lambda: Raising, lambda: iter([1]), lambda: memoryview(b"abc"), lambda: range(3), lambda: {1, 2},
    ]  # fmt: skip
    functions = [(name, len(inspect.signature(call).parameters)) for name, call in vars(_core).items() if inspect.isbuiltin(call)]
    outcomes = {True: 0, False: 0}
    for _ in range(3000):
        name, count = source.choice(functions)
        if name in ("open_cache", "close_cache", "abandon_cache", "register_errors"):
            continue
        arguments = [source.choice(values)() for _ in range(count)]
        if source.random() < 0.5:  # past the first check
            arguments[0:1] = [entry if name in ("describe", "schema", "scan", "memo", "set_memo") else core.handle][:count]
        try:
            getattr(_core, name)(*arguments)
            outcomes[True] += 1
        except Exception:
            outcomes[False] += 1
    assert min(outcomes.values()) > 100
    core.put("k", numbers)
    assert core.read("k").equals(numbers)
    assert core.query("SELECT count(*) AS n FROM _cache_k") == [{"n": 10}]
