"""The story of a night, on real nodes: a report with no network, the chat, two people who disagree."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.people import HQ, PHONE, Visitors
from tests.integration.cluster import Cluster, eventually

MEASURED_MESSAGES = 40
PAUSE_MS = 220  # a page gathers hints for 200 ms: somebody who writes leaves longer between two lines
NOTE_WHEN_SHOWN = """() => {
  window.shownAt = {};
  const look = () => {
    for (const said of document.querySelectorAll("#messages .said")) window.shownAt[said.textContent] ??= Date.now();
  };
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true, characterData: true});
  look();
}"""


def file_report(page: Any, category: str, place: str = "") -> None:
    page.locator(f"label.tile:has(input[value={category}])").click()
    if place:
        page.fill("[name=address]", place)
    page.get_by_role("button", name="送る").click()
    page.wait_for_url("**/saved")


def test_a_report_takes_three_taps_and_says_where_it_is(visitors: Visitors, city: Cluster) -> None:
    patrol = visitors.at(city.terminals[0], PHONE)
    patrol.forget_taps()
    patrol.page.locator(".actions").get_by_role("link", name="被害を報告").click()
    file_report(patrol.page, "flood")

    assert patrol.taps() <= 3
    expect(patrol.page.get_by_role("heading", name="この端末に保存しました")).to_be_visible()
    expect(patrol.page.locator("#delivery")).to_contain_text("本部受領")
    expect(patrol.page.locator(".dots.proved")).to_be_visible()
    assert patrol.faults == []


def test_the_position_button_adds_a_position(visitors: Visitors, city: Cluster) -> None:
    patrol = visitors.at(city.terminals[0], PHONE)
    patrol.go("/damage-reports/new")
    patrol.page.get_by_role("button", name="現在地").click()
    expect(patrol.page.locator("[data-locate-said]")).to_contain_text("±12 m")
    file_report(patrol.page, "road")
    report = re.search(r"damage-reports/([0-9a-f-]{36})", patrol.page.url)
    assert report is not None
    location = patrol.node.get(f"damage-reports/{report[1]}")["location"]
    assert location["coordinates"] == [137.2, 33.5]


def test_a_draft_survives_a_reload_and_is_gone_once_saved(visitors: Visitors, city: Cluster) -> None:
    patrol = visitors.at(city.terminals[0], PHONE)
    patrol.go("/damage-reports/new")
    patrol.page.fill("[name=address]", "柳橋アンダーパス")
    patrol.page.locator("label.tile:has(input[value=house])").click()
    patrol.page.reload()
    expect(patrol.page.locator("[name=address]")).to_have_value("柳橋アンダーパス")
    expect(patrol.page.locator("input[value=house]")).to_be_checked()
    patrol.page.get_by_role("button", name="送る").click()
    patrol.page.wait_for_url("**/saved")
    patrol.go("/damage-reports/new")
    expect(patrol.page.locator("[name=address]")).to_have_value("")


def test_a_report_can_be_taken_back_for_ten_seconds(visitors: Visitors, city: Cluster) -> None:
    patrol = visitors.at(city.terminals[0], PHONE)
    patrol.go("/damage-reports/new")
    file_report(patrol.page, "tree", "取り消す報告")
    expect(patrol.page.locator(".toast")).to_contain_text("取り消せます")
    patrol.page.get_by_role("button", name="取り消す").click()
    patrol.page.wait_for_url("**/damage-reports")
    expect(patrol.page.locator("main")).not_to_contain_text("取り消す報告")


def test_the_badge_counts_what_the_hub_does_not_have(visitors: Visitors, city: Cluster) -> None:
    patrol = visitors.at(city.terminals[0], PHONE)
    city.hub.stop()
    expect(patrol.badge()).to_contain_text("この端末だけ", timeout=20_000)
    patrol.go("/damage-reports/new")
    file_report(patrol.page, "slope", "孤立した法面")
    expect(patrol.page.locator(".dots.proved")).to_have_count(0)
    expect(patrol.badge()).to_contain_text(re.compile("未送信 [1-9]"))
    expect(patrol.page.locator("#hub-strip")).to_contain_text("届きません")
    patrol.at("/sync")
    expect(patrol.page.locator(".unsent")).to_contain_text("孤立した法面")

    city.hub.start()
    patrol.page.get_by_role("button", name="今すぐ試す").click()
    expect(patrol.badge()).to_contain_text("本部と同期", timeout=20_000)
    expect(patrol.page.locator(".unsent li")).to_have_count(0)
    commander = visitors.at(city.hub, HQ)
    expect(commander.page.locator("#feed")).to_contain_text("孤立した法面")


def test_the_chat_goes_both_ways_and_says_how_far_each_message_got(visitors: Visitors, city: Cluster) -> None:
    commander, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[1])
    patrol.go(f"/chat/{city.channel}")
    commander.page.locator(".hq-chat > summary").click()
    commander.page.locator(".hq-chat textarea").fill("柳橋を見てください")
    commander.page.locator(".hq-chat textarea").press("Enter")
    expect(patrol.page.locator("#messages")).to_contain_text("柳橋を見てください", timeout=3_000)
    patrol.page.get_by_role("button", name="向かっています").click()
    own = patrol.page.locator(".message.own", has_text="向かっています")
    expect(own).to_contain_text("本部に届いた")
    expect(commander.page.locator("#messages")).to_contain_text("向かっています", timeout=3_000)
    expect(own).to_contain_text("既読 1")


@pytest.mark.deep
def test_a_message_of_hq_is_on_the_other_page_within_a_second(
    visitors: Visitors, city: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """From HQ's POST to the text on B's page. The target is 300 ms on a quiet machine; a second is what we promise."""
    patrol = visitors.at(city.terminals[1])
    patrol.go(f"/chat/{city.channel}")
    patrol.page.evaluate(NOTE_WHEN_SHOWN)
    sent: dict[str, float] = {}
    for number in range(MEASURED_MESSAGES):
        text = f"計測 {number:02}"
        sent[text] = time.time()
        city.hub.post("chat-messages", {"incident_id": city.incident, "channel_id": city.channel, "text": text})
        expect(patrol.page.locator("#messages")).to_contain_text(text)
        patrol.page.wait_for_timeout(PAUSE_MS)
    shown = patrol.page.evaluate("window.shownAt")
    waits = sorted(shown[text] / 1000 - at for text, at in sent.items())
    p50, p95 = waits[len(waits) // 2], waits[int(len(waits) * 0.95) - 1]
    with capsys.disabled():
        print(f"\nchat, HQ's POST to B's page: p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, {len(waits)} messages")
    assert p95 <= 1.0


def test_the_lists_of_an_open_page_say_by_themselves_that_hq_has_it(visitors: Visitors, city: Cluster) -> None:
    patrol = visitors.at(city.terminals[0], PHONE)
    city.hub.stop()
    expect(patrol.badge()).to_contain_text("この端末だけ", timeout=20_000)
    city.report(city.terminals[0], "受領を待つ報告")
    patrol.go("/damage-reports")
    row = patrol.page.locator("a.line", has_text="受領を待つ報告")
    expect(row).to_contain_text("この端末だけ")
    city.hub.start()
    eventually(lambda: not patrol.node.status()["unsent"], 20, "the receipt came")
    expect(row).not_to_contain_text("この端末だけ")


def test_back_after_sending_does_not_offer_the_same_report_again(visitors: Visitors, city: Cluster) -> None:
    patrol = visitors.at(city.terminals[0], PHONE)
    patrol.go("/damage-reports/new")
    file_report(patrol.page, "flood")
    patrol.page.go_back()
    expect(patrol.page.locator("input[name=category]:checked")).to_have_count(0)
    expect(patrol.page.get_by_role("button", name="送る")).to_have_count(0)  # nothing to send yet


def test_what_was_saved_is_said_once(visitors: Visitors, city: Cluster) -> None:
    """A fragment that is fetched while the page changes must not bring the words back with its cookie."""
    patrol = visitors.at(city.terminals[0], PHONE)
    report = city.report(city.terminals[0], "一度だけ言う")["id"]
    patrol.go(f"/damage-reports/{report}")
    patrol.page.get_by_role("button", name="対応中").click()
    expect(patrol.page.locator(".flash")).to_have_count(1)
    patrol.page.wait_for_timeout(500)
    patrol.go("/damage-reports")
    expect(patrol.page.locator(".flash")).to_have_count(0)


def test_a_page_that_refreshes_keeps_what_is_being_typed(visitors: Visitors, city: Cluster) -> None:
    patrol = visitors.at(city.terminals[1])
    patrol.go(f"/chat/{city.channel}")
    patrol.page.locator("textarea").fill("書きかけの")
    city.hub.post("chat-messages", {"incident_id": city.incident, "channel_id": city.channel, "text": "割り込む一言"})
    expect(patrol.page.locator("#messages")).to_contain_text("割り込む一言", timeout=3_000)
    expect(patrol.page.locator("textarea")).to_have_value("書きかけの")
    expect(patrol.page.locator("textarea")).to_be_focused()


def test_two_people_who_disagree_are_shown_and_settled_by_a_person(visitors: Visitors, city: Cluster) -> None:
    report = city.report(city.hub, "県道12号 新田交差点")["id"]
    path = f"/damage-reports/{report}"
    first, second = visitors.at(city.terminals[0]), visitors.at(city.terminals[1])
    for visitor in (first, second):
        eventually(
            lambda node=visitor.node: node.call("GET", f"damage-reports/{report}").status_code == 200, 10, "came"
        )
        visitor.go(f"{path}/edit")
    city.hub.stop()
    for visitor, value in ((first, "impassable"), (second, "one_lane")):
        visitor.page.locator(f"label.choice:has(input[name=passability][value={value}])").click()
        visitor.page.get_by_role("button", name="保存する").click()
        visitor.page.wait_for_url(f"**{path}")
    city.hub.start()

    strip = second.page.locator(".conflict")
    expect(strip).to_contain_text("「通行」の値が2つあります", timeout=20_000)
    expect(strip.locator(".side.in-force")).to_contain_text("通行できない")
    expect(strip.locator(".side")).to_have_count(2)
    strip.locator(".side:not(.in-force) button").click()
    second.page.wait_for_url(f"**{path}")
    expect(second.page.locator(".conflict")).to_have_count(0)
    expect(first.page.locator(".conflict")).to_have_count(0, timeout=10_000)
    expect(first.page.locator(".fields")).to_contain_text("片側だけ通行できる")


def test_two_windows_that_save_one_field_both_keep_their_value(visitors: Visitors, city: Cluster) -> None:
    report = city.report(city.hub, "同じ窓口の二人")["id"]
    path = f"/damage-reports/{report}"
    first, second = visitors.at(city.hub, HQ), visitors.at(city.hub, HQ)
    first.go(f"{path}/edit")
    second.go(f"{path}/edit")
    for visitor, place in ((first, "北町"), (second, "南町")):
        visitor.page.fill("[name=address]", place)
        visitor.page.get_by_role("button", name="保存する").click()
        visitor.page.wait_for_url(f"**{path}")
    sides = second.page.locator(".conflict .side")
    expect(sides).to_have_count(2)
    assert {text for side in sides.all() for text in ("北町", "南町") if text in side.inner_text()} == {"北町", "南町"}
