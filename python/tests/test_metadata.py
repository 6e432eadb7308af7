import datetime as dt
import decimal
import json
import time
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from arrow_cache import InvalidArgument, InvalidArgumentType


def test_facts_about_a_frame(cache, frame):
    before = time.time()
    cache.put("k", frame.set_index("b"), ttl=60, metadata={"source": "database", "version": 2})
    facts = cache.get_metadata("k")
    assert facts["key"] == "k" and facts["kind"] == "pandas" and facts["version"] >= 1
    assert before <= facts["created_at"] <= time.time()
    assert facts["expires_at"] == pytest.approx(facts["created_at"] + 60, abs=0.1)
    assert 59 < facts["ttl"] <= 60
    assert facts["num_rows"] == 3 and facts["num_columns"] == 2
    assert facts["column_names"] == ["a", "c"] and facts["column_types"] == ["int64", "double"]
    assert facts["index_names"] == ["b"]
    assert facts["partition_count"] == 1
    assert facts["size_bytes"] > 0
    assert facts["metadata"] == {"source": "database", "version": 2}


def test_facts_about_an_arrow_table(cache, table):
    cache.put("k", table)
    facts = cache.get_metadata("k")
    assert facts["kind"] == "arrow" and facts["num_rows"] == 10
    assert facts["column_names"] == ["n", "s"] and facts["column_types"] == ["int64", "string"]
    assert facts["index_names"] == [] and facts["crs"] == {} and facts["metadata"] == {}
    assert facts["expires_at"] is None and facts["ttl"] is None


def test_looking_at_metadata_is_no_access(cache, table):
    cache.put("k", table)
    for _ in range(3):
        cache.get_metadata("k")
        cache.contains("k")
    assert cache.get_metadata("k")["access_count"] == 0
    cache.get("k")
    cache.get("k")
    facts = cache.get_metadata("k")
    assert facts["access_count"] == 2
    assert facts["last_accessed_at"] >= facts["created_at"]
    assert cache.status()["hits"] == 2 and cache.status()["misses"] == 0


def test_a_new_version_has_new_facts(cache, table):
    cache.put("k", table, metadata={"a": 1})
    first = cache.get_metadata("k")
    cache.put("k", table.slice(1))
    second = cache.get_metadata("k")
    assert second["version"] > first["version"] and second["num_rows"] == 9 and second["metadata"] == {}


def test_a_missing_key_has_none(cache):
    assert cache.get_metadata("nothing") is None


FAITHFUL = [
    None,
    {},
    {"a": 1, "b": "x", "c": None, "d": True, "e": 1.5, "f": [1, [2]], "g": {"h": {}}},
    {"key": "not mine", "num_rows": -1, "metadata": {"metadata": 1}},
    {"ünïcode": "🦆", "quote\"": "\n\\", "": 0},
    {"large": 10**30, "negative zero": -0.0},
]
KEPT_IN_PROCESS = [
    {"tuple": (1, 2)},
    {1: "one", None: 2},
    {"date": dt.date(2020, 1, 1), "decimal": decimal.Decimal("1.50")},
    {"set": {1, 2}, "bytes": b"\0"},
    {"infinite": float("inf")},
    {"numpy": np.float32(1.5), "integer": np.int64(3)},
    {"nested": [{"deep": (1, {"er": 1j})}]},
]


@pytest.mark.parametrize("metadata", FAITHFUL + KEPT_IN_PROCESS, ids=repr)
def test_the_users_metadata_equals_what_was_put(cache, table, metadata):
    cache.put("k", table, metadata=metadata)
    got = cache.get_metadata("k")["metadata"]
    assert got == (metadata or {})
    assert repr(got) == repr(metadata or {})


@pytest.mark.parametrize("metadata", KEPT_IN_PROCESS, ids=repr)
def test_what_json_can_not_hold_is_text_in_the_engine(cache, table, metadata):
    from arrow_cache import _core

    cache.put("k", table, metadata=metadata)
    text = _core.describe(_core.peek(cache._handle, "k"))["metadata"]
    assert list(json.loads(text, parse_constant=pytest.fail)) == [str(name) for name in metadata]


def test_metadata_is_a_copy(cache, table):
    given = {"list": [1], "tuple": (1, [2])}
    cache.put("k", table, metadata=given)
    given["list"].append(2)
    given["tuple"][1].append(3)
    got = cache.get_metadata("k")["metadata"]
    assert got == {"list": [1], "tuple": (1, [2])}
    got["list"].append(5)
    got["tuple"][1].append(5)
    assert cache.get_metadata("k")["metadata"] == {"list": [1], "tuple": (1, [2])}


def test_nan_comes_back(cache, table):
    cache.put("k", table, metadata={"x": float("nan")})
    assert np.isnan(cache.get_metadata("k")["metadata"]["x"])


def test_what_can_not_be_copied_is_kept(cache, table):
    stream = (n for n in range(3))  # deepcopy refuses generators
    cache.put("k", table, metadata={"generator": stream})
    assert cache.get_metadata("k")["metadata"] == {"generator": stream}


def test_any_mapping_is_metadata(cache, table):
    cache.put("k", table, metadata=MappingProxyType({"a": 1}))
    assert cache.get_metadata("k")["metadata"] == {"a": 1}


@pytest.mark.parametrize("metadata", [5, "text", ["a"], [("a", 1)], pd.Series([1])])
def test_what_is_no_mapping_is_refused(cache, table, metadata):
    with pytest.raises(InvalidArgumentType, match="metadata: give a mapping"):
        cache.put("k", table, metadata=metadata)
    assert len(cache) == 0


def test_metadata_that_holds_itself_is_refused(cache, table):
    metadata = {}
    metadata["self"] = metadata
    with pytest.raises(InvalidArgument, match="metadata"):
        cache.put("k", table, metadata=metadata)


def test_the_crs_of_geometry(cache):
    geopandas = pytest.importorskip("geopandas")
    points = geopandas.GeoDataFrame({"n": [1]}, geometry=geopandas.points_from_xy([0], [0]), crs="EPSG:4326")
    cache.put("g", points)
    facts = cache.get_metadata("g")
    assert facts["kind"] == "geopandas"
    assert facts["crs"]["geometry"]["id"] == {"authority": "EPSG", "code": 4326}


def test_a_table_without_columns_or_rows(cache):
    cache.put("k", pa.table({}))
    facts = cache.get_metadata("k")
    assert (facts["num_rows"], facts["num_columns"], facts["column_names"]) == (0, 0, [])
