import dataclasses
import datetime as dt
import decimal
import enum
import functools
import pathlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from arrow_cache import InvalidArgumentType


@pytest.fixture
def squares(cache):
    """A memoized function and the list of the calls that it was run for."""
    calls = []

    @cache.memoize()
    def squares(count, *, power=2):
        """Powers of the first numbers."""
        calls.append((count, power))
        return pd.DataFrame({"x": [number**power for number in range(count)]})

    return squares, calls


def test_the_second_call_is_not_run(squares):
    function, calls = squares
    assert function(3)["x"].tolist() == function(3)["x"].tolist() == [0, 1, 4]
    assert function(4)["x"].tolist() == [0, 1, 4, 9]
    assert calls == [(3, 2), (4, 2)]


def test_one_call_however_it_is_written(squares):
    function, calls = squares
    function(3)
    function(count=3)
    function(3, power=2)
    assert calls == [(3, 2)]
    function(3, power=3)
    assert calls == [(3, 2), (3, 3)]


def test_results_are_entries_with_keys_that_can_be_read(cache, squares):
    function, _ = squares
    function(3)
    [key] = cache.get_keys()
    assert key == function.cache_key(3) and "squares" in key and "count=3" in key and "power=2" in key
    assert len(cache.get(key)) == 3


def test_forget(cache, squares):
    function, calls = squares
    function(3)
    assert function.forget(3) is True and function.forget(3) is False
    function(3)
    assert calls == [(3, 2), (3, 2)]


def test_the_function_is_still_itself(squares):
    function, _ = squares
    assert function.__name__ == "squares" and function.__doc__ == "Powers of the first numbers."
    assert len(function.__wrapped__(5)) == 5


def test_results_belong_to_the_caller(squares):
    function, _ = squares
    got = function(3)
    got.loc[0, "x"] = 99
    assert function(3)["x"].tolist() == [0, 1, 4]


def test_without_parentheses(cache):
    @cache.memoize
    def frame(count):
        return pd.DataFrame({"x": range(count)})

    assert len(frame(4)) == 4 and len(cache) == 1


def test_ttl(cache):
    frame = cache.memoize(ttl=30)(lambda: pd.DataFrame({"x": [1]}))
    frame()
    assert 29 < cache.get_metadata(frame.cache_key())["ttl"] <= 30
    with pytest.raises(ValueError, match="ttl"):
        cache.memoize(ttl=-1)


def test_a_key_of_ones_own(cache):
    frames = cache.memoize(key=lambda frame: f"head of {len(frame)}")(lambda frame: frame.head(1))
    frames(pd.DataFrame({"x": [1, 2]}))
    assert cache.get_keys() == ["head of 2"]


def test_a_name_of_ones_own(cache):
    frame = cache.memoize(key="report")(lambda year: pd.DataFrame({"x": [year]}))
    frame(2020)
    assert cache.get_keys() == ["report(year=2020)"]


@pytest.mark.parametrize("key", [5, "", ["a"]])
def test_any_other_key_is_refused(cache, key):
    with pytest.raises(InvalidArgumentType, match="key: give a function"):
        cache.memoize(key=key)


def test_a_key_function_that_gives_no_text_is_refused(cache):
    frame = cache.memoize(key=lambda: 5)(lambda: pd.DataFrame())
    with pytest.raises(InvalidArgumentType, match="a key is a non-empty str"):
        frame()


def test_exceptions_are_not_kept(cache):
    calls = []

    @cache.memoize()
    def fail():
        calls.append(1)
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fail()
    assert len(calls) == 2 and len(cache) == 0


def test_wrong_arguments_are_the_functions_own_error(squares):
    function, _ = squares
    with pytest.raises(TypeError, match="nothing"):
        function(3, nothing=1)
    with pytest.raises(TypeError, match="count"):
        function()


def test_threads_build_once(cache):
    calls = []

    @cache.memoize()
    def slow(number):
        calls.append(number)
        return pd.DataFrame({"x": [number]})

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(slow, [1, 2] * 20))
    assert sorted(calls) == [1, 2] and [int(frame["x"][0]) for frame in results] == [1, 2] * 20


# --- keys of calls -----------------------------------------------------------------------------------------------------------


class Size(enum.Enum):
    SMALL = 1
    LARGE = 2


@dataclasses.dataclass
class Place:
    name: str
    at: tuple[float, float]


DIFFERENT = [
    None,
    True,
    1,
    1.0,
    "1",
    b"1",
    1j,
    "",
    "None",
    "1, 2",
    (1, 2),
    [1, 2],
    {1, 2},
    frozenset({1, 2}),
    {"a": 1},
    {"a": "1"},
    {1: "a"},
    [],
    (),
    [[1], 2],
    [1, [2]],
    ["1, 2"],
    dt.date(2020, 1, 1),
    dt.datetime(2020, 1, 1),
    dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
    dt.timedelta(1),
    decimal.Decimal("1.0"),
    decimal.Decimal("1.00"),
    pathlib.PurePosixPath("1"),
    np.int64(1),
    np.float64(1),
    pd.Timestamp("2020-01-01"),
    Size.SMALL,
    Size.LARGE,
    Place("a", (1.0, 2.0)),
    Place("a", (1.0, 3.0)),
    slice(1, 2),
    range(1, 2),
    int,
    float("nan"),
    ...,
    "x" * 1000,
    "x" * 1001,
]


def test_different_arguments_have_different_keys(cache):
    function = cache.memoize()(lambda value: None)
    keys = [function.cache_key(value) for value in DIFFERENT]
    assert len(set(keys)) == len(DIFFERENT)
    assert keys == [function.cache_key(value) for value in DIFFERENT]
    assert all(len(key) < 400 for key in keys)


def test_order_counts_where_it_counts(cache):
    function = cache.memoize()(lambda value=None, **others: None)
    assert function.cache_key({"a": 1, "b": 2}) == function.cache_key({"b": 2, "a": 1})
    assert function.cache_key({3, 1, 2}) == function.cache_key({2, 3, 1})
    assert function.cache_key([1, 2]) != function.cache_key([2, 1])
    assert function.cache_key(a=1, b=2) == function.cache_key(b=2, a=1)


@pytest.mark.parametrize("value", [pd.DataFrame(), np.arange(3), object(), lambda: 1, [object()], {"a": object()}, (n for n in range(2))])
def test_arguments_without_a_text_of_their_own_are_refused(cache, value):
    function = cache.memoize()(lambda value: pd.DataFrame())
    with pytest.raises(InvalidArgumentType, match="argument 'value' of .*give memoize a key"):
        function(value)


def test_methods(cache):
    class Loader:
        @cache.memoize()
        def load(self, year):
            return pd.DataFrame({"x": [year]})

    with pytest.raises(InvalidArgumentType, match="argument 'self'"):
        Loader().load(2020)

    @dataclasses.dataclass
    class Region:
        name: str

        @cache.memoize()
        def load(self, year):
            return pd.DataFrame({"x": [f"{self.name}{year}"]})

    assert Region("a").load(1)["x"][0] == "a1" and Region("b").load(1)["x"][0] == "b1"
    assert len(cache) == 2


def test_functions_of_one_name_stay_apart(cache):
    functions = [cache.memoize()(function) for function in (lambda: pd.DataFrame({"x": [1]}), lambda: pd.DataFrame({"x": [2]}))]
    assert [int(function()["x"][0]) for function in functions] == [1, 2]


def test_functions_that_close_over_other_values_stay_apart(cache):
    def make(number, table):
        @cache.memoize()
        def frame():
            return table.assign(x=number)

        return frame

    one, two = pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})
    functions = [make(1, one), make(2, one), make(1, two)]
    assert [function().iloc[0].tolist() for function in functions] == [[1, 1], [1, 2], [2, 1]]


def test_the_same_function_decorated_again_finds_its_results(cache):
    def make(number):
        @cache.memoize()
        def frame():
            return pd.DataFrame({"x": [number]})

        return frame

    assert make(1).cache_key() == make(1).cache_key() != make(2).cache_key()


def test_an_edited_function_is_another(cache):
    sources = ["def f(x):\n return pd.DataFrame({'a': [x]})", "def f(x):\n return pd.DataFrame({'a': [x + 1]})"]
    results = []
    for source in (*sources, sources[0]):
        names = {"pd": pd, "__name__": "notebook"}
        exec(source, names)
        results.append(int(cache.memoize()(names["f"])(1)["a"][0]))
    assert results == [1, 2, 1] and len(cache) == 2


def test_partial_functions(cache):
    def frame(a, b):
        return pd.DataFrame({"x": [a * 10 + b]})

    functions = [cache.memoize()(functools.partial(frame, a)) for a in (1, 2)]
    assert [int(function(5)["x"][0]) for function in functions] == [15, 25]


def test_functions_that_call_each_other(cache):
    def even(n):
        return odd(n - 1) if n else pd.DataFrame({"x": ["even"]})

    def odd(n):
        return even(n - 1) if n else pd.DataFrame({"x": ["odd"]})

    assert cache.memoize()(even)(4)["x"][0] == "even"


async def coroutine():
    return pd.DataFrame()


def generator():
    yield pd.DataFrame()


async def async_generator():
    yield pd.DataFrame()


@pytest.mark.parametrize("function", [coroutine, generator, async_generator])
def test_what_returns_no_table_is_refused(cache, function):
    with pytest.raises(InvalidArgumentType, match="not a table"):
        cache.memoize()(function)


@pytest.mark.parametrize("wrong", [5, "f", None])
def test_what_is_no_function_is_refused(cache, wrong):
    with pytest.raises(InvalidArgumentType, match="memoize decorates a function"):
        cache.memoize()(wrong)
