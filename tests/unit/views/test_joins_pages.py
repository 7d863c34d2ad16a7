"""Two incidents that are one, through the pages and the API of a hub: joined, shown as one, written to, parted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


@pytest.fixture
def twin(house: House) -> Iterator[str]:
    """A second incident of the drill with a report of its own; joined with the first while the test runs."""
    other = house.made("incidents", name="台風19号(西)", mode="drill", kind="typhoon")
    house.ids["twin_report"] = house.made("damage-reports", incident_id=other, category="road", summary="倒木")
    _tap(house, "", other)
    yield other
    _tap(house, "/partings", other)


def _tap(house: House, path: str, other: str, role: str = "commander") -> int:
    mine, versions = house.ids["incident_id"], ""
    answer = house.ask("commander", "GET", f"/api/v1/incidents/{other}")
    versions = answer.headers["ETag"]
    return house.ask(role, "POST", f"/incidents/{mine}/joins{path}", {"other": other, "versions": versions}).status_code


def _open_reports(house: House, incident: str) -> int:
    found = house.ask("viewer", "GET", f"/api/v1/totals?incident_id={incident}").get_json()
    return int(found["damage_reports"]["open"])


def test_joined_they_are_totalled_and_listed_as_one_and_parted_again_each_alone(house: House, twin: str) -> None:
    mine = house.ids["incident_id"]
    assert _open_reports(house, mine) == _open_reports(house, twin) == 2
    listed = house.ask("viewer", "GET", f"/api/v1/damage-reports?incident_id={twin}").get_json()["items"]
    assert {one["incident_id"] for one in listed} == {mine, twin}
    page = house.ask("viewer", "GET", "/incidents").text
    assert "台風19号(西)」とまとめて表示" in page
    assert f"/incidents/{twin}" not in page
    assert _tap(house, "/partings", twin) == 303
    assert (_open_reports(house, mine), _open_reports(house, twin)) == (1, 1)


def test_the_front_page_of_the_other_is_the_one_they_are_shown_as(house: House, twin: str) -> None:
    answer = house.ask("viewer", "GET", f"/incidents/{twin}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/incidents/{house.ids['incident_id']}")


def test_a_report_is_opened_and_changed_in_the_incident_that_it_was_written_in(house: House, twin: str) -> None:
    """Under the other's address the browser is sent on, with the form, so that the scope stays the report's."""
    mine, report = house.ids["incident_id"], house.ids["twin_report"]
    seen = house.ask("viewer", "GET", f"/incidents/{mine}/damage-reports/{report}?part=body")
    assert seen.status_code == 308
    assert seen.headers["Location"] == f"/incidents/{twin}/damage-reports/{report}?part=body"
    said = {
        "response_status": "done",
        "versions": house.ask("viewer", "GET", f"/api/v1/damage-reports/{report}").headers["ETag"],
    }
    browser = house.browser("commander")
    answer = browser.post(f"/incidents/{mine}/damage-reports/{report}/response", data=said, follow_redirects=True)
    assert answer.status_code == 200
    shown = house.ask("viewer", "GET", f"/api/v1/damage-reports/{report}").get_json()
    assert (shown["response_status"], shown["incident_id"], shown["conflicts"]) == ("done", twin, 0)


def test_what_is_of_neither_is_not_there(house: House, twin: str) -> None:
    stranger = house.made("incidents", name="別の訓練", mode="drill", kind="flood")
    for incident in (house.ids["incident_id"], twin):
        lost = house.made("damage-reports", incident_id=stranger, category="road", summary="よその倒木")
        assert house.ask("viewer", "GET", f"/incidents/{incident}/damage-reports/{lost}").status_code == 404


def test_a_drill_is_never_joined_with_what_is_real(house: House) -> None:
    real = house.made("incidents", name="本物の台風", mode="real", kind="typhoon")
    assert _tap(house, "", real) == 303
    assert house.ask("viewer", "GET", f"/api/v1/incidents/{real}").get_json()["same_as"] is None
    assert real not in house.ask("commander", "GET", f"/incidents/{house.ids['incident_id']}/joins").text


def test_who_is_not_of_hq_sees_them_and_joins_nothing(house: House, twin: str) -> None:
    assert _tap(house, "/partings", twin, role="patrol") == 403
    page = house.ask("patrol", "GET", f"/incidents/{house.ids['incident_id']}/joins")
    assert page.status_code == 200
    assert "分ける" not in page.text.split("</h2>")[1].split("</section>")[0]


def test_the_chronology_of_either_has_the_lines_of_both(house: House, twin: str) -> None:
    page = house.ask("viewer", "GET", f"/incidents/{twin}/chronicle").text
    assert "倒木" in page
    assert "訓練の台風" in page
    assert "ほかの災害とまとめた" in page
