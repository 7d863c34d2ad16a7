"""Damage reports at HQ: a call taken, doubles joined and parted, the form's parts, two clicks to an instruction."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from uuid6 import uuid7

from tests.browser.people import HQ, PHONE, SITTINGS, TABLET, Visitor, Visitors
from tests.integration.cluster import Cluster, eventually

pytestmark = pytest.mark.deep  # `make test` has no time for one more city of processes

FAULTS_ONLY = {"resultTypes": ["violations"]}
AT = {"type": "Point", "coordinates": [137.21, 33.51]}


def file(city: Cluster, node: Any, **fields: Any) -> dict[str, Any]:
    """A report that a node's API took."""
    return dict(node.post("damage-reports", {"id": str(uuid7()), "incident_id": city.incident, **fields}))


def take_call(hq: Visitor, address: str, caller: str) -> str:
    """The id of the report that a call became."""
    hq.go("/damage-reports")
    hq.page.keyboard.press("p")
    expect(hq.page.locator("[name=address]")).to_be_focused()
    hq.page.keyboard.type(address)
    hq.page.select_option("[name=category]", "flood")
    hq.page.get_by_role("button", name="道路が冠水し車が通れない").click()
    hq.page.fill("[name=caller_name]", caller)
    hq.page.fill("[name=caller_phone]", "048-000-0000")
    hq.page.keyboard.press("Control+Enter")
    hq.page.wait_for_url(re.compile(r"/damage-reports/[0-9a-f-]{36}/saved$"))
    return str(hq.page.url.split("/")[-2])


def test_a_call_is_taken_by_keyboard_and_joined_to_the_patrols_report(visitors: Visitors, city: Cluster) -> None:
    first = file(city, city.hub, summary="南橋の下に水", category="flood")
    hq = visitors.at(city.hub, HQ)
    called = take_call(hq, "南橋アンダーパス", "検体 花子")
    found = city.hub.get(f"damage-reports/{called}")
    assert (found["reception"], found["certainty"], found["summary"]) == (
        "phone",
        "hearsay",
        "道路が冠水し車が通れない",
    )
    assert "検体 花子" not in hq.page.content()
    hq.go(f"/damage-reports/{called}")
    hq.page.get_by_text("番号で同じ被害に結ぶ").click()
    hq.page.fill("[name=number]", first["number"])
    hq.page.get_by_role("button", name="結ぶ", exact=True).click()
    expect(hq.page.get_by_text("同じ被害の報告 2件")).to_be_visible()
    hq.go("/damage-reports")
    row = hq.page.locator(f"[data-row='{first['id']}']")
    expect(row).to_contain_text("同じ被害 2件")
    expect(hq.page.locator(f"[data-row='{called}']")).to_have_count(0)
    hq.go(f"/damage-reports/{first['id']}")
    twin = hq.page.locator(".twin", has_text=found["number"])
    twin.get_by_role("button", name="別の被害として分ける").click()
    expect(hq.page.get_by_text("同じ被害の報告")).to_have_count(0)
    assert city.hub.get(f"damage-reports/{called}")["same_as"] is None
    assert hq.faults == []


@pytest.mark.deep
def test_a_patrol_is_asked_whether_it_is_the_same_and_its_answer_stands_at_hq(
    visitors: Visitors, city: Cluster
) -> None:
    patrol, hq = visitors.at(city.terminals[0], PHONE), visitors.at(city.hub, HQ)
    for summary in ("最初の報告", "二つ目の報告"):
        patrol.go("/damage-reports/new")
        patrol.page.locator("label.tile", has_text="倒木").first.click()
        expect(patrol.page.locator("[name=lat]")).not_to_have_value("")
        if summary == "二つ目の報告":
            asked = patrol.page.locator(".near-found")
            expect(asked).to_contain_text("同じ被害ですか")
            asked.locator("label.choice", has_text="と同じ").first.click()
        patrol.page.fill("[name=summary]", summary)
        patrol.page.get_by_role("button", name="送る").click()
        patrol.page.wait_for_url(re.compile(r"/saved$"))
    hq.go("/damage-reports?category=tree")
    expect(hq.page.locator("#reports")).to_contain_text("同じ被害 2件")
    assert patrol.faults == hq.faults == []


@pytest.mark.deep
def test_the_parts_of_the_form_open_with_the_category_and_hide_nothing_typed(visitors: Visitors, city: Cluster) -> None:
    patrol = visitors.at(city.terminals[0], TABLET)
    patrol.go("/damage-reports/new")
    page, part = patrol.page, lambda name: patrol.page.locator(f"details[data-part={name}]")
    page.locator("label.tile", has_text="道路").first.click()
    expect(part("road")).to_have_attribute("open", "")
    expect(part("river")).to_be_hidden()
    page.fill("[name=road_name]", "市道101号")
    page.get_by_role("button", name="通行止めにした").click()
    expect(page.locator("[name=summary]")).to_have_value("通行止めにした")
    page.get_by_role("button", name="変える").click()
    page.get_by_text("ほかの区分").click()
    page.locator("label.tile", has_text="河川").first.click()
    expect(part("river")).to_be_visible()
    expect(part("road")).to_be_visible()  # what was typed stays in sight
    page.locator("label.choice", has=page.locator("[name=river_state][value=breach]")).click()
    page.get_by_role("button", name="送る").click()
    page.wait_for_url(re.compile(r"/saved$"))
    report = page.url.split("/")[-2]
    at_hq = eventually(lambda: city.hub.found(f"damage-reports/{report}"), 10, "it stands at HQ")
    assert at_hq["river_state"] == "breach"
    hq = visitors.at(city.hub, HQ)
    hq.go(f"/damage-reports/{report}")
    for said in ("決壊", "市道101号", "通行止めにした"):
        expect(hq.page.locator("#report")).to_contain_text(said)
    assert patrol.faults == hq.faults == []


@pytest.mark.deep
def test_two_nodes_apart_that_say_two_things_keep_both_and_the_worse_one_is_shown(
    visitors: Visitors, city: Cluster
) -> None:
    report = file(city, city.hub, summary="堤防のようす", category="river", river_state="seepage")
    terminal, path = city.terminals[0], f"damage-reports/{report['id']}"
    eventually(lambda: terminal.every("damage-reports") and _has(terminal, report["id"]), 10, "the tablet has it")
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(terminal, TABLET)
    for who in (hq, patrol):
        who.go(f"/damage-reports/{report['id']}/edit")
    for who, state in ((hq, "normal"), (patrol, "breach")):  # neither form has seen what the other wrote
        who.page.locator("label.choice", has=who.page.locator(f"[name=river_state][value={state}]")).click()
        who.page.get_by_role("button", name="保存する").click()
        who.page.wait_for_url(re.compile(rf"{report['id']}$"))
    eventually(lambda: city.hub.get(path)["conflicts"] == 1, 10, "both stand at HQ")
    hq.go(f"/damage-reports/{report['id']}")
    expect(hq.page.locator(".conflict")).to_contain_text("決壊")
    expect(hq.page.locator(".conflict")).to_contain_text("異常なし")
    assert city.hub.get(path)["river_state"] == "breach"


@pytest.mark.deep
def test_a_report_given_to_a_team_becomes_an_instruction_in_two_clicks(visitors: Visitors, city: Cluster) -> None:
    team = city.hub.post("teams", {"id": str(uuid7()), "name": "水防班"})["id"]
    report = file(city, city.hub, summary="柳橋で冠水、深さひざ", category="flood")
    hq = visitors.at(city.hub, HQ)
    hq.go(f"/damage-reports/{report['id']}")
    hq.page.select_option("[name=team]", team)
    hq.page.get_by_role("button", name="決める", exact=True).click()
    eventually(lambda: city.hub.get(f"damage-reports/{report['id']}")["team"] == team, 10, "the team is written")
    hq.forget_taps()
    hq.page.get_by_role("link", name="対応指示にする").click()
    hq.page.get_by_role("button", name="送る").click()
    hq.page.wait_for_url(re.compile(r"/instructions/[0-9a-f-]{36}$"))
    assert hq.taps() == 2
    expect(hq.page.locator("#order")).to_contain_text("水防班")
    assert hq.faults == []


@pytest.mark.deep
@pytest.mark.parametrize(("size", "dark"), SITTINGS)
def test_the_pages_look_right(visitors: Visitors, city: Cluster, pictures: Path, size: Any, dark: bool) -> None:
    one = file(city, city.hub, summary="東橋で冠水", category="slope", location=AT, urgency="red", rescue_needed=True)
    file(city, city.hub, summary="東橋の下に水", category="slope", location=AT, same_as=one["id"])
    file(city, city.hub, summary="東橋の北側", category="slope", location=AT)
    hq = visitors.at(city.hub, size, dark=dark)
    for path, name in (("", "list"), ("/call", "call"), (f"/{one['id']}", "report"), (f"/{one['id']}/edit", "edit")):
        hq.go(f"/damage-reports{path}")
        assert hq.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        hq.page.screenshot(
            path=str(pictures / f"reports-{name}-{size[0]}-{'night' if dark else 'day'}.png"), full_page=True
        )
        _axe(hq, path)
    hq.at("/report-phrases")
    hq.page.screenshot(path=str(pictures / f"report-phrases-{size[0]}-{'night' if dark else 'day'}.png"))
    _axe(hq, "/report-phrases")
    assert hq.faults == []


def _has(node: Any, report_id: str) -> bool:
    return any(one["id"] == report_id for one in node.every("damage-reports"))


def _axe(hq: Visitor, path: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(hq.page, options=FAULTS_ONLY).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == [], path
