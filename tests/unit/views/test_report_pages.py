"""Damage reports at a node that is there: what a form says stands on the record's page, in the API and in the table."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from uuid6 import uuid7

from app import words
from app.queries import report_rows
from tests.house import House, built

FORM = {
    "category": "river", "subcategory": "levee", "degree": "severe", "summary": "法面から水", "landmark": "柳橋",
    "address": "北町二丁目", "reception": "fire", "occurred_at": "2019-10-12T20:46", "press": "withheld",
    "river_name": "青川", "river_state": "seepage", "river_bank": "left", "distance_mark": "4.2k",
    "water_depth_exact": "37", "water_flow": "strong", "people_at_risk": "yes", "deaths": "0", "injured_minor": "2",
    "casualty_transport": "waiting", "road_name": "市道101号", "regulated_by": "警察", "detour": "県道へ",
    "lifeline_state": "out", "lifeline_homes": "1200",
}  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


def pages(house: House) -> str:
    return f"/incidents/{house.ids['incident_id']}/damage-reports"


def filed(house: House, role: str = "hq_operator", **form: str) -> str:
    """The id of a report that was filed with the form."""
    record_id = str(uuid7())
    answer = house.ask(role, "POST", pages(house), {"_id": record_id, "category": "road", **form})
    assert answer.status_code == 303, answer.text
    return record_id


def shown(house: House, record_id: str) -> dict[str, Any]:
    answer = house.ask("viewer", "GET", f"/api/v1/damage-reports/{record_id}")
    return dict(answer.get_json())


def typed(page: str) -> dict[str, str]:
    """What a form that was drawn would send if nobody touched it."""
    found = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    return {name: value.replace("&#34;", '"') for name, value in found.items()}


def test_all_that_a_form_says_stands_on_the_page_in_the_api_and_in_the_table(house: House) -> None:
    report = filed(house, **FORM)
    page = house.ask("viewer", "GET", f"{pages(house)}/{report}").text
    said = (
        "堤防", "大きい", "消防", "20:46", "広報しない", "青川", "漏水", "左岸", "4.2k", "37 cm", "速い(歩けない)",
        "2人", "搬送待ち", "負傷者あり", "市道101号", "警察", "県道へ", "止まっている", "1200戸",
    )  # fmt: skip
    assert [word for word in said if word not in page] == []
    found = shown(house, report)
    assert found["occurred_at"] == "2019-10-12T20:46:00+09:00"
    assert (found["deaths"], found["injured_minor"], found["people_at_risk"]) == (0, 2, True)
    table = house.ask("viewer", "GET", "/api/v1/export/damage-reports.csv").text
    row = next(row for row in csv.DictReader(io.StringIO(table[1:])) if row["id"] == report)
    assert (row["river_state"], row["lifeline_homes"], row["deaths"]) == ("seepage", "1200", "0")


def test_an_edit_form_that_nobody_touched_changes_nothing(house: House) -> None:
    report = filed(house, **FORM)
    before = shown(house, report)
    page = house.ask("hq_operator", "GET", f"{pages(house)}/{report}/edit").text
    hidden = typed(page)
    form = {name.removeprefix("_was_"): value for name, value in hidden.items()} | hidden
    del form["water_depth_cm"]  # no radio is chosen for a depth that is none of those offered
    house.ask("hq_operator", "POST", f"{pages(house)}/{report}/edit", form)
    assert shown(house, report) == before


def test_what_two_windows_of_one_hub_write_into_one_field_is_kept_twice(house: House) -> None:
    report = filed(house, category="river", river_state="seepage")
    first, second = (
        typed(house.ask("hq_operator", "GET", f"{pages(house)}/{report}/edit").text) for _ in ("one", "two")
    )
    for form, state in ((first, "breach"), (second, "normal")):
        house.ask("hq_operator", "POST", f"{pages(house)}/{report}/edit", form | {"river_state": state})
    found = shown(house, report)
    assert (found["river_state"], found["conflicts"]) == ("breach", 1)
    page = house.ask("viewer", "GET", f"{pages(house)}/{report}").text
    assert "決壊" in page and "異常なし" in page and "決まるまで危険側を使います" in page


def test_a_number_that_is_none_is_said_at_its_field_and_nothing_typed_is_lost(house: House) -> None:
    form = {"_id": str(uuid7()), "category": "lifeline", "lifeline_homes": "たくさん", "landmark": "市役所の前"}
    answer = house.ask("hq_operator", "POST", pages(house), form)
    assert answer.status_code == 422
    assert "影響する戸数:0から1,000,000までの整数" in answer.text and "市役所の前" in answer.text
    assert house.ask("viewer", "GET", f"/api/v1/damage-reports/{form['_id']}").status_code == 404


PLACE = {"lon": "139.67", "lat": "35.81", "location_source": "map"}


def test_a_person_joins_what_is_the_same_and_parts_it_again_and_both_stand_as_they_were(house: House) -> None:
    first, second = filed(house, **PLACE, summary="柳橋で冠水"), filed(house, **PLACE, summary="アンダーパスに水")
    before = [shown(house, report) for report in (first, second)]
    page = house.ask("hq_operator", "GET", f"{pages(house)}/{second}").text
    assert "同じ被害ですか" in page and "柳橋で冠水" in page
    assert "同じ被害の報告" not in page
    house.ask("hq_operator", "POST", f"{pages(house)}/{second}/doubles", {"other": first})
    listed = house.ask("viewer", "GET", pages(house)).text
    assert "同じ被害 2件" in listed and "アンダーパスに水" not in listed
    assert "同じ被害の報告 2件" in house.ask("viewer", "GET", f"{pages(house)}/{first}").text
    number = before[0]["number"]
    history = house.ask("viewer", "GET", f"{pages(house)}/{second}").text
    assert f"同じ被害={number}" in history
    house.ask("hq_operator", "POST", f"{pages(house)}/{first}/partings", {"other": second})
    ignored = ("updated_at", "same_as")
    assert [
        {name: value for name, value in shown(house, report).items() if name not in ignored}
        for report in (first, second)
    ] == [{name: value for name, value in report.items() if name not in ignored} for report in before]
    assert "アンダーパスに水" in house.ask("viewer", "GET", pages(house)).text


def test_a_report_is_joined_by_its_number_and_one_that_is_not_there_is_said(house: House) -> None:
    first, second = filed(house, category="tree"), filed(house, category="house")
    number = shown(house, first)["number"]
    path = f"{pages(house)}/{second}/doubles"
    house.ask("hq_operator", "POST", path, {"number": number.lower()})
    assert shown(house, second)["same_as"] == first
    browser = house.browser("hq_operator")
    for wrong in ("X9-9999", shown(house, second)["number"]):
        answer = browser.post(path, data={"number": wrong}, follow_redirects=True)
        assert "その番号の報告は、この災害にありません" in answer.text


def test_the_form_joins_when_the_person_says_so_and_only_then(house: House) -> None:
    first = filed(house, **PLACE, category="slope")
    near = house.ask("patrol", "GET", f"{pages(house)}/near?category=slope&lon=139.67&lat=35.81").text
    assert f'value="{first}"' in near and 'value="" checked' in near
    assert shown(house, filed(house, **PLACE, category="slope", same_as=""))["same_as"] is None
    assert shown(house, filed(house, **PLACE, category="slope", same_as=first))["same_as"] == first
    strange = house.ask(
        "patrol", "POST", pages(house), {"_id": str(uuid7()), "category": "slope", "same_as": str(uuid7())}
    )
    assert strange.status_code == 422 and "その報告は、この端末にありません" in strange.text


def test_two_windows_that_join_one_report_to_two_others_lose_neither_link(house: House) -> None:
    one, other, third = (filed(house, category="medical") for _ in range(3))
    for target in (one, other):  # neither window has seen what the other did
        house.ask("hq_operator", "POST", f"{pages(house)}/{third}/doubles", {"other": target})
    page = house.ask("viewer", "GET", f"{pages(house)}/{third}").text
    assert "同じ被害の報告 3件" in page
    assert [shown(house, report)["conflicts"] for report in (one, other, third)] == [0, 0, 0]


def test_who_may_only_read_joins_nothing(house: House) -> None:
    first, second = filed(house, **PLACE), filed(house, **PLACE)
    assert house.ask("viewer", "POST", f"{pages(house)}/{second}/doubles", {"other": first}).status_code == 403
    assert "同じ被害として結ぶ" not in house.ask("viewer", "GET", f"{pages(house)}/{second}").text


def test_a_call_is_taken_with_the_caller_sealed_and_nobody_elses_page_says_who(house: House) -> None:
    page = house.ask("hq_operator", "GET", f"{pages(house)}/call").text
    form = {
        "_id": str(uuid7()), "_page": "call", "reception": "phone", "certainty": "hearsay", "category": "rescue",
        "address": "南町1-2", "description": "1階に水、2階に2人",
        "caller_name": "通報 花子", "caller_phone": "048-000-0000",
    }  # fmt: skip
    assert all(f'name="{name}"' in page for name in form)
    assert house.ask("hq_operator", "POST", pages(house), form).status_code == 303
    found = shown(house, form["_id"])
    assert (found["reception"], found["certainty"], found["summary"]) == ("phone", "hearsay", "火災・救助")
    for path in (f"{pages(house)}/{form['_id']}", f"{pages(house)}/{form['_id']}/saved", pages(house)):
        assert "花子" not in house.ask("viewer", "GET", path).text + house.ask("hq_operator", "GET", path).text
    assert "花子" in house.ask("hq_operator", "GET", f"{pages(house)}/{form['_id']}/people").text
    assert "次の電話を受ける" in house.ask("hq_operator", "GET", f"{pages(house)}/{form['_id']}/saved").text


def test_a_call_without_a_category_comes_back_as_a_call_with_all_that_was_typed(house: House) -> None:
    form = {"_id": str(uuid7()), "_page": "call", "reception": "phone", "category": "", "caller_name": "通報 次郎"}
    answer = house.ask("hq_operator", "POST", pages(house), form | {"address": "東町3"})
    assert answer.status_code == 422
    assert 'name="_page" value="call"' in answer.text and "東町3" in answer.text and "通報 次郎" in answer.text


def test_a_report_is_given_to_a_team_and_the_instruction_knows_it(house: House) -> None:
    team, report = house.made("teams", name="水防班"), filed(house)
    form = typed(house.ask("hq_operator", "GET", f"{pages(house)}/{report}").text)
    path = f"{pages(house)}/{report}/assignment"
    house.ask("hq_operator", "POST", path, form | {"team": team, "assignee": "", "_was_team": "", "_was_assignee": ""})
    found = shown(house, report)
    assert (found["team"], found["assignee"]) == (team, None)
    order = house.ask(
        "hq_operator", "GET", f"/incidents/{house.ids['incident_id']}/instructions/new?report={report}"
    ).text
    assert f'value="{team}" checked' in order
    listed = house.ask("viewer", "GET", f"{pages(house)}?team={team}").text
    assert found["number"] in listed and house.ids["report_id"] not in listed


def test_a_report_is_given_to_nobody_who_is_not_in_the_list(house: House) -> None:
    report = filed(house)
    form = typed(house.ask("hq_operator", "GET", f"{pages(house)}/{report}").text)
    stranger = {"team": str(uuid7()), "_was_team": ""}
    house.ask("hq_operator", "POST", f"{pages(house)}/{report}/assignment", form | stranger)
    assert shown(house, report)["team"] is None


def test_two_windows_that_give_a_report_to_two_teams_keep_both(house: House) -> None:
    one, other = house.made("teams", name="一班"), house.made("teams", name="二班")
    report = filed(house)
    form = typed(house.ask("hq_operator", "GET", f"{pages(house)}/{report}").text) | {"_was_team": ""}
    for team in (one, other):
        house.ask("hq_operator", "POST", f"{pages(house)}/{report}/assignment", form | {"team": team})
    assert shown(house, report)["conflicts"] == 1


def test_a_list_says_how_many_there_are_and_of_many_with_a_word_only_that(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_rows, "PAGE_ROWS_MAX", 2)
    for number in range(4):
        filed(house, summary=f"朝顔通りの冠水 {number}", urgency="red")
    word = words.seal(house.node.keys.data_key, "朝顔通り")
    assert "全部で 4件)" in house.ask("viewer", "GET", f"{pages(house)}?words={word}").text
    monkeypatch.setattr(report_rows, "COUNTED_MAX", 3)
    assert "全部で 3件以上)" in house.ask("viewer", "GET", f"{pages(house)}?words={word}").text
    assert "件以上" not in house.ask("viewer", "GET", f"{pages(house)}?urgency=red").text
