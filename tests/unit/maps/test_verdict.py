"""Which floors of a site stay usable: the rule by rank and by metres, and the 31 flood sites of the real Toda."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app import catalog
from maps.hazard import EDGE_M, HazardLayer
from maps.importers.floors import floors_of, label_of
from maps.verdict import Verdict, clears, verdict_of_site
from tests.shared_data import shared_data
from tests.unit.maps.parts import parts_of, shapes_of


def verdict(rank: int | None, floors: list[int] | None, **told: Any) -> Verdict:
    row = catalog.depth().of(rank) if rank else None
    given: dict[str, Any] = {"assessed": True, "eroding": False, "capacity_by_floor": {}}
    given["high_m"] = row.high if row else (0.0 if rank == 0 else None)
    return verdict_of_site(**{**given, "rank": rank, "floors": floors, **told})


def states(found: Verdict) -> dict[int, str]:
    return {floor.number: floor.state for floor in found.floors}


@pytest.mark.parametrize(("rank", "lowest"), [(0, 1), (1, 1), (2, 2), (3, 3), (4, 4), (5, 8)])
def test_the_lowest_floor_that_clears_each_rank(rank: int, lowest: int) -> None:
    row = catalog.depth().of(rank)
    high = row.high if row else 0.0
    assert next(floor for floor in range(1, 12) if clears(floor, rank, high)) == lowest


def test_no_floor_clears_a_depth_without_an_upper_limit() -> None:
    assert not clears(50, 6, None)
    assert verdict(6, [3, 4]).state == "none"


def test_the_stack_says_of_every_floor_whether_it_stays_dry() -> None:
    found = verdict(3, [3, 4], capacity_by_floor={"3": 150, "4": 90})
    assert states(found) == {4: "usable", 3: "usable", 2: "flooded", 1: "flooded"}
    assert [floor.number for floor in found.floors] == [4, 3, 2, 1]
    assert (found.state, found.usable, found.lowest, found.places) == ("upper", (3, 4), 3, 240)


def test_a_named_floor_that_floods_is_not_counted() -> None:
    found = verdict(3, [2, 3], capacity_by_floor={"2": 100, "3": 50})
    assert (found.state, found.usable, found.places) == ("upper", (3,), 50)
    assert verdict(4, [2, 3]).state == "none"


def test_a_dry_floor_that_the_city_did_not_name_is_not_usable() -> None:
    assert states(verdict(2, [2, 4])) == {4: "usable", 3: "above", 2: "usable", 1: "flooded"}


def test_places_that_the_city_did_not_say_are_unknown_and_not_zero() -> None:
    assert verdict(2, [2, 3], capacity_by_floor={"3": 50}).places is None
    assert verdict(2, [2, 3], capacity_by_floor=None).places is None


def test_floors_that_nobody_named_are_to_be_checked() -> None:
    assert verdict(2, None).state == verdict(2, []).state == "unknown_floors"


def test_ground_that_was_not_assessed_gives_no_verdict() -> None:
    assert verdict(None, [2, 3], assessed=False).state == "not_assessed"


def test_water_of_unknown_depth_leaves_every_floor_unsure() -> None:
    found = verdict(None, [2])
    assert (found.state, states(found)) == ("unknown_depth", {2: "unsure", 1: "unsure"})


def test_all_floors_are_usable_where_the_ground_is_assessed_and_dry() -> None:
    found = verdict(0, [1, 2], capacity_by_floor={"1": 10, "2": 20})
    assert (found.state, found.places, states(found)) == ("usable", 30, {2: "usable", 1: "usable"})


def test_no_floor_is_usable_where_the_bank_may_be_washed_away() -> None:
    found = verdict(2, [2, 3], eroding=True)
    assert (found.state, found.usable, states(found)) == ("none", (), {3: "unsafe", 2: "unsafe", 1: "flooded"})


def test_a_cellar_is_under_water_first() -> None:
    assert states(verdict(1, [-1, 1])) == {1: "usable", -1: "flooded"}


@pytest.mark.deep
def test_all_31_flood_sites_of_the_real_toda_are_usable_upstairs() -> None:
    path = shared_data("flood", "derived", "toda_A31b-20-23_style.geojson")
    layer = HazardLayer.load(parts_of(shapes_of(path, {"A31b_201": "rank"})), catalog.depth())
    sites = json.loads(shared_data("shelters", "gsi_json", "emergency", "112241_toda.json").read_text("utf-8"))
    checked = 0
    for feature in sites["features"]:
        name, label = feature["properties"]["施設・場所名"], label_of(feature["properties"]["施設・場所名"])
        if not feature["properties"]["洪水"]:
            continue
        assert label is not None, name
        answer = layer.depth_at(*feature["geometry"]["coordinates"][:2], EDGE_M)
        assert answer.worst is not None
        found = verdict(answer.worst.rank, floors_of(label), high_m=answer.worst.high)
        assert found.usable == tuple(floors_of(label)), (name, answer.worst)
        checked += 1
    assert checked == 31
