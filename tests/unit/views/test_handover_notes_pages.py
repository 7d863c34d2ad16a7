"""A change of shift through the pages and the API: what is open is listed by itself, and somebody else takes over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from uuid6 import uuid7

from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def busy(house: House) -> House:
    """Two instructions, one of them done; a message that nobody else has read; a report in conflict."""
    incident, report = house.ids["incident_id"], house.ids["report_id"]
    house.ids["ended"] = house.made(
        "instructions", incident_id=incident, text="水門を閉める", recipients=[house.ids["person patrol"]]
    )
    done = {"id": str(uuid7()), "instruction_id": house.ids["ended"], "state": "done"}
    assert house.ask("patrol", "POST", "/api/v1/instruction-replies", done).status_code == 201
    house.made("chat-messages", channel_id=house.ids["channel_id"], text="水位が上がっている")
    seen = house.ask("commander", "GET", f"/api/v1/damage-reports/{report}").headers["ETag"]
    for urgency in ("red", "green"):
        headers = {"Authorization": f"Bearer {house.tokens['commander']}", "If-Match": seen}
        client = house.app.test_client()
        assert (
            client.patch(f"/api/v1/damage-reports/{report}", json={"urgency": urgency}, headers=headers).status_code
            == 200
        )
    return house


def written(house: House, role: str, **form: str) -> tuple[int, str]:
    answer = house.ask(role, "POST", f"/incidents/{house.ids['incident_id']}/handovers", {"_id": str(uuid7()), **form})
    return answer.status_code, answer.headers.get("Location", answer.text)


def shown(house: House, address: str) -> dict[str, Any]:
    found = house.ask("commander", "GET", f"/api/v1/handover-notes/{address.rsplit('/', 1)[1]}")
    assert found.status_code == 200
    return dict(found.get_json())


def test_what_is_open_is_listed_by_itself(busy: House) -> None:
    status, address = written(busy, "hq_operator", text="左岸を見張ること")
    assert status == 303
    note = shown(busy, address)
    assert note["text"] == "左岸を見張ること"
    assert note["instructions"] == [busy.ids["instruction_id"]]
    assert (note["channels"], note["unread"]) == ([busy.ids["channel_id"]], 2)  # the house's own message as well
    assert note["in_conflict"] == [f"damage-reports {busy.ids['report_id']}"]
    assert note["number"]
    page = busy.ask("commander", "GET", address).text
    for words in ("左岸を見張ること", "土のうを積む", "全体", "冠水", "引き継ぎます"):
        assert words in page
    # The commander sees the closed channel; whoever may not read it hands none of it over.
    assert busy.ids["hidden"] not in note["channels"]


def test_whoever_is_in_the_field_hands_over_what_was_given_to_them(busy: House) -> None:
    _, address = written(busy, "patrol", text="交代します")
    assert shown(busy, address)["instructions"] == [busy.ids["instruction_id"]]
    _, address = written(busy, "shelter_staff", text="交代します")
    assert shown(busy, address)["instructions"] == []


def test_somebody_else_takes_over_once_and_it_is_seen_by_all(busy: House) -> None:
    _, address = written(busy, "hq_operator", text="あとをお願いします")
    base = f"/incidents/{busy.ids['incident_id']}/handovers"
    assert "まだ引き継がれていません" in busy.ask("viewer", "GET", base).text
    tag = busy.ask("commander", "GET", f"/api/v1/handover-notes/{address.rsplit('/', 1)[1]}").headers["ETag"]
    own = busy.ask("hq_operator", "POST", f"{address}/take", {"versions": tag})
    assert own.status_code == 303
    assert shown(busy, address)["taken_by"] is None
    assert busy.ask("viewer", "POST", f"{address}/take", {"versions": tag}).status_code == 403
    assert busy.ask("commander", "POST", f"{address}/take", {"versions": tag, "taken_note": "了解"}).status_code == 303
    note = shown(busy, address)
    assert (note["taken_by"], note["taken_note"]) == (busy.ids["person commander"], "了解")
    assert busy.ask("admin", "POST", f"{address}/take", {"versions": tag}).status_code == 303
    assert shown(busy, address)["taken_by"] == busy.ids["person commander"]
    assert "が引き継いだ" in busy.ask("hq_operator", "GET", address).text
    chronicle = busy.ask("viewer", "GET", f"/incidents/{busy.ids['incident_id']}/chronicle").text
    assert re.search(r"引継ぎ [\w-]+</a>\s*<b>引き継いだ", chronicle)


def test_the_menu_counts_what_waits_for_others_and_not_ones_own(busy: House) -> None:
    def count(role: str) -> int:
        page = busy.ask(role, "GET", f"/incidents/{busy.ids['incident_id']}/handovers").text
        links = re.findall(r'<a href="[^"]*/handovers"[^>]*>(.*?)</a>', page, re.S)
        numbers = [int(number) for link in links for number in re.findall(r"(\d+)</span>", link)]
        return max(numbers, default=0)

    before = (count("hq_operator"), count("patrol"))
    written(busy, "hq_operator", text="もう一つ")
    assert (count("hq_operator"), count("patrol")) == (before[0], before[1] + 1)


def test_a_note_without_words_is_not_written_and_what_was_typed_stays(busy: House) -> None:
    status, page = written(busy, "hq_operator", text=" ", place="2階の会議室")
    assert status == 422
    assert "2階の会議室" in page
    status, page = written(busy, "hq_operator", text="x" * 2_001)
    assert status == 422 and "x" * 2_001 in page
    assert written(busy, "viewer", text="x")[0] == 403


def test_over_the_api_the_lists_are_filled_and_only_taking_over_changes_a_note(busy: House) -> None:
    document = {"id": str(uuid7()), "incident_id": busy.ids["incident_id"], "text": "APIから"}
    answer = busy.ask("hq_operator", "POST", "/api/v1/handover-notes", document)
    assert answer.status_code == 201
    assert answer.get_json()["instructions"] == [busy.ids["instruction_id"]]
    assert busy.ask("hq_operator", "POST", "/api/v1/handover-notes", document).status_code == 200

    def patch(role: str, form: dict[str, Any]) -> int:
        headers = {"Authorization": f"Bearer {busy.tokens[role]}", "If-Match": "*"}
        client = busy.app.test_client()
        return int(client.patch(f"/api/v1/handover-notes/{document['id']}", json=form, headers=headers).status_code)

    at = "2026-07-01T20:00:00+09:00"
    assert patch("commander", {"text": "別の言葉"}) == 422
    assert patch("commander", {"taken_note": "先に"}) == 422
    assert patch("hq_operator", {"taken_at": at}) == 422
    assert patch("commander", {"taken_at": at}) == 200
    shown_now = busy.ask("viewer", "GET", f"/api/v1/handover-notes/{document['id']}").get_json()
    assert shown_now["taken_by"] == busy.ids["person commander"]
