"""What the tests of the converters share: the way through Arrow that data takes in the cache, without the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from arrow_cache import converters

#: Borders at which five rows are cut.
SLICES = [(0, 5), (0, 2), (1, 3), (2, 10), (4, 1), (0, 0), (5, 2)]


class Stored:
    """Data on the other side of the Arrow C stream, as the engine has it."""

    def __init__(self, data: Any, **options: Any) -> None:
        self.incoming = converters.to_arrow(data, **options)
        self.table = pa.RecordBatchReader.from_stream(self.incoming.stream).read_all()

    def get(self, target: str | None = None, offset: int = 0, limit: int | None = None, columns: Any = None) -> Any:
        """As ``cache.get``."""
        table = self.table.slice(offset, limit)
        if columns is not None:
            table = table.select(converters.select_columns(self.table.schema, columns, self.incoming.kind))
        return converters.from_arrow(table, target, self.incoming.kind, offset=offset)


def same_objects(left: Any, right: Any) -> bool:
    """Whether two values are equal and of the same types all through; NaN equals NaN."""
    if type(left) is not type(right):
        return False
    if isinstance(left, np.ndarray):
        return (
            left.dtype == right.dtype
            and left.shape == right.shape
            and all(map(same_objects, left.tolist(), right.tolist()))
        )
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same_objects, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same_objects(left[key], right[key]) for key in left)
    if left is pd.NA or left is pd.NaT or left is None:
        return left is right
    if isinstance(left, (float, complex, np.floating)) and left != left:
        return bool(right != right)
    if hasattr(left, "tzinfo") and (
        str(left) != str(right) or left.fold != right.fold or repr(left.tzinfo) != repr(right.tzinfo)
    ):
        return False
    if hasattr(left, "unit") and left.unit != right.unit:
        return False
    return str(left) == str(right) if type(left).__name__ == "Decimal" else bool(left == right)


def assert_same(actual: Any, expected: Any) -> None:
    """pandas' own comparison at its strictest, and object columns value by value with their types."""
    assert type(actual) is type(expected)
    if isinstance(expected, pd.Index):
        pd.testing.assert_index_equal(actual, expected, exact="equiv" if isinstance(expected, pd.RangeIndex) else True)
        assert type(actual) is type(expected)
        assert getattr(actual, "freq", None) == getattr(expected, "freq", None)
        return
    if isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(actual, expected, check_index_type="exact", check_freq=True, check_flags=True)
        columns = [(actual, expected)]
    else:
        pd.testing.assert_frame_equal(
            actual, expected, check_index_type="exact", check_column_type="exact", check_freq=True, check_flags=True
        )
        assert_same(actual.columns, expected.columns)
        columns = [(actual.iloc[:, i], expected.iloc[:, i]) for i in range(expected.shape[1])]
    assert_same(actual.index, expected.index)
    assert actual.attrs.keys() == expected.attrs.keys()
    for left, right in columns:
        if right.dtype == object:
            for row, pair in enumerate(zip(left, right, strict=True)):
                assert same_objects(*pair), f"row {row}: {pair[0]!r} is not {pair[1]!r}"
        if isinstance(right.dtype, pd.DatetimeTZDtype):
            assert repr(left.dtype.tz) == repr(right.dtype.tz)
            assert type(left.dtype.tz) is type(right.dtype.tz)


def assert_comes_back(data: Any, **options: Any) -> Stored:
    """Whole and cut at every border, the data comes back equal."""
    stored = Stored(data, **options)
    assert_same(stored.get(), data)
    for offset, limit in SLICES:
        part = data[offset : offset + limit] if isinstance(data, pd.Index) else data.iloc[offset : offset + limit]
        assert_same(stored.get(offset=offset, limit=limit), part)
    return stored


@pytest.fixture
def names_of_copies() -> Any:
    """The names of the columns that the engine is told to copy."""

    def names(stored: Stored) -> list[str]:
        assert isinstance(stored.incoming.copy, list)
        return [stored.table.column_names[position] for position in stored.incoming.copy]

    return names
