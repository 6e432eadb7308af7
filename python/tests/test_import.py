"""What ``import arrow_cache`` brings, and what it costs."""

import json
import re
from pathlib import Path

import arrow_cache
from test_lifecycle import run_python


def test_names():
    for name in arrow_cache.__all__:
        assert hasattr(arrow_cache, name), name
    assert {"ArrowCache", "ArrowCacheConfig", "DEFAULT_CONFIG", "__version__"} <= set(arrow_cache.__all__)
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", arrow_cache.__version__)
    assert (Path(arrow_cache.__file__).parent / "py.typed").is_file()


def test_optional_packages_are_not_imported():
    found = run_python("""
        import json, sys
        import arrow_cache
        print(json.dumps([name for name in ("geopandas", "polars", "shapely", "pyogrio", "pyproj") if name in sys.modules]))
    """)
    assert json.loads(found) == []


def test_the_import_costs_less_than_150_ms_beyond_the_dependencies():
    # Time of the processor, so that other work on the machine is not counted.
    times = [
        float(
            run_python("""
                import time
                import numpy, pandas, pyarrow, duckdb
                start = time.process_time()
                import arrow_cache
                print(time.process_time() - start)
            """)
        )
        for _ in range(3)
    ]
    assert min(times) < 0.150


def test_without_duckdb_opening_says_what_to_install():
    output = run_python("""
        import sys
        from arrow_cache import ArrowCache, DuckDBError
        sys.modules["duckdb"] = None
        try:
            ArrowCache()
        except DuckDBError as error:
            print(error)
    """)
    assert "pip install 'duckdb>=1.5'" in output


def test_an_old_duckdb_is_refused():
    output = run_python("""
        import duckdb
        duckdb.__version__ = "1.4.2"
        from arrow_cache import ArrowCache, DuckDBError
        try:
            ArrowCache()
        except DuckDBError as error:
            print(error)
    """)
    assert "duckdb 1.4.2 is too old" in output and "1.5" in output


def test_a_duckdb_without_its_library_is_refused():
    output = run_python("""
        import duckdb, importlib.util
        find = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *rest: None if name == "_duckdb" else find(name, *rest)
        from arrow_cache import ArrowCache, DuckDBError
        try:
            ArrowCache()
        except DuckDBError as error:
            print(error)
    """)
    assert "no shared object" in output
