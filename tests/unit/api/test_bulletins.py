"""Notices over the API of one hub: editions, withdrawal, and who has read what."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.api.test_instructions import Api, api

__all__ = ["api"]


def published(api: Api, **more: Any) -> dict[str, Any]:
    given = {"title": "給水車が来ます", "body": "18時から中央公民館", "audience": "all"} | more
    return api.made("commander", "bulletins", incident_id=api.ids["incident"], **given)


def changed(api: Api, bulletin: dict[str, Any], **fields: Any) -> Any:
    return api.ask("commander", "PATCH", f"bulletins/{bulletin['id']}", fields, If_Match="*")


def test_a_notice_has_a_number_and_its_first_edition(api: Api) -> None:
    made = published(api, category="supplies", pinned=True)
    assert made["number"].startswith("H1-") and made["edition"] == 1
    assert (made["audience"], made["pinned"], made["withdrawn_at"]) == ("all", True, None)


def test_the_same_notice_sent_twice_is_one(api: Api) -> None:
    made = published(api)
    again = {"id": made["id"], "incident_id": api.ids["incident"], "title": made["title"], "body": made["body"]}
    assert api.ask("commander", "POST", "bulletins", again | {"audience": "all"}).status_code == 200


def test_a_change_of_the_words_is_a_new_edition_and_pinning_is_none(api: Api) -> None:
    made = published(api)
    answer = changed(api, made, pinned=True)
    assert (answer.status_code, answer.get_json().get("edition")) == (200, 1), answer.text
    assert changed(api, made, body="19時から").get_json()["edition"] == 2


def test_a_withdrawal_says_who_when_and_why_and_keeps_the_text(api: Api) -> None:
    made = published(api)
    found = changed(api, made, withdrawn_at="2026-01-01T21:00:00+09:00", withdrawn_reason="時刻がまちがい").get_json()
    assert found["withdrawn_by"] == api.ids["commander"] and found["edition"] == 2
    assert (found["title"], found["withdrawn_reason"]) == ("給水車が来ます", "時刻がまちがい")


@pytest.mark.parametrize(
    "fields",
    [
        {"withdrawn_at": "2026-01-01T21:00:00+09:00"},
        {"withdrawn_reason": "時刻がまちがい"},
        {"withdrawn_at": None, "withdrawn_reason": None},
    ],
)
def test_a_withdrawal_without_its_time_or_reason_is_refused(api: Api, fields: dict[str, Any]) -> None:
    made = published(api)
    assert changed(api, made, **fields).status_code == 422
    assert api.ask("commander", "GET", f"bulletins/{made['id']}").get_json()["edition"] == 1


def test_a_new_notice_is_not_withdrawn_already(api: Api) -> None:
    document = {"incident_id": api.ids["incident"], "title": "x", "withdrawn_at": "2026-01-01T21:00:00+09:00"}
    assert api.ask("commander", "POST", "bulletins", document).status_code == 422


@pytest.mark.parametrize("field", ["edition", "withdrawn_by", "number"])
def test_what_the_node_fills_no_client_writes(api: Api, field: str) -> None:
    document = {"incident_id": api.ids["incident"], "title": "x", field: 3}
    assert api.ask("commander", "POST", "bulletins", document).status_code == 422


def test_the_field_reads_and_does_not_publish(api: Api) -> None:
    made = published(api)
    assert api.ask("viewer", "GET", f"bulletins/{made['id']}").status_code == 200
    assert api.ask("patrol", "POST", "bulletins", {"incident_id": api.ids["incident"], "title": "x"}).status_code == 403


def test_a_list_is_narrowed_by_category(api: Api) -> None:
    made = published(api, category="roads")
    found = api.ask("patrol", "GET", "bulletins?category=roads").get_json()["items"]
    assert [one["id"] for one in found] == [made["id"]]
    assert api.ask("patrol", "GET", "bulletins?category=nothing").status_code == 422


def test_the_delivery_of_a_notice_names_who_has_not_read_it(api: Api) -> None:
    made = published(api)
    found = api.rungs(made["id"])
    assert set(found) == {"hub", api.ids["patrol"], api.ids["viewer"]}
    assert found["hub"]["hub_at"] and found[api.ids["patrol"]]["seen_at"] is None
