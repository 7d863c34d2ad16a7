"""Rounds, their points and their tracks through the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


def post(house: House, collection: str, role: str = "patrol", **document: Any) -> Any:
    return house.ask(role, "POST", f"/api/v1/{collection}", document)


def test_a_round_runs_from_its_start_to_its_finish(house: House) -> None:
    made = post(house, "patrols", incident_id=house.ids["incident_id"], name="右岸", route=[[136, 31.5], [136.1, 31.5]])
    assert made.status_code == 201, made.text
    patrol = made.get_json()
    assert patrol["route"] == [[136.0, 31.5], [136.1, 31.5]]
    assert patrol["started_at"] is None and patrol["number"]
    path, seen = f"/api/v1/patrols/{patrol['id']}", made.headers["ETag"]
    headers = {"Authorization": f"Bearer {house.tokens['patrol']}", "If-Match": seen}
    changed = house.app.test_client().patch(path, json={"started_at": "2019-10-12T20:00:00+09:00"}, headers=headers)
    assert changed.get_json()["started_at"] == "2019-10-12T20:00:00+09:00"


@pytest.mark.parametrize("route", [[], 3, [[200, 0]], [[1, 2, 3]], [["a", "b"]], [[1, 2]] * 201])
def test_a_route_is_a_name_or_places(house: House, route: Any) -> None:
    refused = post(house, "patrols", incident_id=house.ids["incident_id"], route=route)
    assert (refused.status_code, refused.get_json()["field"]) == (422, "route")
    assert post(house, "patrols", incident_id=house.ids["incident_id"], route="荒川左岸").status_code == 201


def test_a_track_goes_to_its_round_with_iso_times_and_comes_back_so(house: House) -> None:
    points = [[136.0, 31.5, "2019-10-12T11:00:00Z", 8], [136.001, 31.5, "2019-10-12T20:00:05+09:00", None]]
    made = post(house, "patrol-tracks", patrol_id=house.ids["patrol_id"], points=points, gap="paused")
    assert made.status_code == 201, made.text
    told = made.get_json()
    assert told["incident_id"] == house.ids["incident_id"]
    assert told["points"] == [
        [136.0, 31.5, "2019-10-12T20:00:00+09:00", 8.0],
        [136.001, 31.5, "2019-10-12T20:00:05+09:00", None],
    ]
    listed = house.ask("patrol", "GET", f"/api/v1/patrol-tracks?patrol_id={house.ids['patrol_id']}").get_json()
    assert told in listed["items"]


@pytest.mark.parametrize(
    "points",
    [
        [], "x", [[136, 31]], [[136, 31, "later", 5]], [[136, 31, 5, 5]], [[136, 31, "2019-10-12T20:00:00+09:00", -1]],
        [[136, 31, "2019-10-12T20:00:05+09:00", 5], [136, 31, "2019-10-12T20:00:00+09:00", 5]],
    ],
)  # fmt: skip
def test_a_track_of_something_else_is_refused(house: House, points: Any) -> None:
    refused = post(house, "patrol-tracks", patrol_id=house.ids["patrol_id"], points=points)
    assert (refused.status_code, refused.get_json()["field"]) == (422, "points")


def test_where_colleagues_are_is_not_for_a_mere_viewer(house: House) -> None:
    for path in ("/api/v1/patrol-tracks", "/api/v1/export/patrol-tracks.csv"):
        assert house.ask("viewer", "GET", path).status_code == 403
        assert house.ask("hq_operator", "GET", path).status_code == 200
    assert post(house, "patrols", "shelter_staff", incident_id=house.ids["incident_id"]).status_code == 403


def test_what_clears_a_caution_shows_why(house: House) -> None:
    caution = post(house, "patrol-points", patrol_id=house.ids["patrol_id"], status="caution", passability="impassable")
    clears = {"patrol_id": house.ids["patrol_id"], "status": "cleared", "clears": caution.get_json()["id"]}
    refused = post(house, "patrol-points", **clears)
    assert (refused.status_code, refused.get_json()["field"]) == (422, "note")
    assert post(house, "patrol-points", **{**clears, "status": "safe"}, note="x").status_code == 422
    assert post(house, "patrol-points", **clears, attachments=[house.ids["sha256"]]).status_code == 201
    assert post(house, "patrol-points", **clears, note="水が引いた").status_code == 201


def test_a_point_of_a_round_that_is_not_here_is_refused(house: House) -> None:
    unknown = "01920000-0000-7000-8000-0000000000aa"
    assert post(house, "patrol-points", patrol_id=unknown, status="safe").get_json()["code"] == "unknown_patrol"
    assert post(house, "patrol-tracks", points=[]).get_json()["field"] == "patrol_id"
