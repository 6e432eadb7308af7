"""Writes docs/fidelity.md from what was run: put, get, slices, columns and SQL of one of everything that can be put.

Run it in an environment with pandas, GeoPandas, Polars and arrow_cache: ``python scripts/fidelity.py [FILE]``. Exits with 1
if something that should come back does not.
"""

from __future__ import annotations

import datetime
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python" / "tests"))

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import shapely
from arrow_cache import ArrowCache, CacheError
from converters import arrow_samples, index_samples, refused_samples, samples, test_geo, test_polars
from converters.conftest import SLICES, assert_same, same_objects
from polars.testing import assert_frame_equal as assert_polars_equal

INTRODUCTION = """\
# What comes back, and what SQL sees

Made by `scripts/fidelity.py` from what it ran: each row was put into a cache, got back whole and cut at every border,
compared at its strictest (pandas' `assert_frame_equal` with index, column, frequency and flag checks, objects value by value with their
types; `Table.equals` with metadata), and queried. The same matrices are tests, next to generated frames and tables.

{versions}

What has no form in Arrow is kept in one that has, and comes back as it was:

| what | is kept as |
|---|---|
| numpy `float16` | `float`, since DuckDB reads no half floats |
| complex numbers | `struct<re, im>` |
| `Sparse` | dense; dtype, fill value and index kind are remembered |
| `Period` | the date or time of its start; pandas' ordinal where that is out of range |
| `Interval` | `struct<left, right>` |
| times with a zone | microseconds wherever they fit, whatever the unit; the unit and the zone's own class are remembered |
| categories that are intervals, mixed objects or categories themselves | a dictionary of their text; the true ones are remembered |
| `MultiIndex` | a dictionary column a level |
| `RangeIndex`, frequencies, names, labels, `attrs`, flags | JSON in the schema's metadata |
| None, NaN, NA and NaT mixed in one object column | nulls; which was which is remembered |
| integers beyond 64 bits, `Decimal` | `decimal128`; with different numbers of digits, those are remembered; beyond 38 digits, text |
| tuples, sets | lists |
| dicts whose keys differ from row to row | a struct of all keys, or a map; which row had which is remembered |
| lists and dicts whose insides have no one type | JSON |
| linear rings, points at NaN | what WKB makes of them; which those are is remembered |

Three things come back equal but not the same: a subclass of `str` among plain strings in an object column comes back plain; data
under the mask of a nullable column is not kept; and Polars columns of fixed width are copied on the way in, because Polars may show memory of
a numpy array that the caller can still write to.
"""


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    name: str
    kept: str
    back: str
    sql: str

    @property
    def is_right(self) -> bool:
        return self.back == "equal"


def main() -> int:
    """Run everything and write the document."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "fidelity.md"
    warnings.simplefilter("ignore")
    with ArrowCache(memory_limit="1GiB", spill_to_disk=False) as cache:
        sections = list(_sections(cache))
        text = INTRODUCTION.format(versions=_versions()) + "".join(_section(*section) for section in sections)
        text += _refusals(cache) + _forms(cache) + _files(cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    rows = [row for _, _, rows in sections for row in rows]
    wrong = [row for row in rows if not row.is_right]
    print(f"{len(rows)} kinds of data, {len(rows) - len(wrong)} come back equal: {target}")
    for row in wrong:
        print(f"  {row.name}: {row.back}")
    return 1 if wrong else 0


def _versions() -> str:
    found = {"pandas": pd, "pyarrow": pa, "DuckDB": duckdb, "GeoPandas": gpd, "Polars": pl, "numpy": np}
    return ", ".join(f"{name} {module.__version__}" for name, module in found.items()) + "."


def _sections(cache: ArrowCache) -> Iterator[tuple[str, str, list[Row]]]:
    columns = "The column `x` of a DataFrame; a Series and an Index of the same values are tested too."
    for title, builders in (
        ("pandas: numpy dtypes", samples.NUMPY),
        ("pandas: its own dtypes", samples.EXTENSIONS),
        ("pandas: columns of Python objects", samples.OBJECTS),
        ("pandas: time zones", _zoned()),
    ):
        yield title, columns, [_pandas(cache, name, _frame(build)) for name, build in builders.items()]
    yield "pandas: row indexes", "A frame with that index.", list(_indexes(cache))
    yield "pandas: column labels", "A frame with those labels; the names that SQL has for them.", list(_labels(cache))
    yield "GeoPandas", "A GeoDataFrame whose active geometry is `x`; every other test has a CRS.", list(_geo(cache))
    yield "Arrow", "A table with schema and field metadata.", list(_arrow(cache))
    yield "Polars", "A DataFrame; a Series of the same values is tested too.", list(_polars(cache))


def _frame(build: Callable[[], Any]) -> Callable[[], pd.DataFrame]:
    return lambda: pd.DataFrame({"x": build(), "n": range(5)})


def _zoned() -> dict[str, Callable[[], Any]]:
    moments = pd.DatetimeIndex(["2020-10-25 00:30", None, "1950-01-01", "2020-10-25 01:30", "2037-07-01"], tz="UTC")
    found: dict[str, Callable[[], Any]] = {}
    for name, zone in samples.ZONES.items():
        try:
            str(moments.tz_convert(zone())[0])
        except (ImportError, AttributeError):
            continue
        found[name] = partial(lambda make: moments.tz_convert(make()), zone)
    return found


def _pandas(cache: ArrowCache, name: str, build: Callable[[], pd.DataFrame]) -> Row:
    try:
        cache.put("entry", build())
        expected = build()
        assert_same(cache.get("entry"), expected)
        for offset, limit in SLICES:
            assert_same(cache.get("entry", offset=offset, limit=limit), expected.iloc[offset : offset + limit])
        if "n" in expected.columns:
            assert_same(cache.get("entry", columns=["n"]), expected[["n"]])
        back = "equal"
    except (AssertionError, CacheError) as error:
        back = _first_line(error)
    return Row(name, _kept(cache, "x"), back, _sql(cache, "x"))


def _kept(cache: ArrowCache, column: str) -> str:
    field = cache.get("entry", target_type="arrow").schema.field(column)
    extension = (field.metadata or {}).get(b"ARROW:extension:name", b"").decode()
    return f"{field.type} ({extension})" if extension else str(field.type)


def _sql(cache: ArrowCache, column: str) -> str:
    """The column's type in SQL, after reading all of it and comparing which rows are NULL; or why not."""
    try:
        kind = cache.query("DESCRIBE SELECT * FROM _cache_entry", target_type="dict")
        found = dict(zip(kind["column_name"], kind["column_type"], strict=True))[column]
        rows = cache.query("SELECT * FROM _cache_entry", target_type="arrow")
        nulls = cache.query(f'SELECT "{column}" IS NULL AS missing FROM _cache_entry', target_type="dict")["missing"]
    except CacheError as error:
        return f"no: {_first_line(error)}"
    expected = cache.get("entry", target_type="arrow")
    if rows.num_rows != expected.num_rows or sum(nulls) != sum(expected[column].is_null().to_pylist()):
        return f"{found}, but other rows"
    return found if len(found) < 60 else f"{found[:57]}…"


def _indexed(build: Callable[[], Any]) -> pd.DataFrame:
    return pd.DataFrame({"x": range(5), "n": list("abcde")}, index=build())


def _indexes(cache: ArrowCache) -> Iterator[Row]:
    for name, build in index_samples.INDEXES.items():
        row = _pandas(cache, name, partial(_indexed, build))
        schema = cache.get("entry", target_type="arrow").schema
        fields = [field for field in schema if field.name not in ("x", "n")]
        kept = ", ".join(f"{field.name}: {field.type}" for field in fields) or "nothing: three numbers"
        yield Row(name, kept, row.back, ", ".join(_sql(cache, field.name) for field in fields) or "–")


def _labels(cache: ArrowCache) -> Iterator[Row]:
    for name, build in index_samples.LABELS.items():
        row = _pandas_labels(cache, name, build)
        names = cache.get("entry", target_type="arrow").column_names
        seen = cache.query("DESCRIBE SELECT * FROM _cache_entry", target_type="dict")["column_name"]
        shown = ", ".join(f"`{text}`" for text in seen)
        yield Row(name, ", ".join(f"`{text}`" for text in names), row, "the same" if seen == names else shown)


def _pandas_labels(cache: ArrowCache, name: str, build: Callable[[], Any]) -> str:
    expected = pd.DataFrame(np.arange(15).reshape(5, 3), columns=build())
    try:
        cache.put("entry", expected)
        assert_same(cache.get("entry"), expected)
        assert_same(cache.get("entry", offset=1, limit=2), expected.iloc[1:3])
    except (AssertionError, CacheError) as error:
        return _first_line(error)
    return "equal"


def _geo(cache: ArrowCache) -> Iterator[Row]:
    for number, name in enumerate(test_geo.WKT):
        geometry = test_geo.series(name, "EPSG:27700" if number % 2 else None)
        frame = gpd.GeoDataFrame({"n": range(5)}, geometry=geometry).rename_geometry("x")
        cache.put("entry", frame)
        try:
            for offset, limit in SLICES:
                back = cache.get("entry", offset=offset, limit=limit)
                test_geo.assert_same_geometry(back.geometry, frame.geometry.iloc[offset : offset + limit])
                assert back.active_geometry_name == "x"
            result = "equal"
        except AssertionError as error:
            result = _first_line(error)
        yield Row(name, _kept(cache, "x"), result, _sql(cache, "x"))
    yield from (_geo_crs(cache, name, crs) for name, crs in test_geo.CRS.items())


def _geo_crs(cache: ArrowCache, name: str, crs: Any) -> Row:
    frame = gpd.GeoDataFrame(geometry=test_geo.series("points", crs)).rename_geometry("x")
    cache.put("entry", frame)
    result = cache.query("SELECT x FROM _cache_entry", target_type="geopandas")
    same = cache.get("entry").crs == frame.crs and result.crs == frame.crs
    return Row(f"CRS: {name}", _kept(cache, "x"), "equal" if same else "another CRS", _sql(cache, "x"))


def _arrow(cache: ArrowCache) -> Iterator[Row]:
    for name, build in arrow_samples.TYPES.items():
        field = pa.field("x", build().type, metadata={"field": "metadata"})
        schema = pa.schema([field, pa.field("n", pa.int64())], metadata={"schema": "metadata"})
        table = pa.Table.from_arrays([build(), pa.array(range(5))], schema=schema)
        try:
            cache.put("entry", table)
            for offset, limit in SLICES:
                back, expected = cache.get("entry", offset=offset, limit=limit), table.slice(offset, limit)
                assert back.schema.equals(expected.schema, check_metadata=True)
                assert repr(back.to_pylist()) == repr(expected.to_pylist())
            result = "equal"
        except (AssertionError, CacheError) as error:
            result = _first_line(error)
        yield Row(name, "itself", result, _sql(cache, "x"))


def _polars(cache: ArrowCache) -> Iterator[Row]:
    for name, build in test_polars.COLUMNS.items():
        frame = pl.DataFrame({"x": build(), "n": [1, 2, 3]})
        try:
            cache.put("entry", frame)
            for offset, limit in [(0, 3), (1, 1), (2, 5), (3, 1)]:
                back = cache.get("entry", offset=offset, limit=limit)
                assert back.schema == frame.schema
                assert_polars_equal(back, frame.slice(offset, limit))
            result = "equal"
        except (AssertionError, CacheError) as error:
            result = _first_line(error)
        yield Row(name, _kept(cache, "x"), result, _sql(cache, "x"))


def _section(title: str, about: str, rows: list[Row]) -> str:
    lines = [f"\n## {title}\n\n{about}\n\n| what | in Arrow | get, slices, columns | in SQL |\n|---|---|---|---|\n"]
    lines += [f"| {_cell(row.name)} | {_cell(row.kept)} | {_cell(row.back)} | {_cell(row.sql)} |\n" for row in rows]
    return "".join(lines)


def _refusals(cache: ArrowCache) -> str:
    lines = ["\n## What is refused, and what to do\n\n| what | the error |\n|---|---|\n"]
    others: dict[str, Callable[[], Any]] = {
        "a dict": lambda: {"a": [1]},
        "a list": lambda: [{"a": 1}],
        "a numpy array": lambda: np.zeros((2, 2)),
        "a subclass of DataFrame": lambda: type("Special", (pd.DataFrame,), {})({"a": [1]}),
        "an Arrow array": lambda: pa.array([1, 2]),
        "attrs that JSON cannot say": lambda: _with_attrs(object()),
        "geometry that WKB cannot hold": lambda: gpd.GeoSeries(
            shapely.from_wkt(["GEOMETRYCOLLECTION (LINEARRING (0 0, 1 0, 1 1, 0 0))"])
        ),
        "a Polars column of objects": lambda: pl.DataFrame({"x": pl.Series([object()], dtype=pl.Object)}),
        "a Polars column of Int128": lambda: pl.DataFrame({"x": pl.Series([1], dtype=pl.Int128)}),
        "text that is no file": lambda: "no such file.parquet",
    }
    columns = {f"a column: {name}": _frame(build) for name, (build, _) in refused_samples.REFUSED.items()}
    for name, build in {**columns, **others}.items():
        try:
            cache.put("refused", build())
            raise AssertionError(f"{name} was taken")
        except CacheError as error:
            lines.append(f"| {_cell(name)} | {_cell(_first_line(error).replace(str(Path.cwd()), '…'))} |\n")
    return "".join(lines)


def _with_attrs(value: object) -> pd.DataFrame:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["odd"] = value
    return frame


def _forms(cache: ArrowCache) -> str:
    """Each kind that is put in each form that it can be got in."""
    series = pd.Series([1, 2], name="x")
    kinds = {
        "DataFrame": pd.DataFrame({"x": [1, 2]}),
        "Series": series,
        "Index": pd.Index([1, 2], name="x"),
        "GeoDataFrame": gpd.GeoDataFrame({"n": [1, 2]}, geometry=gpd.points_from_xy([0, 1], [2, 3])),
        "Arrow table": pa.table({"x": [1, 2]}),
        "Polars DataFrame": pl.DataFrame({"x": [1, 2]}),
        "Polars Series": pl.Series("x", [1, 2]),
    }
    targets = [None, "pandas", "pandas_arrow", "geopandas", "arrow", "reader", "polars", "numpy", "dict", "capsule"]
    lines = ["\n## What it can be got as\n\n| put | " + " | ".join(target or "get()" for target in targets) + " |\n"]
    lines.append("|---" * (len(targets) + 1) + "|\n")
    for name, data in kinds.items():
        cache.put("entry", data)
        lines.append(
            f"| {name} | " + " | ".join(_form(partial(cache.get, "entry", target_type=t)) for t in targets) + " |\n"
        )
    cache.put("entry", kinds["GeoDataFrame"])
    query = "SELECT * FROM _cache_entry"
    lines.append(
        "| query | " + " | ".join(_form(partial(cache.query, query, target_type=t)) for t in targets) + " |\n"
    )
    return "".join(lines)


def _form(make: Callable[[], Any]) -> str:
    try:
        found = make()
    except CacheError:
        return "no geometry"
    name = type(found).__name__
    return f"dict of {type(next(iter(found.values()))).__name__}" if name == "dict" else name


def _files(cache: ArrowCache) -> str:
    """Files of every format: what kind they arrive as, and how many rows."""
    frame = pd.DataFrame({"a": [1, 2, 3], "s": ["x", None, "z"]}, index=pd.Index([5, 6, 7], name="k"))
    places = gpd.GeoDataFrame({"a": [1]}, geometry=gpd.points_from_xy([0], [1]), crs="EPSG:27700")
    writers: dict[str, Callable[[Path], Any]] = {
        "Parquet": lambda path: frame.to_parquet(path / "x.parquet"),
        "Parquet, folder with Hive partitions": lambda path: frame.to_parquet(path, partition_cols=["a"]),
        "GeoParquet": lambda path: places.to_parquet(path / "x.parquet"),
        "Feather": lambda path: frame.to_feather(path / "x.feather"),
        "CSV": lambda path: frame.to_csv(path / "x.csv"),
        "JSON lines": lambda path: frame.to_json(path / "x.jsonl", orient="records", lines=True),
    }
    readers: dict[str, Callable[[Path], Any]] = {
        "Parquet": lambda path: pd.read_parquet(path / "x.parquet"),
        "GeoParquet": lambda path: gpd.read_parquet(path / "x.parquet"),
        "Feather": lambda path: pd.read_feather(path / "x.feather"),
    }
    lines = [
        "\n## Files\n\nBy path, `Path`, URL, folder, glob or list; read as a stream.\n\n| format | get | comes back |\n|---|---|---|\n"
    ]
    for name, write in writers.items():
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder))
            cache.put("entry", folder)
            back = cache.get("entry")
            if name in readers:
                result = (
                    "equal to what its own reader gives"
                    if _is_equal(back, readers[name](Path(folder)))
                    else "different"
                )
            else:
                result = f"{len(back)} rows: {', '.join(map(str, back.columns))}"
        lines.append(f"| {name} | {type(back).__name__} | {result} |\n")
    return "".join(lines)


def _is_equal(actual: Any, expected: Any) -> bool:
    return type(actual) is type(expected) and all(
        same_objects(left, right) or left == right
        for left, right in zip(
            actual.reset_index().to_dict("records"), expected.reset_index().to_dict("records"), strict=True
        )
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("\0", "␀").encode(errors="backslashreplace").decode()


if __name__ == "__main__":
    started = datetime.datetime.now()
    code = main()
    print(f"{(datetime.datetime.now() - started).total_seconds():.1f} s")
    sys.exit(code)
