"""What ``get`` and ``query`` can give back: names, their aliases, and the form that belongs to what was put."""

from __future__ import annotations

import difflib
from typing import Any

from ..errors import InvalidArgument

__all__ = ["default_target", "normalise_target", "target_kinds"]

_ALIASES: dict[str, tuple[str, ...]] = {
    "pandas": ("pd", "df", "dataframe", "pd.dataframe", "pandas.dataframe", "pandas.core.frame.dataframe"),
    "pandas_arrow": ("pandas-arrow", "arrow_dtype", "arrowdtype", "pd.arrowdtype", "pandas.arrowdtype"),
    "geopandas": (
        "gpd",
        "gdf",
        "geodataframe",
        "gpd.geodataframe",
        "geopandas.geodataframe",
        "geopandas.geodataframe.geodataframe",
    ),
    "arrow": ("pa", "table", "pyarrow", "pa.table", "pyarrow.table", "arrow_table", "pyarrow.lib.table"),
    "reader": (
        "recordbatchreader",
        "pa.recordbatchreader",
        "pyarrow.recordbatchreader",
        "record_batch_reader",
        "pyarrow.lib.recordbatchreader",
    ),
    "polars": ("pl", "pl.dataframe", "polars.dataframe", "polars.dataframe.frame.dataframe"),
    "numpy": ("np", "ndarray", "np.ndarray", "numpy.ndarray"),
    "dict": ("pydict", "dictionary", "builtins.dict"),
    "capsule": ("stream", "arrow_array_stream", "pycapsule"),
}
_CANONICAL = {alias: name for name, aliases in _ALIASES.items() for alias in (name, *aliases)}


def target_kinds() -> tuple[str, ...]:
    """The names of all forms that data can be given back in."""
    return tuple(_ALIASES)


def normalise_target(name: Any) -> str:
    """The name of a form by any of its aliases, whatever its case; a class stands for its own name.

    Raises
    ------
    InvalidArgument
        There is no such form; the message has the allowed ones and the nearest.

    Examples
    --------
    >>> normalise_target("pd.DataFrame")
    'pandas'
    """
    text = f"{name.__module__}.{name.__qualname__}" if isinstance(name, type) else name
    found = _CANONICAL.get(text.strip().lower()) if isinstance(text, str) else None
    if found is not None:
        return found
    nearest = difflib.get_close_matches(str(text).lower(), _CANONICAL, n=1)
    hint = f"; did you mean {_CANONICAL[nearest[0]]!r}?" if nearest else ""
    raise InvalidArgument(f"unknown target type {name!r}: one of {', '.join(map(repr, _ALIASES))}{hint}")


def default_target(kind: str) -> str:
    """The form in which an entry of this kind is given back if none is asked for: the one it was put in."""
    return kind.partition("_")[0]
