"""Shelters, their openings and their head counts over the HTTP API of a real hub."""

from __future__ import annotations

from typing import Any

import pytest
import uuid6

from tests.integration.test_api import Hub
from tests.integration.test_api import hub as hub

SCHOOL = {
    "name": "葦原第二小学校",
    "common_id": "E9999900005111",
    "location": {"type": "Point", "coordinates": [136.01, 31.52]},
    "capacity": 320,
    "usable_floors": [4, 3],
    "usable_floors_label": "校舎(3階・4階)",
    "capacity_by_floor": {"3": 160, "4": 160},
    "kana": "アシハラダイニショウガッコウ",
    "address": "葦原市本郷2丁目4番1号",
    "phone": "000-000-0005",
    "facility": "小学校",
    "district": "本郷",
    "designations": ["evacuation", "emergency"],
    "hazards": ["flood"],
    "note": "訓練用(架空)",
    "source": "訓練用(架空)",
    "data_date": "2017-03-31",
}


@pytest.fixture
def incident(hub: Hub) -> str:
    return str(hub.post("incidents", {"name": "人数", "mode": "test", "kind": "flood"}).json["id"])


@pytest.fixture
def school(hub: Hub, incident: str) -> str:
    """An open shelter."""
    made = str(hub.post("shelters", {"name": "第二小"}).json["id"])
    hub.post("shelter-openings", {"incident_id": incident, "shelter_id": made, "opening_status": "open"})
    return made


def totals(hub: Hub, incident: str) -> Any:
    return hub.ask("GET", f"/api/v1/totals?incident_id={incident}", "viewer").json["people"]


def test_a_shelter_keeps_every_field_that_a_list_of_the_city_gives(hub: Hub) -> None:
    made = hub.post("shelters", SCHOOL)
    expected = {**SCHOOL, "usable_floors": [3, 4], "designations": ["emergency", "evacuation"]}
    assert {name: made.json[name] for name in SCHOOL} == expected
    path = f"/api/v1/shelters/{made.json['id']}"
    changed = hub.ask(
        "PATCH",
        path,
        json={"capacity_by_floor": {"4": 200}, "phone": None, "hazards": ["flood", "earthquake"]},
        headers={"If-Match": made.headers["ETag"]},
    )
    assert changed.status_code == 200, changed.text
    assert changed.json["capacity_by_floor"] == {"4": 200}
    assert (changed.json["phone"], changed.json["hazards"]) == (None, ["earthquake", "flood"])
    assert changed.json == hub.ask("GET", path).json


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("capacity_by_floor", {"三": 1}),
        ("capacity_by_floor", {"3": -1}),
        ("capacity_by_floor", [3]),
        ("usable_floors", "3"),
        ("hazards", ["meteor"]),
        ("designations", ["camp"]),
        ("location", {"type": "Point", "coordinates": [139.6, 200]}),
        ("capacity", "320"),
    ],
)
def test_a_wrong_value_of_a_shelter_is_named_and_changes_nothing(hub: Hub, field: str, value: Any) -> None:
    before = hub.operations()
    answer = hub.ask("POST", "/api/v1/shelters", json={"name": "第一小", field: value})
    assert answer.status_code == 422, answer.text
    assert answer.json["field"] == field and answer.json["hint"]
    assert hub.operations() == before


def test_a_count_stands_in_the_total_with_its_time(hub: Hub, incident: str, school: str) -> None:
    assert totals(hub, incident)["value"] is None
    count = {"incident_id": incident, "shelter_id": school, "total": 97, "male": 40, "female": 50}
    made = hub.post("head-counts", {**count, "counted_at": "2019-10-12T20:41:00+09:00"}, "shelter_staff")
    assert (made.json["total"], made.json["other"], made.json["post"]) == (97, None, None)
    assert "ETag" not in made.headers
    assert totals(hub, incident) | {"as_of": ""} == {
        "value": 97,
        "as_of": "",
        "sources": 1,
        "reporting": 1,
        "oldest_at": "2019-10-12T20:41:00+09:00",
        "silent": [],
    }


def test_a_wrong_count_is_corrected_by_a_later_one_and_stays_in_the_list(hub: Hub, incident: str, school: str) -> None:
    for total in (970, 97):
        hub.post("head-counts", {"incident_id": incident, "shelter_id": school, "total": total}, "shelter_staff")
    assert totals(hub, incident)["value"] == 97
    listed = hub.ask("GET", f"/api/v1/head-counts?incident_id={incident}&shelter_id={school}").json["items"]
    assert [item["total"] for item in listed] == [97, 970]
    path = f"/api/v1/head-counts/{listed[0]['id']}"
    assert hub.ask("PATCH", path, json={"total": 1}, headers={"If-Match": "*"}).status_code == 405


def test_a_count_from_a_clock_ten_years_ahead_is_replaced_by_the_next(hub: Hub, incident: str, school: str) -> None:
    ahead = {"incident_id": incident, "shelter_id": school, "total": 40, "counted_at": "2099-10-12T20:41:00+09:00"}
    hub.post("head-counts", ahead)
    hub.post("head-counts", {"incident_id": incident, "shelter_id": school, "total": 55})
    assert totals(hub, incident)["value"] == 55


def test_posts_add_up_and_a_silent_shelter_is_named(hub: Hub, incident: str, school: str) -> None:
    other = hub.post("shelters", {"name": "第三小"}).json["id"]
    hub.post("shelter-openings", {"incident_id": incident, "shelter_id": other, "opening_status": "full"})
    for post, total in (("正門", 150), ("体育館口", 83), ("正門", 151)):
        hub.post("head-counts", {"incident_id": incident, "shelter_id": school, "post": post, "total": total})
    found = totals(hub, incident)
    assert (found["value"], found["sources"], found["reporting"]) == (234, 2, 1)
    assert found["silent"] == [{"shelter_id": other, "name": "第三小"}]


def test_the_same_count_sent_twice_is_one(hub: Hub, incident: str, school: str) -> None:
    count = {"id": str(uuid6.uuid7()), "incident_id": incident, "shelter_id": school, "total": 12}
    hub.post("head-counts", count)
    assert hub.post("head-counts", count, wanted=200).json["total"] == 12
    hub.post("head-counts", {**count, "total": 13}, wanted=409)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"total": -1}, "total"),
        ({"total": "12"}, "total"),
        ({"total": 1_000_001}, "total"),
        ({}, "total"),
        ({"total": 10, "male": 6, "female": 5}, "total"),
        ({"total": 10, "male": 3, "female": 3, "other": 3}, "total"),
        ({"total": 10, "counted_at": "21:00"}, "counted_at"),
        ({"total": 10, "shelter_id": "第一小"}, "shelter_id"),
        ({"total": 10, "post": ""}, "post"),
        ({"total": 10, "people": 10}, "people"),
    ],
)
def test_a_wrong_count_is_refused_and_changes_nothing(
    hub: Hub, incident: str, school: str, given: dict[str, Any], field: str
) -> None:
    before = hub.operations()
    body = {"incident_id": incident, "shelter_id": school, **given}
    answer = hub.ask("POST", "/api/v1/head-counts", json=body)
    assert (answer.status_code, answer.json["field"]) == (422, field), answer.text
    assert hub.operations() == before


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("patrol", 403), ("shelter_staff", 201)])
def test_shelter_staff_and_hq_count_and_others_only_read(
    hub: Hub, incident: str, school: str, role: str, status: int
) -> None:
    hub.post("head-counts", {"incident_id": incident, "shelter_id": school, "total": 1}, role, wanted=status)
    assert hub.ask("GET", f"/api/v1/head-counts?incident_id={incident}", role).status_code == 200
