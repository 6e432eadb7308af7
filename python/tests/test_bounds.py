"""Bounding boxes of geometry columns, against GeoPandas' own."""

from __future__ import annotations

import random

import numpy as np
import pytest

from arrow_cache import ArrowCache

gpd = pytest.importorskip("geopandas")
shapely = pytest.importorskip("shapely")


def geometries(rng: random.Random, count: int) -> list[object]:
    """Points, lines, polygons with holes, collections, with Z and without, empty ones and missing ones."""
    made: list[object] = []
    for _ in range(count):
        x, y, z = rng.uniform(-180, 180), rng.uniform(-90, 90), rng.uniform(0, 10)
        box = shapely.box(x, y, x + 1, y + 2)
        made.append(
            rng.choice(
                [
                    shapely.Point(x, y),
                    shapely.Point(x, y, z),
                    shapely.LineString([(x, y, z), (x + 3, y - 1, z)]),
                    shapely.Polygon(box.exterior, [shapely.box(x + 0.2, y + 0.2, x + 0.4, y + 0.4).exterior]),
                    shapely.MultiPolygon([box, shapely.box(x + 5, y, x + 6, y + 1)]),
                    shapely.GeometryCollection([shapely.Point(x, y), box, shapely.MultiPoint([(x, y), (x - 2, y)])]),
                    shapely.Point(),
                    shapely.GeometryCollection(),
                    None,
                ]
            )
        )
    return made


@pytest.mark.parametrize("seed", range(8))
def test_bounds_are_those_of_geopandas(seed: int) -> None:
    rng = random.Random(seed)
    frame = gpd.GeoDataFrame({"n": range(200)}, geometry=geometries(rng, 200), crs=4326)
    with ArrowCache(partition_size_rows=rng.choice([7, 64, 1000])) as cache:
        cache.put("g", frame)
        facts = cache.get_metadata("g")
        assert facts is not None
        np.testing.assert_allclose(facts["bounds"]["geometry"], frame.total_bounds)


def test_nothing_with_a_place_has_no_bounds() -> None:
    with ArrowCache() as cache:
        for rows in ([None, shapely.Point()], []):
            cache.put("g", gpd.GeoDataFrame(geometry=rows, crs=4326))
            facts = cache.get_metadata("g")
            assert facts is not None and facts["bounds"] == {"geometry": None}
