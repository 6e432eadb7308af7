"""The examples in docstrings run, and everything public has a docstring."""

import doctest
import importlib
import inspect
import pkgutil

import pandas as pd
import pytest

import arrow_cache
from arrow_cache import ArrowCache, ArrowCacheConfig

MODULES = [f"arrow_cache.{module.name}" for module in pkgutil.iter_modules(arrow_cache.__path__) if module.name not in ("_core", "converters")]


@pytest.mark.parametrize("name", ["arrow_cache", *MODULES])
def test_examples_run(name):
    with ArrowCache(spill_to_disk=False) as cache:
        cache.put("numbers", pd.DataFrame({"a": [1, 2, 3]}))
        results = doctest.testmod(importlib.import_module(name), extraglobs={"cache": cache, "pd": pd}, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert results.failed == 0


@pytest.mark.parametrize("member", [ArrowCache, ArrowCacheConfig, *(getattr(ArrowCache, name) for name in ("put", "get", "query", "get_or_put", "memoize"))])
def test_what_is_used_most_has_examples(member):
    assert ">>>" in member.__doc__


@pytest.mark.parametrize("name", ["arrow_cache", *MODULES])
def test_everything_public_says_what_it_is(name):
    module = importlib.import_module(name)
    assert module.__doc__
    for member_name, member in vars(module).items():
        if member_name.startswith("_") or getattr(member, "__module__", "") != name:
            continue
        if inspect.isclass(member) or inspect.isfunction(member):
            assert member.__doc__, member_name


def test_every_method_of_the_cache_says_what_it_is():
    for name, member in inspect.getmembers(ArrowCache):
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            assert member.__doc__, name


def test_every_configuration_key_is_documented():
    for name in ArrowCacheConfig():
        assert f"    {name} : " in ArrowCacheConfig.__doc__, name
        assert name in ArrowCacheConfig.__annotations__
