"""Lists that are narrowed by their address: rounds, handover notes, values written apart, contradictions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from uuid6 import uuid7

from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Beside what every house has: two rounds, two notes, two records in conflict, two contradictions."""
    for house in built(tmp_path_factory.mktemp("house")):
        here = f"/incidents/{house.ids['incident_id']}"
        browser = house.browser("patrol")
        browser.post(f"{here}/patrols", data={"_id": str(uuid7()), "start": "1", "name": "北回り"})
        browser.post(f"{here}/patrols", data={"_id": str(uuid7()), "name": "南回り"})
        for words in ("夜の分", "朝の分"):
            house.made("handover-notes", incident_id=house.ids["incident_id"], text=words)
        split(house, f"damage-reports/{house.ids['report_id']}", {"urgency": "red"}, {"urgency": "green"})
        split(house, f"incidents/{house.ids['incident_id']}", {"name": "台風の夜"}, {"name": "大雨の夜"})
        house.made("instructions", incident_id=house.ids["incident_id"], text="排水する",
                   recipients=[house.ids["person patrol"]], damage_report_id=house.ids["report_id"])  # fmt: skip
        patch(house, f"damage-reports/{house.ids['report_id']}", {"response_status": "duplicate"}, "*")
        yield house


def patch(house: House, path: str, form: dict[str, Any], seen: str) -> None:
    headers = {"Authorization": f"Bearer {house.tokens['commander']}", "If-Match": seen}
    assert house.app.test_client().patch(f"/api/v1/{path}", json=form, headers=headers).status_code == 200


def split(house: House, path: str, *forms: dict[str, Any]) -> None:
    seen = house.ask("commander", "GET", f"/api/v1/{path}").headers["ETag"]
    for form in forms:
        patch(house, path, form, seen)


def page(house: House, path: str) -> str:
    answer = house.ask("commander", "GET", f"/incidents/{house.ids['incident_id']}/{path}")
    assert answer.status_code == 200
    return answer.text


def chosen(text: str) -> str:
    """The filter that a page says it stands at."""
    found = re.search(r'<nav class="filters in-list".*?aria-current="page">([^<]+)</a>', text, re.S)
    assert found is not None
    return found[1].strip()


def test_rounds_are_narrowed_by_their_state(house: House) -> None:
    everything, running = page(house, "patrols"), page(house, "patrols?state=running")
    assert "北回り" in everything and "南回り" in everything and chosen(everything).startswith("すべて")
    assert "北回り" in running and "南回り" not in running and chosen(running).startswith("巡回中")
    assert "?state=running&amp;part=list" in running  # a list that is drawn anew stays narrow
    assert "この条件に合う巡回はありません" in page(house, "patrols?state=called_off")


def test_handover_notes_are_narrowed_to_those_that_wait(house: House) -> None:
    waiting, taken = page(house, "handovers?state=waiting"), page(house, "handovers?state=taken")
    assert "夜の分" in waiting and "朝の分" in waiting and chosen(waiting) == "引き継ぎ待ち 3"  # the house has one
    assert "夜の分" not in taken and "この条件に合う引継ぎはありません" in taken


def test_conflicts_are_narrowed_by_kind(house: House) -> None:
    everything, reports = page(house, "conflicts"), page(house, "conflicts?kind=damage-reports")
    assert "「緊急度」" in everything and "台風の夜" in everything
    assert "「緊急度」" in reports and "台風の夜" not in reports.partition('id="conflicts"')[2]
    assert chosen(reports) == "被害報告 1"


def test_contradictions_are_narrowed_by_rule(house: House) -> None:
    assert chosen(page(house, "contradictions")) == "すべて 2"  # it also names no report that it doubles
    one = page(house, "contradictions?rule=instruction_to_finished_report")
    assert chosen(one).endswith(" 1") and "排水する" in one


@pytest.mark.parametrize("path", ["patrols?state=x", "handovers?state=x", "conflicts?kind=x", "contradictions?rule=x"])
def test_an_address_that_asks_for_what_is_not_there_shows_everything(house: House, path: str) -> None:
    assert chosen(page(house, path)).startswith("すべて")
