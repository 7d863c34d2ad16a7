"""Answers of a hazard layer: invented ground where every answer is known, the invented city, and the real Toda."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import catalog
from maps.errors import BadFile
from maps.hazard import HazardAnswer, HazardLayer, merge
from maps.layers import HOLE
from tests.shared_data import shared_data
from tests.unit.maps.parts import box, parts_of, shapes_of

CITY = Path(__file__).resolve().parents[3] / "hazard_data"
WEST, SOUTH = 139.6500, 35.8000
M_LAT = 1 / 111_320
M_LON = M_LAT / np.cos(np.radians(35.805))


def east(metres: float, north: float = 500.0) -> tuple[float, float]:
    """A position so many metres east (and north) of the south-west corner of the invented ground."""
    return WEST + metres * M_LON, SOUTH + north * M_LAT


def ground(from_m: float, to_m: float, bottom_m: float = 0, top_m: float = 1_000) -> Any:
    (west, south), (right, top) = east(from_m, bottom_m), east(to_m, top_m)
    return box(west, south, right, top)


@pytest.fixture(scope="module")
def layer() -> HazardLayer:
    """From west to east: 500 m of rank 2, 500 m of rank 4 of another river, whose first 200 m overlap rank 2."""
    shapes = [
        (ground(0, 700), {"rank": 2, "river": "古川"}),
        (ground(500, 1_000), {"rank": 4, "river": "大川"}),
    ]
    return HazardLayer.load(parts_of(shapes), catalog.depth())


def ranks(answer: HazardAnswer) -> list[int | None]:
    return [one.rank if one else None for one in answer.classes]


def told(answer: HazardAnswer) -> tuple[int | None, str]:
    return (answer.worst.rank if answer.worst else None), answer.quality


@pytest.mark.parametrize(
    ("metres", "accuracy_m", "wanted", "seen"),
    [
        (250, None, (2, "inside"), [2]),
        (250, 30, (2, "inside"), [2]),
        (600, None, (4, "inside"), [4]),
        (490, None, (2, "edge"), [4, 2]),  # less than 15 m from a worse answer
        (480, None, (2, "inside"), [2]),
        (480, 10, (2, "inside"), [2]),
        (480, 25, (4, "edge"), [4, 2]),  # the circle crosses the edge: the worst first
        (690, 30, (4, "inside"), [4]),  # rank 2 ends here under rank 4: no edge to people
        (5, None, (2, "edge"), [2, None]),
        (995, 40, (4, "edge"), [4, None]),
        (-10, None, (None, "outside"), [2, None]),
        (-10, 20, (2, "edge"), [2, None]),
        (-100, None, (None, "outside"), [None]),
        (-100, 30, (None, "outside"), [None]),
        (-5_000, None, (None, "outside"), [None]),
        (300, 900, (4, "edge"), [4, 2, None]),
    ],
)
def test_a_position_is_told_the_worst_of_its_circle_and_all_that_is_near(
    layer: HazardLayer, metres: float, accuracy_m: float | None, wanted: tuple[Any, str], seen: list[Any]
) -> None:
    answer = layer.depth_at(*east(metres), accuracy_m)
    assert (told(answer), ranks(answer)) == (wanted, seen)


def test_every_river_that_reaches_the_position_is_named(layer: HazardLayer) -> None:
    assert layer.depth_at(*east(250)).rivers == ("古川",)
    assert layer.depth_at(*east(600)).rivers == ("古川", "大川")
    assert layer.depth_at(*east(-100)).rivers == ()


def test_a_class_is_told_in_metres_and_the_open_one_has_no_highest() -> None:
    shapes = [(ground(0, 500), {"rank": 3}), (ground(600, 900), {"rank": 6})]
    layer = HazardLayer.load(parts_of(shapes), catalog.depth())
    three, six = layer.depth_at(*east(250)).worst, layer.depth_at(*east(750)).worst
    assert three and (three.low, three.high, three.label) == (3.0, 5.0, "3–5m")
    assert six and (six.low, six.high, six.label) == (20.0, None, "20m以上")


def test_classes_of_2012_keep_their_own_limits_and_count_as_the_worse_rank() -> None:
    shapes = [(ground(0, 500), {"low": 2.0, "high": 5.0}), (ground(600, 900), {"low": 5.0})]
    layer = HazardLayer.load(parts_of(shapes), catalog.depth())
    closed, opened = layer.depth_at(*east(250)).worst, layer.depth_at(*east(750)).worst
    assert closed and (closed.rank, closed.low, closed.high, closed.label) == (3, 2.0, 5.0, "2–5m")
    assert opened and (opened.rank, opened.low, opened.high, opened.label) == (6, 5.0, None, "≥5m")


def test_a_hole_is_told_apart_from_what_was_never_looked_at() -> None:
    hole = ground(400, 600, 400, 600)
    shapes = [(ground(0, 1_000).difference(hole), {"rank": 2}), (hole, {"part": HOLE})]
    layer = HazardLayer.load(parts_of(shapes), catalog.depth())
    assert told(layer.depth_at(*east(500))) == (None, "hole")
    assert told(layer.depth_at(*east(405))) == (None, "hole")
    assert told(layer.depth_at(*east(405), 20)) == (2, "edge")
    assert told(layer.depth_at(*east(-500))) == (None, "outside")
    assert layer.ranks_at(*np.array([east(500), east(200)]).T).tolist() == [-1, 2]


def test_dry_is_said_only_where_the_data_says_it() -> None:
    layer = HazardLayer.load(parts_of([(ground(0, 500), {"rank": 0, "low": 0.0, "high": 0.0})]), catalog.depth())
    assert told(layer.depth_at(*east(250))) == (0, "inside")
    assert told(layer.depth_at(*east(2_000))) == (None, "outside")


def test_a_collapse_zone_has_kinds_and_no_rank() -> None:
    shapes = [(ground(0, 500), {"code": "flow", "river": "大川"}), (ground(300, 500), {"code": "erosion"})]
    layer = HazardLayer.load(parts_of(shapes), None)
    assert layer.depth_at(*east(100)).codes == ("flow",)
    assert layer.depth_at(*east(400)).codes == ("erosion", "flow")
    assert layer.depth_at(*east(800)).codes == ()


def test_a_sliver_of_something_worse_within_the_circle_is_never_missed() -> None:
    shapes = [(ground(0, 1_000), {"rank": 1}), (ground(503, 504), {"rank": 5})]
    layer = HazardLayer.load(parts_of(shapes), catalog.depth())
    for metres in range(400, 500, 7):
        answer = layer.depth_at(*east(metres), 105)
        assert told(answer) == (5, "edge"), metres


def test_many_points_at_once_are_told_the_same_as_one_by_one(layer: HazardLayer) -> None:
    chance = np.random.default_rng(7)
    lons = chance.uniform(WEST - 0.003, WEST + 0.014, 3_000)
    lats = chance.uniform(SOUTH - 0.003, SOUTH + 0.012, 3_000)
    singly = [told(layer.depth_at(lon, lat))[0] for lon, lat in zip(lons, lats, strict=True)]
    assert layer.ranks_at(lons, lats).tolist() == [-1 if rank is None else rank for rank in singly]


def test_the_cut_makes_no_difference() -> None:
    shapes = [(ground(0, 700), {"rank": 2}), (ground(500, 1_000), {"rank": 4})]
    cut, whole = (HazardLayer.load(parts_of(shapes, grid), catalog.depth()) for grid in (0.0025, None))
    for metres in range(-40, 1_040, 9):
        for accuracy_m in (None, 8, 60):
            assert told(cut.depth_at(*east(metres), accuracy_m)) == told(whole.depth_at(*east(metres), accuracy_m))


def test_a_layer_without_a_part_answers_not_assessed() -> None:
    layer = HazardLayer.load(parts_of([(ground(0, 1), {"rank": 2})], None), catalog.depth())
    assert told(layer.depth_at(0.0, 0.0)) == (None, "outside")
    assert layer.ranks_at([], []).tolist() == []


@pytest.mark.parametrize("junk", [b"", b"not a layer", b"fgb\x03fgb\x00" + b"\xff" * 500])
def test_bytes_that_are_no_layer_are_refused_in_one_sentence(junk: bytes) -> None:
    with pytest.raises(BadFile, match="cannot be read"):
        HazardLayer.load(junk, catalog.depth())


def test_several_layers_are_one_answer_whose_worst_counts() -> None:
    one = HazardLayer.load(parts_of([(ground(0, 500), {"rank": 2, "river": "古川"})]), catalog.depth())
    two = HazardLayer.load(parts_of([(ground(200, 900), {"rank": 3, "river": "大川"})]), catalog.depth())

    def both(metres: float) -> HazardAnswer:
        return merge([one.depth_at(*east(metres)), two.depth_at(*east(metres))])

    assert (told(both(100)), both(100).rivers) == ((2, "inside"), ("古川",))
    assert (told(both(400)), both(400).rivers) == ((3, "inside"), ("古川", "大川"))
    assert told(both(-300)) == (None, "outside")
    assert (told(both(198)), ranks(both(198))) == ((2, "edge"), [3, 2])


def test_the_invented_city_has_the_depths_that_its_manifest_promises() -> None:
    names = {"rank": "rank", "min_m": "low", "max_m": "high", "river": "river"}
    layer = HazardLayer.load(parts_of(shapes_of(CITY / "flood_depth.geojson", names)), catalog.depth())
    shelters = json.loads((CITY / "shelters.json").read_text("utf-8"))["shelters"]
    found = [told(layer.depth_at(*shelter["location"]))[0] for shelter in shelters]
    assert len(found) == tomllib.loads((CITY / "manifest.toml").read_text("utf-8"))["layer"][-1]["count"]
    assert set(found) == {2, 3, 4}


@pytest.fixture(scope="module")
def toda() -> HazardLayer:
    path = shared_data("flood", "derived", "toda_A31b-20-23_style.geojson")
    return HazardLayer.load(parts_of(shapes_of(path, {"A31b_201": "rank"})), catalog.depth())


@pytest.mark.deep
def test_all_1500_points_of_the_key_of_the_real_toda_agree(toda: HazardLayer) -> None:
    with shared_data("flood", "derived", "toda_depth_points_key.csv").open(encoding="utf-8") as file:
        key = [(float(row["lon"]), float(row["lat"]), int(row["rank"])) for row in csv.DictReader(file)]
    wanted = [rank or -1 for _, _, rank in key]  # 0 in the key is "no polygon": not assessed
    assert len(key) == 1_500
    assert toda.ranks_at(*np.array([(lon, lat) for lon, lat, _ in key]).T).tolist() == wanted
    singly = [told(toda.depth_at(lon, lat))[0] for lon, lat, _ in key]
    assert [rank or -1 for rank in singly] == wanted
