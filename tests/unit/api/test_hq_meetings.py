"""Meetings of HQ and their decisions over the API of one hub."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.test_instructions import Api, api

__all__ = ["api"]

HELD = "2026-01-01T20:00:00+09:00"


def held(api: Api, **more: Any) -> dict[str, Any]:
    given = {"meeting_no": 1, "held_at": HELD, "attendees": ["chief", "fire"]} | more
    return api.made("commander", "hq-meetings", incident_id=api.ids["incident"], **given)


def test_a_meeting_has_its_number_and_who_sat_in_it_by_role(api: Api) -> None:
    made = held(api, meeting_no=3, place="本庁3階", agenda="水位")
    assert (made["meeting_no"], made["held_at"], set(made["attendees"])) == (3, HELD, {"chief", "fire"})
    answer = api.ask("commander", "PATCH", f"hq-meetings/{made['id']}", {"ended_at": HELD}, If_Match="*")
    assert answer.get_json()["ended_at"] == HELD


@pytest.mark.parametrize("wrong", [{"meeting_no": 0}, {"meeting_no": None}, {"held_at": None}, {"attendees": ["市長"]}])
def test_what_is_no_meeting_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    document = {"incident_id": api.ids["incident"], "meeting_no": 1, "held_at": HELD} | wrong
    assert api.ask("commander", "POST", "hq-meetings", document).status_code == 422


def test_a_decision_says_its_meeting_and_becomes_an_instruction_that_names_it(api: Api) -> None:
    meeting = held(api)
    decision = api.made(
        "commander", "hq-meeting-decisions", hq_meeting_id=meeting["id"], text="橋を閉じる", team=api.ids["team"]
    )
    assert decision["incident_id"] == api.ids["incident"]
    listed = api.ask("viewer", "GET", f"hq-meeting-decisions?hq_meeting_id={meeting['id']}").get_json()["items"]
    assert [one["id"] for one in listed] == [decision["id"]]
    given = {"incident_id": api.ids["incident"], "text": "橋を閉じる", "recipients": [api.ids["team"]]}
    assert api.made("commander", "instructions", **given, decision_id=decision["id"])["decision_id"] == decision["id"]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"text": "x"}, "required"),
        ({"text": "x", "hq_meeting_id": "01920000-0000-7000-8000-000000000009"}, "unknown_meeting"),
    ],
)
def test_a_decision_of_no_meeting_is_refused(api: Api, document: dict[str, Any], code: str) -> None:
    answer = api.ask("commander", "POST", "hq-meeting-decisions", document)
    assert (answer.status_code, answer.get_json()["code"]) == (422, code)


def test_the_field_reads_and_does_not_write_them(api: Api) -> None:
    document = {"incident_id": api.ids["incident"], "meeting_no": 9, "held_at": HELD}
    assert api.ask("patrol", "POST", "hq-meetings", document).status_code == 403
    assert api.ask("patrol", "GET", "hq-meetings").status_code == 200
