"""What the pages of an instruction write: that whoever answers it has seen it, and that a voice has not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


def given(house: House, text: str) -> str:
    return house.made(
        "instructions", incident_id=house.ids["incident_id"], text=text, recipients=[house.ids["person patrol"]]
    )


def answer(house: House, role: str, instruction: str, **form: str) -> int:
    path = f"/incidents/{house.ids['incident_id']}/instructions/{instruction}/replies"
    return house.ask(role, "POST", path, {"state": "ack", **form}).status_code


def rungs(house: House, instruction: str) -> dict[str, Any]:
    (recipient,) = house.ask("commander", "GET", f"/api/v1/delivery/{instruction}").get_json()["recipients"]
    return dict(recipient)


def test_whoever_answers_on_a_page_has_seen_the_instruction(house: House) -> None:
    """Also one who was faster than the moment after which a page says that it was shown."""
    instruction = given(house, "水門を閉める")
    assert answer(house, "patrol", instruction) == 303
    told = rungs(house, instruction)
    assert told["ack_at"] and told["seen_at"] and told["seen_at"] <= told["ack_at"]
    first = told["seen_at"]
    assert answer(house, "patrol", instruction, state="done") == 303
    assert rungs(house, instruction)["seen_at"] == first


def test_whoever_answered_by_voice_has_not_seen_it(house: House) -> None:
    instruction = given(house, "土のうを積む")
    said = {"on_behalf_of": house.ids["person patrol"], "means": "radio", "voice_means": "radio"}
    assert answer(house, "commander", instruction, **said) == 303
    told = rungs(house, instruction)
    assert not told["seen_at"]


def test_a_card_stays_where_it_is_when_it_is_answered_and_the_urgent_stay_above(house: House) -> None:
    """It moved away under the finger, and the next tap answered another instruction."""
    one = {"incident_id": house.ids["incident_id"], "recipients": [house.ids["person patrol"]]}
    normal, urgent, later = (
        house.made("instructions", text=text, priority=priority, **one)
        for text, priority in (("毛布を運ぶ", "normal"), ("窓から離れる", "urgent"), ("広報車で回る", "normal"))
    )
    inbox = f"/incidents/{house.ids['incident_id']}/instructions"

    def cards() -> list[str]:
        shown = re.findall(r'id="card-([0-9a-f-]{36})"', house.ask("patrol", "GET", inbox).text)
        return [card for card in shown if card in (normal, urgent, later)]

    before = cards()
    assert before[0] == urgent and set(before) == {normal, urgent, later}
    for instruction in (urgent, normal):
        assert answer(house, "patrol", instruction) == 303
        assert cards() == before


def test_hq_sees_in_the_menu_and_on_its_front_page_what_goes_no_further(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = f"/incidents/{house.ids['incident_id']}"
    instruction = given(house, "樋門の板を外す")
    assert answer(house, "patrol", instruction, state="cannot", reason="道が通れない") == 303
    assert "「できない」と答えた指示 1件" in house.ask("commander", "GET", front).text
    assert "樋門の板を外す" in house.ask("commander", "GET", f"{front}/instructions?group=cannot").text
    assert "了解のない指示" not in house.ask("commander", "GET", front).text
    given(house, "柵を立てる")
    monkeypatch.setattr(house.node, "clock", lambda now=house.node.clock: now() + 20 * 60_000)
    assert "了解のない指示 " in house.ask("commander", "GET", front).text
    menu = house.ask("commander", "GET", f"{front}/menu").text
    (entry,) = re.findall(r'<a [^>]*data-key="g i".*?</a>', menu, re.DOTALL)
    assert 'class="count"' in entry


def test_whoever_is_meant_answers_on_the_page_of_the_instruction_as_well(house: House) -> None:
    instruction = given(house, "避難所へ水を運ぶ")
    page = f"/incidents/{house.ids['incident_id']}/instructions/{instruction}"
    assert 'name="state" value="ack"' in house.ask("patrol", "GET", page).text
    assert 'class="steps"' not in house.ask("viewer", "GET", page).text
    sent = house.ask("patrol", "POST", f"{page}/replies", {"state": "ack", "back": page})
    assert sent.headers["Location"].endswith(page)
    shown = house.ask("patrol", "GET", page).text
    assert 'value="ack"' not in shown and 'value="started"' in shown
    versions = re.search(r'name="versions" value="([^"]*)"', house.ask("commander", "GET", page).text)
    assert versions is not None
    form = {"versions": versions[1].replace("&#34;", '"'), "reason": "済んだ"}
    assert house.ask("commander", "POST", f"{page}/withdraw", form).status_code == 303
    told = house.ask("commander", "GET", page).text
    assert "order-text struck" in told and 'class="steps"' not in house.ask("patrol", "GET", page).text


def test_a_deadline_that_has_passed_is_said_in_the_list_until_it_is_done(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = house.node.clock()
    due = datetime.fromtimestamp((now + 60_000) / 1000, UTC).isoformat(timespec="seconds")
    one = {"incident_id": house.ids["incident_id"], "recipients": [house.ids["person patrol"]]}
    instruction = house.made("instructions", text="堤内排水の確認", due_at=due, **one)
    listed = f"/incidents/{house.ids['incident_id']}/instructions"

    def row() -> str:
        page = house.ask("commander", "GET", f"{listed}?all=1").text
        return page.partition(f'id="order-{instruction}"')[2].partition("</article>")[0]

    assert "期限" in row() and "過ぎています" not in row()
    monkeypatch.setattr(house.node, "clock", lambda: now + 120_000)
    assert "過ぎています" in row()
    assert answer(house, "patrol", instruction, state="done") == 303
    assert "過ぎています" not in row()


def test_the_call_list_says_how_each_is_called(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    team = house.made("teams", name="水防2班", call_by="090-0000-0002")
    house.made("instructions", incident_id=house.ids["incident_id"], text="樋門へ", recipients=[team])
    now, listed = house.node.clock(), f"/incidents/{house.ids['incident_id']}/instructions"
    monkeypatch.setattr(house.node, "clock", lambda: now + 3_600_000)
    for page in (listed, f"{listed}/calls"):
        assert "090-0000-0002" in house.ask("commander", "GET", page).text


def test_a_slip_of_the_finger_is_taken_back_in_one_tap_and_stays_struck_through(house: House) -> None:
    instruction = given(house, "樋門を閉める")
    page = f"/incidents/{house.ids['incident_id']}/instructions/{instruction}"
    assert answer(house, "patrol", instruction, state="done") == 303
    slip = re.search(r'name="takes_back" value="([^"]+)"', house.ask("patrol", "GET", page).text)
    assert slip is not None
    assert 'name="takes_back"' not in house.ask("commander", "GET", page).text  # another's answer
    form = {"state": "taken_back", "takes_back": slip[1], "back": page}
    for _ in range(2):  # a double tap is one
        assert house.ask("patrol", "POST", f"{page}/replies", form).status_code == 303
    shown = house.ask("commander", "GET", page).text
    assert 'class="struck"' in shown and shown.count("答えの取り消し") == 1
    inbox = house.ask("patrol", "GET", f"/incidents/{house.ids['incident_id']}/instructions?view=mine").text
    assert f'id="card-{instruction}"' in inbox, "it waits again"
    told = house.ask("commander", "GET", f"/incidents/{house.ids['incident_id']}/chronicle").text
    assert "完了の取り消し" in told and '<b class="struck">完了</b>' in told


def test_a_double_tap_is_one_answer_and_the_one_before_can_be_taken_back_next(house: House) -> None:
    instruction = given(house, "水位計を読む")
    inbox, path = (f"/incidents/{house.ids['incident_id']}/instructions{rest}" for rest in ("?view=mine", ""))
    for state in ("ack", "ack", "started", "started"):
        assert answer(house, "patrol", instruction, state=state) == 303
    told = house.ask("viewer", "GET", f"/api/v1/instruction-replies?instruction_id={instruction}").get_json()["items"]
    assert sorted(one["state"] for one in told) == ["ack", "started"]

    def offered() -> str:
        page = house.ask("patrol", "GET", inbox).text
        card = page.partition(f'id="card-{instruction}"')[2].partition("</article>")[0]
        return (re.findall(r'name="takes_back" value="([^"]+)"', card) or [""])[0]

    for state in ("started", "ack"):
        slip = offered()
        assert slip == next(one["id"] for one in told if one["state"] == state)
        form = {"state": "taken_back", "takes_back": slip}
        assert house.ask("patrol", "POST", f"{path}/{instruction}/replies", form).status_code == 303
    assert offered() == ""


def test_an_answer_brings_its_photo_and_hq_sees_it(house: House) -> None:
    instruction, photo = given(house, "橋の欄干を見る"), house.ids["sha256"]
    page = f"/incidents/{house.ids['incident_id']}/instructions/{instruction}"
    assert "f-cannot-files" in house.ask("patrol", "GET", page).text
    sent = {"state": "cannot", "reason_code": "no_way", "attachments": photo, "back": page}
    assert house.ask("patrol", "POST", f"{page}/replies", sent).status_code == 303
    shown = house.ask("commander", "GET", page).text
    assert 'class="patrol-photos"' in shown and photo in shown
    told = house.ask("commander", "GET", f"/api/v1/instruction-replies?instruction_id={instruction}").get_json()
    assert told["items"][0]["attachments"] == [photo]
    refused = house.ask("patrol", "POST", f"{page}/replies", {"state": "done", "attachments": "no hash"})
    assert refused.status_code == 303
    after = house.ask("commander", "GET", f"/api/v1/instruction-replies?instruction_id={instruction}").get_json()
    assert len(after["items"]) == 1, "what names no file is no answer"
