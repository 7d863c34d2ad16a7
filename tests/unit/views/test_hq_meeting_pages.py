"""The pages of HQ's meetings on one hub: the next number, decisions in their order, and what is made of one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from uuid6 import uuid7

from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    for made in built(tmp_path_factory.mktemp("meetings")):
        made.ids["team"] = made.made("teams", name="巡回3班")
        yield made


def here(house: House, more: str = "") -> str:
    return f"/incidents/{house.ids['incident_id']}/hq-meetings{more}"


def held(house: House, number: str = "2", **more: Any) -> str:
    record = str(uuid7())
    form = {"_id": record, "_decisions": str(uuid7()), "meeting_no": number, "place": "本庁3階", **more}
    answer = house.ask("commander", "POST", here(house), form)
    assert answer.status_code == 303, answer.text
    return record


def decided(house: House, meeting: str) -> list[dict[str, Any]]:
    answer = house.ask("commander", "GET", f"/api/v1/hq-meeting-decisions?hq_meeting_id={meeting}")
    return list(answer.get_json()["items"])


def test_the_form_knows_the_next_number_and_who_sat_there_before(house: House) -> None:
    held(house, "41", attendees=["fire"])
    page = house.ask("commander", "GET", here(house, "/new")).text
    assert re.search(r'name="meeting_no" type="text" value="42"', page)
    assert re.search(r'value="fire" checked', page) and "本庁3階" in page


def test_decisions_stand_in_the_order_of_the_form_and_the_same_form_twice_writes_them_once(house: House) -> None:
    lines = [f"{place}番目の決定" for place in range(12)]
    meeting = held(house)
    form = {"_decisions": str(uuid7()), "decisions": "\n".join(lines), "team": house.ids["team"]}
    for _ in range(2):
        assert house.ask("commander", "POST", here(house, f"/{meeting}/decisions"), form).status_code == 303
    assert len(decided(house, meeting)) == 12
    page = house.ask("viewer", "GET", here(house, f"/{meeting}")).text
    assert re.findall(r"\d+番目の決定", page) == lines


def test_a_decision_fills_the_form_of_an_instruction_with_its_words_and_its_team(house: House) -> None:
    meeting = held(house, decisions="柳橋を通行止めにする", team=house.ids["team"])
    decision = decided(house, meeting)[0]
    page = house.ask(
        "commander", "GET", f"/incidents/{house.ids['incident_id']}/instructions/new?decision={decision['id']}"
    ).text
    assert "柳橋を通行止めにする" in page and f'value="{house.ids["team"]}" checked' in page
    assert f'name="decision_id" value="{decision["id"]}"' in page
    given = {"incident_id": house.ids["incident_id"], "text": "柳橋", "recipients": [house.ids["team"]]}
    made = house.made("instructions", **given, decision_id=decision["id"])
    assert f"/instructions/{made}" in house.ask("viewer", "GET", here(house, f"/{meeting}")).text
    shown = house.ask("viewer", "GET", f"/incidents/{house.ids['incident_id']}/instructions/{made}").text
    assert f"/hq-meetings/{meeting}#decisions" in shown


def test_a_meeting_is_closed_once(house: House) -> None:
    meeting = held(house)
    page = house.ask("commander", "GET", here(house, f"/{meeting}")).text
    found = re.search(r'name="versions" value="([^"]*)"', page)
    assert found is not None
    form = {"versions": found[1].replace("&#34;", '"').replace("&quot;", '"')}
    ended = []
    for _ in range(2):
        assert house.ask("commander", "POST", here(house, f"/{meeting}/close"), form).status_code == 303
        ended.append(house.ask("viewer", "GET", f"/api/v1/hq-meetings/{meeting}").get_json()["ended_at"])
    assert ended[0] and ended[0] == ended[1]


@pytest.mark.parametrize("wrong", [{"meeting_no": "三"}, {"happened": "25:99"}, {"decisions": "\n".join("x" * 31)}])
def test_a_form_that_is_wrong_comes_back_with_its_words(house: House, wrong: dict[str, str]) -> None:
    form = {"_id": str(uuid7()), "_decisions": str(uuid7()), "meeting_no": "5", "agenda": "残る言葉"} | wrong
    answer = house.ask("commander", "POST", here(house), form)
    assert answer.status_code == 422 and "残る言葉" in answer.text
