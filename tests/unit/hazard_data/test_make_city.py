"""The invented city is what its README says: the same on every run, offshore, without a dry shelter."""

import hashlib
import json
import tomllib
import uuid
from collections import Counter
from itertools import combinations, pairwise
from typing import Any

import pytest
from shapely import Point, STRtree, unary_union
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from hazard_data import make_city

LAYERS = ["boundary", "river", "flood_depth", "flood_duration", "collapse_zone", "roads"]


def features(name: str) -> list[dict[str, Any]]:
    text = (make_city.HERE / f"{name}.geojson").read_text(encoding="utf-8")
    return list(json.loads(text)["features"])


def shelters() -> list[dict[str, Any]]:
    text = (make_city.HERE / "shelters.json").read_text(encoding="utf-8")
    return list(json.loads(text)["shelters"])


def shapes_by(name: str, key: str) -> dict[Any, BaseGeometry]:
    groups: dict[Any, list[BaseGeometry]] = {}
    for feature in features(name):
        groups.setdefault(feature["properties"][key], []).append(shape(feature["geometry"]))
    return {value: unary_union(group) for value, group in groups.items()}


@pytest.fixture(scope="module")
def city() -> BaseGeometry:
    return shape(features("boundary")[0]["geometry"])


@pytest.fixture(scope="module")
def ranks() -> dict[int, BaseGeometry]:
    return shapes_by("flood_depth", "rank")


@pytest.mark.deep
def test_a_fresh_run_gives_the_committed_bytes() -> None:
    # The committed files are themselves an earlier run, in another process and on another day.
    for name, content in make_city.make_files().items():
        assert (make_city.HERE / name).read_bytes() == content, f"{name}: run python -m hazard_data.make_city"


def test_the_manifest_names_every_layer_with_its_hash_and_count() -> None:
    manifest = tomllib.loads((make_city.HERE / "manifest.toml").read_text(encoding="utf-8"))
    assert "訓練用" in manifest["notice"]
    listed = {layer["file"]: layer for layer in manifest["layer"]}
    assert set(listed) == {f"{name}.geojson" for name in LAYERS} | {"shelters.json"}
    for name, layer in listed.items():
        content = (make_city.HERE / name).read_bytes()
        assert layer["sha256"] == hashlib.sha256(content).hexdigest()
        assert layer["bytes"] == len(content)
        assert layer["count"] == len(shelters() if name == "shelters.json" else features(name.split(".")[0]))
        assert layer["source"] == "訓練用(架空)" and layer["crs"] == "EPSG:6668"


@pytest.mark.parametrize("name", LAYERS)
def test_every_geometry_is_valid_and_marked_as_training(name: str) -> None:
    for feature in features(name):
        geometry = shape(feature["geometry"])
        assert geometry.is_valid and not geometry.is_empty
        assert feature["properties"]["note"] == "訓練用(架空)"


def test_the_city_lies_in_the_open_pacific(city: BaseGeometry) -> None:
    west, south, east, north = unary_union([shape(f["geometry"]) for f in features("river")]).union(city).bounds
    # The land around: Kii (33.4 N), Tanegashima (131.1 E), the Izu islands (139 E), Daito (26 N) and
    # Sofu-gan (29.8 N, 140.3 E). The nearest of them is over 200 km away.
    assert 135.9 < west < east < 136.2 and 31.4 < south < north < 31.6


def test_the_districts_tile_the_city(city: BaseGeometry) -> None:
    districts = [shape(f["geometry"]) for f in features("boundary")[1:]]
    names = [f["properties"]["name"] for f in features("boundary")[1:]]
    assert names == ["西原", "新田", "本郷", "柳橋", "下河原", "川辺", "南町", "東町"]
    assert sum(district.area for district in districts) == pytest.approx(city.area, rel=1e-4)
    for feature, district in zip(features("boundary")[1:], districts, strict=True):
        assert district.contains(Point(feature["properties"]["label"]))


def test_between_70_and_85_percent_of_the_city_floods(city: BaseGeometry, ranks: dict[int, BaseGeometry]) -> None:
    assert set(ranks) == {1, 2, 3, 4}
    wet = unary_union(list(ranks.values()))
    assert 0.70 < wet.intersection(city).area / city.area < 0.85
    assert wet.difference(city.buffer(1e-6)).is_empty


@pytest.mark.parametrize(("name", "key"), [("flood_depth", "rank"), ("flood_duration", "rank")])
def test_ranks_do_not_overlap(name: str, key: str, city: BaseGeometry) -> None:
    for (_, a), (_, b) in combinations(shapes_by(name, key).items(), 2):
        assert a.intersection(b).area < 1e-6 * city.area


def test_the_flood_has_holes_that_no_rank_fills(ranks: dict[int, BaseGeometry]) -> None:
    wet = unary_union(list(ranks.values()))
    holes = sum(len(part.interiors) for part in getattr(wet, "geoms", [wet]))
    assert holes >= 10


def test_the_flood_leaves_out_the_river(ranks: dict[int, BaseGeometry]) -> None:
    water = shapes_by("river", "kind")["water"]
    assert unary_union(list(ranks.values())).intersection(water).area < 1e-6 * water.area


def test_28_shelters_have_names_and_ids_of_their_own() -> None:
    rows = shelters()
    assert len(rows) == 28
    for key in ("id", "common_id", "name", "kana", "address"):
        assert len({row[key] for row in rows}) == 28
    for row in rows:
        assert uuid.UUID(row["id"]).version == 7
        assert len(row["common_id"]) == 14 and row["common_id"].startswith("E99999")
    assert set(Counter(row["district"] for row in rows)) == set(shapes_by("boundary", "name")) - {"葦原市"}


def test_no_shelter_is_dry_and_each_stands_in_its_district(ranks: dict[int, BaseGeometry]) -> None:
    districts = shapes_by("boundary", "name")
    for row in shelters():
        place = Point(row["location"])
        assert next(rank for rank, area in ranks.items() if area.contains(place)) in (2, 3, 4), row["name"]
        assert districts["葦原市"].contains(place) and districts[row["district"]].contains(place), row["name"]


def test_only_the_two_named_shelters_have_no_floor_above_the_water(ranks: dict[int, BaseGeometry]) -> None:
    short = set()
    for row in shelters():
        rank = next(rank for rank, area in ranks.items() if area.contains(Point(row["location"])))
        lowest = min(int(floor.removesuffix("F")) for floor in row["usable_floors"])
        if lowest < rank:
            short.add(row["name"])
        assert sum(row["capacity_by_floor"].values()) == row["capacity"]
    assert short == {"下河原体育館", "川辺小学校"}


def test_no_shelter_stands_in_a_collapse_zone() -> None:
    zones = shapes_by("collapse_zone", "kind")
    assert set(zones) == {"flow", "erosion"}
    places = [Point(row["location"]) for row in shelters()]
    assert STRtree(places).query(unary_union(list(zones.values())), predicate="contains").size == 0


def test_the_underpass_floods_and_meets_the_road_only_at_its_ends(ranks: dict[int, BaseGeometry]) -> None:
    roads = {f["properties"]["name"]: f for f in features("roads") if f["properties"]["structure"]}
    underpass = roads["柳橋アンダーパス"]
    assert underpass["properties"]["level"] == -1
    assert shape(underpass["geometry"]).intersects(unary_union([ranks[3], ranks[4]]))
    ends = {tuple(underpass["geometry"]["coordinates"][end]) for end in (0, -1)}
    street = next(f for f in features("roads") if f["properties"]["name"] == "柳橋通り")
    assert ends.isdisjoint(map(tuple, street["geometry"]["coordinates"]))
    assert roads["葦原橋"]["properties"]["structure"] == "bridge"


def test_roads_make_one_connected_network_but_for_a_few_lanes() -> None:
    joined: dict[tuple[float, float], tuple[float, float]] = {}

    def root(point: tuple[float, float]) -> tuple[float, float]:
        while joined.setdefault(point, point) != point:
            point = joined[point]
        return point

    for feature in features("roads"):
        if feature["properties"]["class"] != "railway":
            line = [(lon, lat) for lon, lat in feature["geometry"]["coordinates"]]
            for a, b in pairwise(line):
                joined[root(a)] = root(b)
    sizes = Counter(root(point) for point in list(joined))
    assert max(sizes.values()) > 0.97 * sum(sizes.values())
