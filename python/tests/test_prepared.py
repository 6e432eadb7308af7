"""Plans that run more than once: statements of SQL's PREPARE over entries that change, and plans that the cache keeps."""

import pyarrow as pa
import pytest

from arrow_cache import ArrowCache, QueryError


def rows(cache: ArrowCache, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in cache.query(sql, target_type="arrow").to_pylist()]


@pytest.mark.parametrize("options", [{}, {"cache_query_results": False}, {"cache_query_results": False, "cache_query_plans": False}])
def test_a_prepared_statement_reads_the_entry_as_it_is(options: dict[str, bool]) -> None:
    with ArrowCache(**options) as cache:
        cache.put("t", pa.table({"v": [1] * 10}))
        cache.query("PREPARE p AS SELECT v, count(*) AS n FROM _cache_t GROUP BY v")
        assert rows(cache, "EXECUTE p") == rows(cache, "EXECUTE p") == [(1, 10)]
        for version in range(2, 5):
            cache.put("t", pa.table({"v": [version] * 20}))
            assert rows(cache, "EXECUTE p") == [(version, 20)]
            assert cache.query("EXECUTE p", target_type="reader").read_all().to_pylist() == [{"v": version, "n": 20}]
        cache.put("t", pa.table({"v": ["text"]}))
        with pytest.raises(QueryError, match="other columns.*PREPARE it anew"):
            cache.query("EXECUTE p")
        cache.remove("t")
        with pytest.raises(QueryError, match="there no more"):
            cache.query("EXECUTE p")
        cache.put("t", pa.table({"v": [7]}))
        assert rows(cache, "EXECUTE p") == [(7, 1)]
        assert cache.status()["memory"]["leased_bytes"] == 0


def test_a_prepared_insert_writes_what_the_entry_has(cache: ArrowCache) -> None:
    cache.put("t", pa.table({"v": [3]}))
    cache.query("CREATE TABLE log(v INT)")
    cache.query("PREPARE ins AS INSERT INTO log SELECT max(v) FROM _cache_t")
    cache.query("EXECUTE ins")
    cache.put("t", pa.table({"v": [9]}))
    cache.query("EXECUTE ins")
    assert rows(cache, "SELECT v FROM log ORDER BY v") == [(3,), (9,)]


@pytest.mark.parametrize(
    "join",
    [
        "JOIN _cache_t y ON x.id BETWEEN y.id AND y.e",
        "LEFT JOIN _cache_t y ON x.id > y.id AND x.id < y.e",
        "SEMI JOIN _cache_t y ON x.id > y.id AND x.id < y.e",
        "ASOF JOIN _cache_t y ON x.id >= y.id AND x.s = y.s",
        "ASOF LEFT JOIN _cache_t y ON x.id > y.id",
        "JOIN _cache_t y ON x.id > y.id AND y.id < 5",
        "JOIN _cache_t y ON x.s = y.s AND y.id < 9",
        ", range(3) r WHERE x.id > r.range AND x.e < r.range + 8",
    ],
)
def test_joins_of_every_kind_can_be_asked_again_and_again(cache: ArrowCache, join: str) -> None:
    cache.put("t", pa.table({"id": range(3000), "e": [number + 5 for number in range(3000)], "s": [f"k{number % 4}" for number in range(3000)]}))
    with ArrowCache(cache_query_results=False) as plans:
        plans.put("t", cache.get("t"))
        expected = rows(cache, f"SELECT count(*), sum(x.id) FROM _cache_t x {join}")
        for _ in range(9):
            assert rows(plans, f"SELECT count(*), sum(x.id) FROM _cache_t x {join}") == expected
