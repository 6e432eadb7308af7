"""Any sequence of statements and changes answers as without kept results and plans."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pyarrow as pa
import pytest
from query_answers import answer_of, hits

from arrow_cache import ArrowCache

ACTIONS = ("put", "put", "remove", "ttl", "set", "table", "drop", "view", "macro", "thread", "case")


def statements(rng: random.Random) -> Iterator[str]:
    names = ["_cache_p", "_cache_q", "_CACHE_P", '"_cache_Q"', "_cache_r"]
    while True:
        left, right = rng.choice(names), rng.choice(names)
        yield rng.choice(
            [
                f"SELECT sum(v) AS s, count(*) AS n FROM {left}",
                f"SELECT l.v, r.v AS w FROM {left} l JOIN {right} r USING (k) ORDER BY ALL LIMIT 5",
                f"SELECT k, max(v) AS m FROM {left} GROUP BY k ORDER BY k",
                f"WITH c AS (SELECT v FROM {left}) SELECT min(v) AS m FROM c",
                f"SELECT v FROM {left} UNION ALL SELECT v FROM {right} ORDER BY v NULLS LAST LIMIT 3",
                f"SELECT abs(v) AS a, $1::INTEGER AS p FROM {left} WHERE v > $1 ORDER BY ALL LIMIT 2",
            ]
        )


@pytest.mark.parametrize("keeps_results", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_any_sequence_answers_as_without_kept_results_and_plans(seed: int, keeps_results: bool) -> None:
    rng = random.Random(seed)
    made = statements(rng)
    pool = [next(made) for _ in range(8)]
    kept = {"cache_query_results": keeps_results, "cache_query_plans": True}
    plain_options = {"cache_query_results": False, "cache_query_plans": False}
    with ArrowCache(memory_limit="64MiB", **kept) as keeping, ArrowCache(memory_limit="64MiB", **plain_options) as plain:
        caches = (keeping, plain)
        for step in range(150):
            if rng.random() < 0.12:
                action, value = rng.choice(ACTIONS), rng.randrange(100)
                for cache in caches:
                    act(cache, action, value, random.Random(step))
            sql = rng.choice(pool)
            parameters = [rng.randrange(3)] if "$1" in sql else None
            answers = [answer_of(cache, sql, parameters) for cache in caches]
            assert answers[0] == answers[1], (seed, step, sql)
        assert (hits(keeping) > 0) == keeps_results
        assert keeps_results or keeping.status()["query_plans"]["hits"] > 0


def act(cache: ArrowCache, action: str, value: int, rng: random.Random) -> None:
    key = rng.choice("pq")
    if action == "put":
        cache.put(key, pa.table({"k": [1, 2, 3], "v": [value, value + 1, -value]}))
    elif action == "case":
        cache.put("Q", pa.table({"k": [3], "v": [value]}))
    elif action == "remove":
        cache.remove(rng.choice("pqQ"))
    elif action == "ttl" and cache.update_ttl(key, 1e-6):
        threading.Event().wait(0.001)
    elif action == "set":
        answer_of(cache, f"SET default_order = '{rng.choice(['ASC', 'DESC'])}'")
    elif action == "table":
        answer_of(cache, f"CREATE OR REPLACE {rng.choice(['', 'TEMP '])}TABLE _cache_{key} AS SELECT 1 AS k, {value} AS v")
    elif action == "view":
        answer_of(cache, f"CREATE OR REPLACE VIEW _cache_r AS SELECT 1 AS k, {value} AS v")
    elif action == "drop":
        answer_of(cache, f"DROP TABLE IF EXISTS _cache_{key}")
    elif action == "macro":
        answer_of(cache, f"CREATE OR REPLACE MACRO abs(x) AS {value}")
    elif action == "thread":
        thread = threading.Thread(target=lambda: [answer_of(cache, f"SELECT sum(v) AS s, count(*) AS n FROM _cache_{key}") for _ in range(3)])
        thread.start()
        thread.join()
