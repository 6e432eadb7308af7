from pathlib import Path

import duckdb
import pytest

from arrow_cache import ArrowCache, DuckDBError, QueryError, duckdb_library
from arrow_cache.extensions import Extensions

HAS_SPATIAL = duckdb_library.extension_file("spatial") is not None
with_spatial = pytest.mark.skipif(not HAS_SPATIAL, reason="no wheel with the spatial extension for this DuckDB")
without_spatial = pytest.mark.skipif(HAS_SPATIAL, reason="the spatial extension is there")


def test_the_library_is_the_one_that_duckdb_uses():
    path = duckdb_library.library_path()
    assert Path(path).is_file() and Path(path).name.startswith("_duckdb")
    assert path in Path("/proc/self/maps").read_text()


@pytest.mark.parametrize(("version", "warns"), [("1.5.5", False), ("2.0.0", False), ("2.0.1", False), ("2.0.2", True), ("2.1.0", True), ("2.0.1.dev5", True)])
def test_a_duckdb_whose_api_is_not_known_is_told(version, warns, monkeypatch, recwarn):
    monkeypatch.setattr(duckdb, "__version__", version)
    ArrowCache().close()
    assert [str(warning.message)[: len(version) + 16] for warning in recwarn] == ([f"duckdb {version} is newer"] if warns else [])


def test_the_duckdb_of_the_tests_is_known(cache):
    expected = "v2" if duckdb.__version__.startswith("2.") else "v1"
    assert cache.status()["duckdb"]["engine"] == expected


def test_a_wheel_carries_the_extension_of_its_own_version(tmp_path, monkeypatch):
    package = tmp_path / "duckdb_extension_fancy"
    for version in ("v1.0.0", f"v{duckdb.__version__}"):
        (package / "extensions" / version).mkdir(parents=True)
        (package / "extensions" / version / "fancy.duckdb_extension").touch()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert duckdb_library.extension_file("fancy") == package / "extensions" / f"v{duckdb.__version__}" / "fancy.duckdb_extension"
    assert duckdb_library.extension_versions("fancy") == sorted(["1.0.0", duckdb.__version__])
    assert duckdb_library.extension_file("no_such_thing") is None and duckdb_library.extension_versions("no_such_thing") == []


@with_spatial
def test_spatial_functions_just_work(cache):
    assert cache.query("SELECT ST_Area(ST_GeomFromText('POLYGON((0 0, 2 0, 2 2, 0 2, 0 0))')) AS area")["area"][0] == 4.0
    assert "Projection" in cache.explain("SELECT ST_Point(1, 2)") or "PROJECTION" in cache.explain("SELECT ST_Point(1, 2)")


@with_spatial
def test_spatial_can_be_loaded_at_the_start():
    with ArrowCache(duckdb_extensions=["spatial"]) as cache:
        loaded = cache.query("SELECT loaded FROM duckdb_extensions() WHERE extension_name = 'spatial'")
        assert loaded["loaded"].tolist() == [True]


@with_spatial
def test_geometry_joins(cache):
    geopandas = pytest.importorskip("geopandas")
    shapely = pytest.importorskip("shapely")
    boxes = geopandas.GeoDataFrame({"name": ["west", "east"]}, geometry=[shapely.box(-10, -1, 0, 1), shapely.box(0, -1, 10, 1)], crs="EPSG:4326")
    points = geopandas.GeoDataFrame({"n": [1, 2, 3]}, geometry=geopandas.points_from_xy([-5, 5, 50], [0, 0, 0]), crs="EPSG:4326")
    cache.put("boxes", boxes)
    cache.put("points", points)
    got = cache.query("SELECT name, n FROM _cache_boxes b JOIN _cache_points p ON ST_Contains(b.geometry, p.geometry) ORDER BY n")
    assert got.values.tolist() == [["west", 1], ["east", 2]]
    assert cache.query("SELECT * FROM _cache_boxes WHERE ST_Contains(geometry, ST_Point(5, 0))")["name"].tolist() == ["east"]


@without_spatial
def test_without_spatial_the_error_says_what_to_do(cache):
    for call in (cache.query, cache.explain):
        with pytest.raises(DuckDBError) as caught:
            call("SELECT ST_Area(ST_GeomFromText('POINT (0 0)'))")
        message = str(caught.value)
        assert "spatial" in message and "pip install" in message and duckdb.__version__ in message
    assert cache.query("SELECT 1 AS a")["a"][0] == 1


@without_spatial
def test_an_extension_that_can_not_be_had_fails_the_opening():
    with pytest.raises(DuckDBError, match="'spatial'.*pip install"):
        ArrowCache(duckdb_extensions=["spatial"])


def test_functions_that_duckdb_has_itself_need_no_extension(cache):
    assert cache.query("SELECT ST_AsText('POINT (0 0)'::GEOMETRY) AS t")["t"][0] == "POINT (0 0)"


def test_extensions_that_are_built_in():
    with ArrowCache(duckdb_extensions=["json", "parquet"]) as cache:
        assert cache.query("""SELECT json_extract('{"a": 5}', '$.a')::INTEGER AS a""")["a"][0] == 5


# --- how loading is tried ----------------------------------------------------------------------------------------------------


class Database:
    """Stands for DuckDB: runs what is in `works`, refuses the rest, and remembers all."""

    def __init__(self, *works):
        self.works, self.ran = works, []

    def __call__(self, sql):
        self.ran.append(sql)
        if sql not in self.works:
            raise QueryError(f"refused {sql}")


def test_each_is_loaded_once():
    database = Database("LOAD fancy")
    extensions = Extensions(database)
    extensions.load("fancy")
    extensions.load("fancy")
    assert database.ran == ["LOAD fancy"]


def test_what_a_restart_of_duckdb_lost_is_loaded_again():
    database = Database("LOAD fancy")
    extensions = Extensions(database)
    extensions.load("fancy", is_missing=True)
    extensions.load("fancy", is_missing=True)
    assert database.ran == ["LOAD fancy"] * 2


def test_install_comes_last():
    database = Database("INSTALL fancy; LOAD fancy")
    Extensions(database).load("fancy")
    assert database.ran == ["LOAD fancy", "INSTALL fancy; LOAD fancy"]


def test_a_wheel_comes_first(monkeypatch):
    monkeypatch.setattr("arrow_cache.extensions.extension_file", lambda name: Path("/it's here/fancy.duckdb_extension"))
    database = Database("LOAD '/it''s here/fancy.duckdb_extension'")
    Extensions(database).load("fancy")
    assert len(database.ran) == 1


def test_a_failure_is_remembered_and_told_in_full():
    database = Database()
    extensions = Extensions(database)
    messages = []
    for _ in range(2):
        with pytest.raises(DuckDBError) as caught:
            extensions.load("fancy")
        messages.append(str(caught.value))
    assert len(database.ran) == 2 and messages[0] == messages[1]
    assert "refused LOAD fancy" in messages[0] and "refused INSTALL fancy" in messages[0] and "duckdb-extension-fancy" in messages[0]


@pytest.mark.parametrize("sql", ["SELECT ST_Point(0, 0)", "select st_area (g) from t", "SELECT 1 -- ST_Buffer("])
def test_calls_of_spatial_functions_are_seen(sql):
    database = Database("LOAD spatial")
    extensions = Extensions(database)
    extensions._outcomes = {}
    extensions.prepare(sql)
    assert database.ran


@pytest.mark.parametrize("sql", ["SELECT 1", "SELECT st_name FROM t", "SELECT first(x), list_sort(y), best_one(z) FROM t"])
def test_nothing_else_is_taken_for_one(sql):
    database = Database()
    Extensions(database).prepare(sql)
    assert database.ran == []
