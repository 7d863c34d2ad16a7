"""Template sentences: HQ writes them, every form offers them, and those of the catalogue stand in until then."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from uuid6 import uuid7

from app.queries import report_phrases
from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


def offered(house: House, category: str) -> list[str]:
    return [one.text for one in report_phrases.offered(house.node.reader()) if one.category == category]


def test_the_catalogues_sentences_give_way_to_the_citys_own_category_by_category(house: House) -> None:
    assert "通行止めにした" in offered(house, "road")
    assert offered(house, "flood") == ["道路が冠水"]  # the house has one of its own
    house.ask("hq_operator", "POST", "/report-phrases", {"_id": str(uuid7()), "text": "段差あり", "category": "road"})
    assert offered(house, "road") == ["段差あり"]
    form = house.ask("patrol", "GET", f"/incidents/{house.ids['incident_id']}/damage-reports/new").text
    assert 'data-of="road" hidden>段差あり' in form and '<option value="段差あり">' in form


def test_a_sentence_is_changed_and_retired_and_its_record_stays(house: House) -> None:
    phrase = house.made("report-phrases", text="水位が上がっている", category="river")
    page = house.ask("commander", "GET", "/report-phrases").text
    versions = re.search(rf'report-phrases/{phrase}".*?name="versions" value="([^"]*)"', page, re.S)
    assert versions is not None
    form = {"versions": versions[1].replace("&#34;", '"'), "text": "水位が上がっている", "category": "river"}
    house.ask("commander", "POST", f"/report-phrases/{phrase}", form)
    assert offered(house, "river") == []
    assert house.ask("viewer", "GET", f"/api/v1/report-phrases/{phrase}").get_json()["active"] is False


def test_an_empty_or_endless_sentence_is_refused_in_words(house: House) -> None:
    for text in ("", "長" * 101):
        answer = house.ask("hq_operator", "POST", "/report-phrases", {"_id": str(uuid7()), "text": text})
        assert answer.status_code == 422 and "送れませんでした" in answer.text


@pytest.mark.parametrize("role", ["patrol", "shelter_staff", "viewer"])
def test_only_hq_writes_them(house: House, role: str) -> None:
    form = {"_id": str(uuid7()), "text": "勝手な文"}
    assert house.ask(role, "POST", "/report-phrases", form).status_code == 403
    assert house.ask(role, "POST", "/api/v1/report-phrases", {"text": "勝手な文"}).status_code == 403
