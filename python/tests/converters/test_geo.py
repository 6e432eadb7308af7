"""GeoDataFrames and GeoSeries: geometry, CRS, active column; and geometry in any other table."""

from __future__ import annotations

import json
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import pytest
import shapely
from arrow_cache import converters
from arrow_cache.errors import InvalidArgument, UnsupportedTypeError
from geopandas.testing import assert_geodataframe_equal, assert_geoseries_equal

from .conftest import SLICES, Stored

WKT = {
    "points": ["POINT (0 0)", None, "POINT (1.5 -2)", "POINT EMPTY", "POINT (3 4)"],
    "points Z": ["POINT Z (0 0 1)", None, "POINT Z (1.5 -2 3)", "POINT Z EMPTY", "POINT (3 4)"],
    "points M": ["POINT M (0 0 1)", None, "POINT ZM (1 2 3 4)", "POINT (1 1)", "POINT (3 4)"],
    "lines": [
        "LINESTRING (0 0, 1 1)",
        None,
        "LINESTRING EMPTY",
        "LINESTRING Z (0 0 1, 1 1 2)",
        "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))",
    ],
    "polygons": [
        "POLYGON ((0 0, 1 0, 1 1, 0 0))",
        None,
        "POLYGON EMPTY",
        "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))",
        "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 2 1, 2 2, 1 1))",
    ],
    "collections": [
        "GEOMETRYCOLLECTION (POINT (0 0), LINESTRING (0 0, 1 1))",
        None,
        "GEOMETRYCOLLECTION EMPTY",
        "MULTIPOINT ((0 0), (1 1))",
        "POINT (0 0)",
    ],
    "rings": [
        "LINEARRING (0 0, 1 0, 1 1, 0 0)",
        None,
        "LINESTRING (0 0, 1 0, 1 1, 0 0)",
        "LINEARRING EMPTY",
        "LINEARRING Z (0 0 1, 1 0 2, 1 1 3, 0 0 1)",
    ],
    "NaN points": ["POINT (NaN NaN)", None, "POINT EMPTY", "POINT (1 1)", "POINT Z (NaN NaN NaN)"],
    "missing": [None] * 5,
}
CRS: dict[str, Any] = {
    "none": None,
    "EPSG:4326": "EPSG:4326",
    "OGC:CRS84": "OGC:CRS84",
    "ESRI:102003": "ESRI:102003",
    "compound": "EPSG:4326+5773",
    "proj text": "+proj=laea +lat_0=10 +lon_0=20",
    "bound": "+proj=tmerc +towgs84=1,2,3 +type=crs",
    "from WKT": pyproj.CRS("EPSG:27700").to_wkt(),
    "from PROJJSON": pyproj.CRS("EPSG:3857").to_json(),
}


def series(name: str, crs: Any = None) -> gpd.GeoSeries:
    with np.errstate(invalid="ignore"):
        return gpd.GeoSeries(shapely.from_wkt(WKT[name]), crs=crs, name="geometry")


def assert_same_geometry(actual: Any, expected: Any) -> None:
    assert type(actual) is type(expected)
    assert actual.crs == expected.crs
    assert shapely.to_wkt(actual.array).tolist() == shapely.to_wkt(expected.array).tolist()
    assert shapely.get_type_id(actual.array).tolist() == shapely.get_type_id(expected.array).tolist()


@pytest.mark.parametrize("name", WKT)
def test_geometry_comes_back(name: str) -> None:
    frame = gpd.GeoDataFrame({"n": range(5)}, geometry=series(name, "EPSG:4326"), index=list("abcde"))
    stored = Stored(frame)
    assert stored.incoming.kind == "geopandas"
    for offset, limit in SLICES:
        part, back = frame.iloc[offset : offset + limit], stored.get(offset=offset, limit=limit)
        assert_same_geometry(back.geometry, part.geometry)
        pd.testing.assert_frame_equal(
            pd.DataFrame(back.drop(columns="geometry")), pd.DataFrame(part.drop(columns="geometry"))
        )
    again = Stored(frame.geometry)
    assert again.incoming.kind == "geopandas_series"
    assert_same_geometry(again.get(offset=1), frame.geometry.iloc[1:])


@pytest.mark.parametrize("name", CRS)
def test_crs_comes_back(name: str) -> None:
    expected = gpd.GeoDataFrame({"n": range(5)}, geometry=series("points", CRS[name]))
    back = Stored(expected).get()
    assert_geodataframe_equal(back, expected)
    assert back.crs == expected.crs
    assert (back.crs and back.crs.srs) == (expected.crs and expected.crs.srs)


def test_field_metadata_is_geoarrow() -> None:
    field = Stored(gpd.GeoDataFrame(geometry=series("points", "EPSG:4326"))).table.schema.field("geometry")
    assert field.type == pa.binary()
    assert field.metadata[b"ARROW:extension:name"] == b"geoarrow.wkb"
    content = json.loads(field.metadata[b"ARROW:extension:metadata"])
    assert content["crs_type"] == "projjson"
    assert pyproj.CRS.from_json_dict(content["crs"]) == pyproj.CRS("EPSG:4326")
    bare = Stored(gpd.GeoDataFrame(geometry=series("points"))).table.schema.field("geometry")
    assert json.loads(bare.metadata[b"ARROW:extension:metadata"]) == {}


def test_several_geometry_columns_each_with_its_crs() -> None:
    frame = gpd.GeoDataFrame(
        {"n": range(5), "shape": series("polygons", "EPSG:27700")}, geometry=series("points", "EPSG:4326")
    )
    frame["bare"] = series("lines")
    frame = frame.set_geometry("shape")
    back = Stored(frame).get()
    assert back.active_geometry_name == "shape"
    assert_geodataframe_equal(back, frame)
    assert [back[name].crs for name in ("geometry", "shape", "bare")] == [
        frame[name].crs for name in ("geometry", "shape", "bare")
    ]


@pytest.mark.parametrize("active", ["the geom", 5, ("a", 1), None])
def test_active_geometry_of_any_name(active: Any) -> None:
    frame = gpd.GeoDataFrame({"n": range(5)}, geometry=series("points"))
    if active is None:
        frame["other"] = frame["geometry"]
        frame._geometry_column_name = None
    else:
        frame = (
            frame.rename_geometry(active)
            if isinstance(active, str)
            else frame.rename(columns={"geometry": active}).set_geometry(active)
        )
    back = Stored(frame).get()
    assert back.active_geometry_name == frame.active_geometry_name
    assert back.columns.tolist() == frame.columns.tolist()


@pytest.mark.parametrize("columns", [["n"], ["n", "geometry"], ["other"], ["geometry", "other"], []])
def test_column_subset_is_of_the_class_that_geopandas_gives(columns: list[str]) -> None:
    frame = gpd.GeoDataFrame({"n": range(5), "other": series("lines")}, geometry=series("points", "EPSG:4326"))
    back, expected = Stored(frame).get(columns=columns), frame[columns]
    assert type(back) is type(expected)
    assert getattr(back, "active_geometry_name", None) == getattr(expected, "active_geometry_name", None)
    assert back.columns.tolist() == expected.columns.tolist()


def test_empty_frames() -> None:
    for frame in (
        gpd.GeoDataFrame(),
        gpd.GeoDataFrame({"n": [1]}),
        gpd.GeoDataFrame(geometry=series("points", "EPSG:4326")).iloc[:0],
    ):
        back = Stored(frame).get()
        assert type(back) is gpd.GeoDataFrame
        assert back.active_geometry_name == frame.active_geometry_name
        assert back.shape == frame.shape


def test_attrs_flags_index_and_other_dtypes() -> None:
    frame = gpd.GeoDataFrame(
        {"c": pd.Categorical(list("ababa")), "i": pd.array([1, None, 3, 4, 5], dtype="Int64")},
        geometry=series("points"),
        index=pd.date_range("2020", periods=5, freq="D"),
    )
    frame.attrs["source"] = "survey"
    back = Stored(frame).get()
    assert_geodataframe_equal(back, frame)
    assert back.attrs == frame.attrs
    assert back.index.freq == frame.index.freq


def test_geometry_in_a_plain_frame() -> None:
    frame = pd.DataFrame({"g": series("points", "EPSG:4326"), "n": range(5)})
    back = Stored(frame).get()
    assert type(back) is pd.DataFrame
    assert str(back["g"].dtype) == "geometry"
    assert Stored(frame).get("geopandas").crs == "EPSG:4326"


def test_what_can_be_done_with_it() -> None:
    stored = Stored(gpd.GeoDataFrame({"n": range(5)}, geometry=series("polygons", "EPSG:4326")))
    assert stored.get().to_crs("EPSG:3857").total_bounds[2] > 100_000
    assert type(stored.get("pandas")) is pd.DataFrame
    assert stored.get("arrow").schema.field("geometry").type == pa.binary()
    assert stored.get("polars")["geometry"].null_count() == 1
    assert stored.get().sindex.query(shapely.Point(0.5, 0.2), predicate="intersects").size > 0


def test_srid_and_precision() -> None:
    marked = gpd.GeoSeries(shapely.set_srid(shapely.set_precision(shapely.points([[1, 2], [3, 4]]), 0.1), 4326))
    back = Stored(marked).get()
    assert shapely.get_srid(back.array).tolist() == [4326, 4326]
    assert shapely.get_precision(back.array).tolist() == [0.1, 0.1]
    mixed = gpd.GeoSeries([shapely.set_srid(shapely.Point(0, 0), 1), shapely.Point(0, 0)])
    with pytest.raises(UnsupportedTypeError, match="different srid"):
        Stored(mixed)


@pytest.mark.parametrize(
    "wkt", ["GEOMETRYCOLLECTION (LINEARRING (0 0, 1 0, 1 1, 0 0))", "POINT (NaN 1)", "POINT (1 NaN)"]
)
def test_what_wkb_cannot_hold(wkt: str) -> None:
    geometries = gpd.GeoSeries(shapely.from_wkt(["POINT (0 0)", wkt]))
    try:
        back = Stored(geometries).get()
    except UnsupportedTypeError as error:
        assert "WKB" in str(error)
    else:
        assert_same_geometry(back, geometries)


def result(**metadata: bytes) -> pa.Table:
    wkb = pa.array(shapely.to_wkb(shapely.points([[0, 0], [1, 2]])), pa.binary())
    field = pa.field("geom", pa.binary(), metadata={f"ARROW:extension:{key}": value for key, value in metadata.items()})
    return pa.Table.from_arrays([pa.array([1, 2]), wkb], schema=pa.schema([pa.field("n", pa.int64()), field]))


@pytest.mark.parametrize(
    ("metadata", "crs"),
    [
        (b"{}", None),
        (b"", None),
        (json.dumps({"crs": pyproj.CRS("EPSG:27700").to_json_dict(), "crs_type": "projjson"}).encode(), "EPSG:27700"),
        (json.dumps({"crs": pyproj.CRS("EPSG:27700").to_wkt(), "crs_type": "wkt2:2019"}).encode(), "EPSG:27700"),
        (json.dumps({"crs": "EPSG:27700", "crs_type": "authority_code"}).encode(), "EPSG:27700"),
    ],
)
def test_query_result_with_geometry(metadata: bytes, crs: Any) -> None:
    back = converters.from_result(result(name=b"geoarrow.wkb", metadata=metadata), "geopandas")
    assert type(back) is gpd.GeoDataFrame
    assert back.active_geometry_name == "geom"
    assert back.crs == crs
    assert back["n"].tolist() == [1, 2]
    assert back.geometry.iloc[1].coords[0] == (1, 2)


def test_query_result_as_pandas_has_wkb() -> None:
    back = converters.from_result(result(name=b"geoarrow.wkb", metadata=b"{}"), "pandas")
    assert shapely.from_wkb(back["geom"].iloc[1]).wkt == "POINT (1 2)"


def test_query_result_without_geometry() -> None:
    with pytest.raises(InvalidArgument, match=r"no column holds geometry \(columns: n, geom\)"):
        converters.from_result(result(), "geopandas")


def test_native_geoarrow() -> None:
    frame = gpd.GeoDataFrame({"n": [1, 2]}, geometry=gpd.points_from_xy([0, 1], [2, 3]), crs="EPSG:4326")
    table = pa.table(frame.to_arrow(geometry_encoding="geoarrow"))
    back = Stored(table).get("geopandas")
    assert_geoseries_equal(back.geometry, frame.geometry)
    assert back.crs == frame.crs
