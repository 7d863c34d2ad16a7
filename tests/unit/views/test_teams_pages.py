"""Teams through the pages of a hub: made, led, filled, and what they have to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from uuid6 import uuid7

from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def team(house: House) -> str:
    base, wanted = f"/incidents/{house.ids['incident_id']}/teams", str(uuid7())
    answer = house.ask("commander", "POST", base, {"_id": wanted, "name": "巡回2班", "place": "市役所西口"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{base}/{wanted}")
    return answer.headers["Location"]


def tag(house: House, path: str) -> str:
    return house.ask("commander", "GET", f"/api/v1/{path}").headers["ETag"]


def test_its_members_its_leader_and_its_place_are_shown(house: House, team: str) -> None:
    member, staff = house.ids["person patrol"], house.made("staff", name="応援の田中")
    assert house.ask("admin", "POST", f"{team}/members", {"member": f"users {member}"}).status_code == 303
    assert house.ask("commander", "POST", f"{team}/members", {"member": f"staff {staff}"}).status_code == 303
    record = team.rsplit("/", 1)[1]
    said = {"name": "巡回2班", "leader": member, "place": "東口", "call_by": "無線 2",
            "versions": tag(house, f"teams/{record}")}  # fmt: skip
    assert house.ask("commander", "POST", team, said).status_code == 303
    page = house.ask("viewer", "GET", team).text
    for words in ("人 patrol", "応援の田中", "班長 人 patrol", "東口", "無線 2", "2人"):
        assert words in page
    shown = house.ask("viewer", "GET", f"/api/v1/teams/{record}").get_json()
    assert (shown["leader"], shown["place"]) == (member, "東口")
    assert (
        house.ask("commander", "POST", f"{team}/members", {"member": f"staff {staff}", "out": "yes"}).status_code == 303
    )
    assert "応援の田中" not in house.ask("viewer", "GET", team).text


def test_what_it_has_to_do_stands_on_its_page(house: House, team: str) -> None:
    incident, record = house.ids["incident_id"], team.rsplit("/", 1)[1]
    house.made("instructions", incident_id=incident, text="橋を見に行く", recipients=[record])
    house.made("damage-reports", incident_id=incident, category="road", summary="陥没", team=record)
    house.made("damage-reports", incident_id=incident, category="road", summary="片付いた", team=record,
               response_status="done")  # fmt: skip
    house.made("handover-notes", incident_id=incident, text="車の鍵は西口", team=record)
    for page in (house.ask("patrol", "GET", team).text, house.ask("patrol", "GET", f"{team}?part=work").text):
        for words in ("橋を見に行く", "陥没", "車の鍵は西口"):
            assert words in page
        assert "片付いた" not in page


def test_who_leads_is_a_member_and_who_assigns_may_edit_the_person(house: House, team: str) -> None:
    said = {"name": "巡回2班", "leader": house.ids["person viewer"], "place": "東口",
            "versions": tag(house, f"teams/{team.rsplit('/', 1)[1]}")}  # fmt: skip
    answer = house.ask("commander", "POST", team, said)
    assert answer.status_code == 422 and "班員から選んでください" in answer.text
    viewer = {"member": f"users {house.ids['person viewer']}"}
    assert house.ask("commander", "POST", f"{team}/members", viewer).status_code == 403
    assert house.ask("patrol", "POST", f"{team}/members", viewer).status_code == 403
    assert house.ask("admin", "POST", f"{team}/members", {"member": "nodes x"}).status_code == 404


def test_two_windows_that_change_one_team_both_keep_their_word(house: House, team: str) -> None:
    record = team.rsplit("/", 1)[1]
    seen = tag(house, f"teams/{record}")
    now = house.ask("viewer", "GET", f"/api/v1/teams/{record}").get_json()
    for place in ("北口", "南口"):
        said = {"name": now["name"], "leader": now["leader"] or "", "place": place, "versions": seen}
        assert house.ask("commander", "POST", team, said).status_code == 303
    page = house.ask("commander", "GET", team).text
    assert "「場所」の値が2つあります" in page and "北口" in page and "南口" in page
