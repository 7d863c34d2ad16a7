"""Meetings of HQ on real nodes: a decision becomes an instruction in two clicks, and a number given apart is seen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.people import HQ, SITTINGS, TABLET, Visitor, Visitors
from tests.browser.test_pages import FAULTS_ONLY, SMALL_TARGETS, TOUCH_PX_MIN
from tests.integration.cluster import Cluster

pytestmark = pytest.mark.deep  # `make test` has no time for one more city of processes

SHOWN = re.compile(r"/hq-meetings/[0-9a-f-]{36}$")


def hold(hq: Visitor, decisions: str, team: str = "", **fields: str) -> str:
    """Record a meeting; its address."""
    hq.go("/hq-meetings/new")
    for name, value in {
        "place": "本庁3階 大会議室",
        "agenda": "河川の水位\n避難情報",
        "information": "柳橋で冠水",
        **fields,
    }.items():
        hq.page.fill(f"[name={name}]", value)
    hq.page.locator("label.choice:has([name=attendees][value=chief])").click()
    hq.page.fill("[name=decisions]", decisions)
    if team:
        hq.page.select_option("[name=team]", label=team)
    hq.page.get_by_role("button", name="記録する", exact=True).click()
    hq.page.wait_for_url(SHOWN)
    return str(hq.page.url)


def a_team(city: Cluster, name: str) -> str:
    return str(city.hub.post("teams", {"name": name})["id"])


def test_a_decision_becomes_an_instruction_in_two_clicks_and_shows_what_came_of_it(
    visitors: Visitors, city: Cluster
) -> None:
    team = a_team(city, "巡回7班")
    hq = visitors.at(city.hub, HQ)
    address = hold(hq, "柳橋を通行止めにする\n広報車を出す", "巡回7班")
    expect(hq.page.locator(".decisions > li")).to_have_count(2)
    hq.forget_taps()
    hq.page.get_by_role("link", name="対応指示にする").first.click()
    hq.page.get_by_role("button", name="送る").click()
    hq.page.wait_for_url(re.compile(r"/instructions/[0-9a-f-]{36}$"))
    assert hq.taps() == 2
    instruction = hq.page.url.rsplit("/", 1)[1]
    expect(hq.page.locator("#order")).to_contain_text("柳橋を通行止めにする")
    hq.page.get_by_role("link", name=re.compile("第.*回の決定から")).click()
    decided = hq.page.locator(".decisions > li").first
    expect(decided).to_contain_text("了解待ち")
    city.hub.post("instruction-replies", {"instruction_id": instruction, "state": "done", "on_behalf_of": team})
    expect(decided).to_contain_text("完了 1／1")  # by itself: the page listens
    hq.page.goto(f"{address}/print")
    expect(hq.page.locator(".sheet").last).to_contain_text("完了 1／1")
    hq.go("/chronicle")
    expect(hq.page.locator("#chronicle li", has_text="広報車を出す").first).to_contain_text("決定")
    assert hq.faults == []


@pytest.mark.deep
def test_two_nodes_that_number_apart_show_a_and_b_until_one_tap_settles_it(visitors: Visitors, city: Cluster) -> None:
    hq, tablet = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], TABLET)
    number = max((one["meeting_no"] for one in city.hub.every("hq-meetings")), default=0) + 1
    meeting = {"incident_id": city.incident, "meeting_no": number, "held_at": "2019-10-12T20:00:00+09:00"}
    city.hub.post("hq-meetings", meeting)
    second = city.hub.post("hq-meetings", meeting)
    for visitor in (hq, tablet):
        visitor.go("/hq-meetings")
        expect(visitor.page.locator("#meetings")).to_contain_text(f"第{number}A回")
        expect(visitor.page.locator("#meetings")).to_contain_text("番号が重なっています")
        expect(visitor.page.locator(f"#meeting-{second['id']}")).to_contain_text(f"第{number}B回")
    hq.go(f"/hq-meetings/{second['id']}")
    hq.page.get_by_role("button", name=f"こちらを第{number + 1}回にする").click()
    expect(hq.page.locator("#meeting h1")).to_contain_text(f"第{number + 1}回")
    for visitor in (hq, tablet):
        visitor.go("/hq-meetings")
        expect(visitor.page.locator("#meetings")).not_to_contain_text("番号が重なっています")


@pytest.mark.deep
def test_an_edit_writes_only_what_was_changed(visitors: Visitors, city: Cluster) -> None:
    hq = visitors.at(city.hub, HQ)
    address = hold(hq, "", others="気象防災アドバイザー")
    meeting = address.rsplit("/", 1)[1]
    hq.page.get_by_role("link", name="直す・足す").click()
    city.hub.call("PATCH", f"hq-meetings/{meeting}", {"place": "臨時庁舎"}, If_Match="*")  # another window, meanwhile
    hq.page.fill("[name=information]", "柳橋は通れる")
    hq.page.locator("label.choice:has([name=attendees][value=fire])").click()
    hq.page.get_by_role("button", name="保存する").click()
    hq.page.wait_for_url(SHOWN)
    found = city.hub.get(f"hq-meetings/{meeting}")
    assert (found["place"], found["information"]) == ("臨時庁舎", "柳橋は通れる")
    assert (set(found["attendees"]), found["conflicts"]) == ({"chief", "fire"}, 0)


@pytest.mark.deep
@pytest.mark.parametrize(("size", "dark"), SITTINGS)
def test_the_pages_of_meetings_look_right(
    visitors: Visitors, city: Cluster, pictures: Path, size: Any, dark: bool
) -> None:
    hq, when = visitors.at(city.hub, size, dark=dark), "night" if dark else "day"
    one = hold(hq, "避難指示を左岸の全域に出す\n柳橋を通行止めにする")
    number = city.hub.get(f"hq-meetings/{one.rsplit('/', 1)[1]}")["meeting_no"]
    meeting = {"incident_id": city.incident, "meeting_no": number, "held_at": "2019-10-12T20:00:00+09:00"}
    city.hub.post("hq-meetings", meeting)
    home = re.sub(r"/hq-meetings/.*", "/hq-meetings", one)
    hq.page.get_by_role("button", name="いま閉会する").click()
    expect(hq.page.get_by_role("button", name="いま閉会する")).to_have_count(0)
    there = {"list": home, "new": f"{home}/new", "one": one, "edit": f"{one}/edit", "print": f"{one}/print"}
    for name, address in there.items():
        hq.page.goto(address)
        assert hq.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        assert hq.page.evaluate(SMALL_TARGETS, TOUCH_PX_MIN) == [], address
        found = Axe().run(hq.page, options=FAULTS_ONLY).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == [], address
        hq.page.screenshot(path=str(pictures / f"meetings-{name}-{size[0]}-{when}.png"), full_page=True)
    assert hq.faults == []
