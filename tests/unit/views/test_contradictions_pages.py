"""The list of contradictions, over the pages and the API of a hub: found, set aside as known, put back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


def listed(house: House, role: str = "viewer") -> list[dict[str, Any]]:
    answer = house.ask(role, "GET", f"/api/v1/contradictions?incident_id={house.ids['incident_id']}")
    assert answer.status_code == 200
    return list(answer.get_json()["items"])


def test_it_is_found_named_set_aside_with_a_reason_and_comes_back_when_its_facts_change(house: House) -> None:
    base = f"/incidents/{house.ids['incident_id']}/contradictions"
    assert "矛盾はありません" in house.ask("viewer", "GET", base).text
    report = house.ids["report_id"]
    urgent = house.made("instructions", incident_id=house.ids["incident_id"], text="排水する",
                        recipients=[house.ids["person patrol"]], damage_report_id=report)  # fmt: skip
    headers = {"Authorization": f"Bearer {house.tokens['commander']}", "If-Match": "*"}

    def now(status: str) -> None:
        answer = house.app.test_client().patch(
            f"/api/v1/damage-reports/{report}", json={"response_status": status}, headers=headers
        )
        assert answer.status_code == 200

    now("done")
    found = listed(house)
    assert [(one["rule"], one["record_id"], one["against"]["record_id"], one["set_aside"]) for one in found] == [
        ("instruction_to_finished_report", urgent, report, None)
    ]
    page = house.ask("commander", "GET", base).text
    assert "終わった被害報告への指示が続いている" in page and "排水する" in page and "は「対応済」です" in page
    # By the record: by the place in the list, a reason that is typed would go to whichever stands there next.
    assert f'id="f-because-instruction_to_finished_report-{urgent}"' in page
    assert "矛盾 1件" in house.ask("commander", "GET", f"/incidents/{house.ids['incident_id']}").text

    said = dict(re.findall(r'name="(rule|about|facts)" value="([^"]*)"', page))
    assert said["about"] == urgent
    empty = house.ask("commander", "POST", f"{base}/set-asides", said)
    assert empty.status_code == 422 and "なぜそのままでよいか" in empty.text
    assert house.ask("patrol", "POST", f"{base}/set-asides", {**said, "because": "x"}).status_code == 403
    assert house.ask("commander", "POST", f"{base}/set-asides", {**said, "because": "排水は続ける"}).status_code == 303
    aside = listed(house)[0]["set_aside"]
    assert aside["because"] == "排水は続ける"
    page = house.ask("commander", "GET", base).text
    assert "矛盾はありません" in page and "わかっている矛盾" in page
    assert "わかっていると書いた" in house.ask("viewer", "GET", f"/incidents/{house.ids['incident_id']}/chronicle").text

    now("not_needed")
    assert listed(house)[0]["set_aside"] is None
    again = dict(re.findall(r'name="(rule|about|facts)" value="([^"]*)"', house.ask("commander", "GET", base).text))
    assert house.ask("commander", "POST", f"{base}/set-asides", {**again, "because": "同じ"}).status_code == 303
    shown = listed(house)[0]["set_aside"]
    assert (shown["id"], shown["because"]) == (aside["id"], "同じ")
    tag = house.ask("commander", "GET", f"/api/v1/set-asides/{aside['id']}").headers["ETag"]
    assert house.ask("commander", "POST", f"{base}/set-asides/{aside['id']}/lift", {"versions": tag}).status_code == 303
    assert listed(house)[0]["set_aside"] is None


def test_it_asks_for_an_incident_that_is_here(house: House) -> None:
    assert house.ask("viewer", "GET", "/api/v1/contradictions").status_code == 422
    unknown = house.ask("viewer", "GET", f"/api/v1/contradictions?incident_id={house.ids['report_id']}")
    assert unknown.status_code == 404
