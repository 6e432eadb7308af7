"""What a query answers, and how often a kept result has."""

from __future__ import annotations

from typing import Any

from arrow_cache import ArrowCache, CacheError


def hits(cache: ArrowCache) -> int:
    return int(cache.status()["query_results"]["hits"])


def answer_of(cache: ArrowCache, sql: str, parameters: Any = None) -> Any:
    try:
        return cache.query(sql, parameters, target_type="dict")
    except CacheError as error:
        return type(error), str(error)


def values(result: Any) -> list[tuple[Any, ...]]:
    """The rows of a frame."""
    return [tuple(row) for row in result.itertuples(index=False)]
