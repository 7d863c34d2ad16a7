"""Notices on real nodes: they arrive with a sound, are read when a screen showed them, and leave a trace."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.people import HQ, PHONE, SITTINGS, TABLET, Visitor, Visitors
from tests.browser.test_orders import NOTE_SOUNDS
from tests.browser.test_pages import FAULTS_ONLY, SMALL_TARGETS, TOUCH_PX_MIN
from tests.integration.cluster import Cluster, eventually

pytestmark = pytest.mark.deep  # `make test` has no time for one more city of processes


def publish(hq: Visitor, title: str, body: str, pinned: bool = False) -> str:
    """Fill and send the form; the address of the notice."""
    hq.go("/bulletins/new")
    hq.page.select_option("[name=category]", "supplies")
    hq.page.fill("[name=title]", title)
    hq.page.fill("[name=body]", body)
    if pinned:
        hq.page.locator("label.check:has([name=pinned])").click()
    hq.page.get_by_role("button", name="掲示する").click()
    hq.page.wait_for_url(re.compile(r"/bulletins/[0-9a-f-]{36}$"))
    return str(hq.page.url)


def heard(visitor: Visitor) -> list[str]:
    return list(visitor.page.evaluate("window.sounds.map(([name]) => name)"))


def test_a_notice_arrives_with_a_sound_is_read_and_its_withdrawal_leaves_a_trace(
    visitors: Visitors, city: Cluster
) -> None:
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], TABLET)
    patrol.page.add_init_script(NOTE_SOUNDS)
    patrol.go("")
    address = publish(hq, "給水車が来ます", "18時から中央公民館", pinned=True)
    strip = patrol.page.locator("#pinned")
    expect(strip).to_contain_text("給水車が来ます")
    expect(strip).to_contain_text("未読")
    eventually(lambda: "message" in heard(patrol), 5, "the tablet sounds")
    readers = hq.page.locator(".readers")
    name = f"巡回 {patrol.node.name}"
    expect(readers.locator("li", has_text=name)).not_to_contain_text("端末")  # it is on the device; nobody looked
    patrol.page.locator("#pinned a", has_text="給水車").click()
    expect(readers.locator("li", has_text=name)).to_contain_text("端末")
    expect(patrol.page.locator("#nav a", has_text="情報共有").first.locator(".count")).to_have_count(0)

    hq.page.locator("#withdraw summary").click()
    hq.page.fill("#withdraw [name=reason]", "時刻がまちがい")
    hq.page.get_by_role("button", name="取り下げる", exact=True).click()
    for visitor in (hq, patrol):
        expect(visitor.page.locator(".withdrawal")).to_contain_text("時刻がまちがい")
        expect(visitor.page.locator("h1.struck")).to_have_text("給水車が来ます")
        expect(visitor.page.locator(".notice-text.struck")).to_have_text("18時から中央公民館")
    expect(readers.locator("li", has_text=name)).to_contain_text("端末")  # the withdrawal was seen, too
    patrol.go("")
    expect(strip).not_to_contain_text("給水車")
    patrol.go("/chronicle")
    expect(patrol.page.locator("#chronicle li", has_text="取り下げた").first).to_contain_text("時刻がまちがい")
    assert city.hub.get(f"bulletins/{address.rsplit('/', 1)[1]}")["body"] == "18時から中央公民館"
    assert hq.faults == patrol.faults == []


@pytest.mark.deep
def test_a_long_notice_is_read_at_its_end_and_not_before(visitors: Visitors, city: Cluster) -> None:
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], PHONE)
    address = publish(hq, "避難所の一覧", "\n".join(f"{n}番 葦原小学校" for n in range(120)))
    one = address.rsplit("/", 1)[1]
    eventually(lambda: patrol.node.call("GET", f"bulletins/{one}").status_code == 200, 10, "it came")
    patrol.go(f"/bulletins/{one}")
    expect(patrol.page.locator(".notice-text")).to_contain_text("119番")
    patrol.page.wait_for_timeout(1_500)  # longer than a look takes to be told
    row = hq.page.locator(".readers li", has_text=f"巡回 {patrol.node.name}")
    expect(row).not_to_contain_text("端末")
    patrol.page.locator(".read-end").scroll_into_view_if_needed()
    expect(row).to_contain_text("端末")


@pytest.mark.deep
def test_what_was_read_while_cut_off_counts_when_the_hub_is_back(visitors: Visitors, city: Cluster) -> None:
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], PHONE)
    address = publish(hq, "橋を閉じます", "柳橋は通れません")
    patrol.go("/bulletins")
    expect(patrol.page.locator("#bulletins")).to_contain_text("橋を閉じます")
    city.hub.kill()
    patrol.page.locator("#bulletins a", has_text="橋を閉じます").click()
    expect(patrol.page.locator(".readers li", has_text=f"巡回 {patrol.node.name}")).to_contain_text("端末")
    city.hub.start()
    hq.page.goto(address)
    row = hq.page.locator(".readers li", has_text=f"巡回 {patrol.node.name}")
    expect(row).to_contain_text("端末", timeout=20_000)


@pytest.mark.deep
def test_the_list_keeps_its_filters_in_the_address(visitors: Visitors, city: Cluster) -> None:
    hq = visitors.at(city.hub, HQ)
    publish(hq, "乾電池を配ります", "市役所1階")
    hq.go("/bulletins")
    hq.page.select_option("select[name=category]", "supplies")
    hq.page.fill("[name=words]", "乾電池")
    hq.page.get_by_role("button", name="絞る").click()
    expect(hq.page.locator("#bulletins li")).to_have_count(1)
    assert "category=supplies" in hq.page.url and "乾電池" not in hq.page.url
    hq.page.get_by_role("link", name=re.compile("^固定")).click()
    assert "category=supplies" in hq.page.url and "state=pinned" in hq.page.url
    expect(hq.page.locator("#bulletins")).to_contain_text("この条件の掲示はありません")
    hq.page.go_back()
    expect(hq.page.locator("#bulletins li")).to_have_count(1)


@pytest.mark.deep
@pytest.mark.parametrize(("size", "dark"), SITTINGS)
def test_the_pages_of_notices_look_right(
    visitors: Visitors, city: Cluster, pictures: Path, size: Any, dark: bool
) -> None:
    hq, when = visitors.at(city.hub, size, dark=dark), "night" if dark else "day"
    stands = publish(hq, "給水車が18時に来ます。容器を持って来てください", "中央公民館\n葦原小学校", pinned=True)
    gone = publish(hq, "21時に橋を閉じます", "柳橋\n左岸の通りは使えます")
    hq.page.locator("#withdraw summary").click()
    hq.page.fill("#withdraw [name=reason]", "時刻がまちがい")
    hq.page.get_by_role("button", name="取り下げる", exact=True).click()
    home = re.sub(r"/bulletins/.*", "", stands)
    there = {"list": f"{home}/bulletins", "new": f"{home}/bulletins/new", "one": stands, "gone": gone, "home": home}
    for name, address in there.items():
        hq.page.goto(address)
        assert hq.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        assert hq.page.evaluate(SMALL_TARGETS, TOUCH_PX_MIN) == [], address
        found = Axe().run(hq.page, options=FAULTS_ONLY).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == [], address
        hq.page.screenshot(path=str(pictures / f"bulletins-{name}-{size[0]}-{when}.png"))
    assert hq.faults == []
