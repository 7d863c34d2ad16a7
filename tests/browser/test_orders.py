"""Instructions on real nodes: HQ gives one in three clicks, the tablet sounds and shows it, the ladder climbs at HQ."""

from __future__ import annotations

import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.people import HQ, PHONE, TABLET, Visitor, Visitors
from tests.integration.cluster import Cluster, eventually

PAGES = (
    ("/instructions", "orders"),
    ("/instructions/new", "order-new"),
    ("/instructions/calls", "calls"),
    ("/chronicle", "chronicle"),
    ("/chronicle/print", "chronicle-print"),
)
HEARD_MS_MAX = 1000
NOTE_SOUNDS = """
window.sounds = [];
document.addEventListener("tomoshibi:sound", (event) => window.sounds.push([event.detail, Date.now()]));
"""


def give(hq: Visitor, text: str, to: str, urgent: bool = True) -> float:
    """Fill and send the form; the moment of the click, ms since 1970."""
    hq.go("/instructions/new")
    if urgent:
        hq.page.locator("label.choice:has(input[name=priority][value=urgent])").click()
    hq.page.fill("[name=text]", text)
    hq.page.locator(f"label.choice:has(input[name=recipients]):has-text('{to}')").click()
    hq.page.evaluate("addEventListener('submit', () => sessionStorage.setItem('sent', Date.now()))")
    hq.page.get_by_role("button", name="送る").click()
    hq.page.wait_for_url(re.compile(r"/instructions/[0-9a-f-]{36}$"))
    return float(hq.page.evaluate("Number(sessionStorage.getItem('sent'))"))


def tablet_of(city: Cluster) -> str:
    return next(node["label"] for node in city.hub.every("nodes") if node["name"] == city.terminals[0].name)


def test_an_instruction_sounds_and_shows_on_the_tablet_within_a_second(
    visitors: Visitors, city: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three are given: the machine has other work in this run, and one slow page would tell of that work."""
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], TABLET)
    patrol.page.add_init_script(NOTE_SOUNDS)
    took = [given_and_heard(hq, patrol, f"校庭側の扉 {door} を閉める", tablet_of(city)) for door in (1, 2, 3)]
    with capsys.disabled():
        print(
            "\nshown and sounded, ms after the click:", ", ".join(f"{shown:.0f} {heard:.0f}" for shown, heard in took)
        )
    assert min(shown for shown, _ in took) <= HEARD_MS_MAX
    assert min(heard for _, heard in took) <= HEARD_MS_MAX
    assert hq.faults == patrol.faults == []


def given_and_heard(hq: Visitor, patrol: Visitor, text: str, to: str) -> tuple[float, float]:
    """How long after HQ's click the tablet showed an instruction, and how long after it sounded; ms."""
    patrol.go("/instructions")
    patrol.page.locator("#inbox").click(position={"x": 4, "y": 4})
    patrol.page.evaluate(
        """(text) => new MutationObserver(() => {
          if (document.querySelector("#inbox")?.textContent?.includes(text)) window.shownAt ??= Date.now();
        }).observe(document.body, {childList: true, subtree: true})""",
        text,
    )
    already = patrol.page.evaluate("window.sounds.length")
    sent = give(hq, text, to)
    expect(patrol.page.locator("#inbox")).to_contain_text(text)
    urgent = f"window.sounds.slice({already}).find(([name]) => name === 'urgent')"
    eventually(lambda: patrol.page.evaluate(f"{urgent} !== undefined"), 5, "the tablet sounds")
    shown, sounded = patrol.page.evaluate(f"[window.shownAt, {urgent}[1]]")
    return shown - sent, sounded - sent


def test_what_was_sent_does_not_come_back_into_the_form(visitors: Visitors, city: Cluster) -> None:
    """One more tap would have sent yesterday's order, or written the next line at the time of the last."""
    hq = visitors.at(city.hub, HQ)
    give(hq, "北門を閉める", tablet_of(city))
    hq.go("/instructions/new")
    hq.page.wait_for_timeout(300)  # what the browser kept would be put in by now
    expect(hq.page.locator("[name=text]")).to_have_value("")
    expect(hq.page.locator("[name=priority][value=urgent]")).not_to_be_checked()
    hq.go("/chronicle")
    hq.page.fill("[name=text]", "水位計を確認")
    hq.page.fill("[name=happened]", "0:01")
    hq.page.get_by_role("button", name="記録", exact=True).click()
    expect(hq.page.locator("#chronicle")).to_contain_text("水位計を確認")
    hq.page.wait_for_timeout(300)
    expect(hq.page.locator("[name=text]")).to_have_value("")
    expect(hq.page.locator("[name=happened]")).to_have_value("")


def test_an_urgent_instruction_stands_on_every_page_until_it_is_answered(visitors: Visitors, city: Cluster) -> None:
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], PHONE)
    patrol.go("/shelters")
    give(hq, "全員を2階へ移す", tablet_of(city))
    strip = patrol.page.locator("#order-strip a", has_text="全員を2階へ移す")
    expect(strip).to_be_visible()
    strip.click()
    card = patrol.page.locator(".order-card", has_text="全員を2階へ移す")
    card.get_by_role("button", name="了解", exact=True).click()
    expect(card.get_by_role("button", name="了解", exact=True)).to_have_count(0)
    patrol.go("/shelters")
    expect(strip).to_have_count(0)
    assert hq.faults == patrol.faults == []


def test_the_reasons_stay_open_and_typed_while_the_inbox_is_drawn_anew(visitors: Visitors, city: Cluster) -> None:
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], PHONE)
    give(hq, "土のうを西門へ運ぶ", tablet_of(city))
    patrol.go("/instructions")
    card = patrol.page.locator(".order-card", has_text="土のうを西門へ運ぶ")
    card.locator("details.cannot > summary").click()
    card.locator("[name=reason]").fill("橋の上に車が1台")
    give(hq, "土のうを東門へ運ぶ", tablet_of(city))
    expect(patrol.page.locator(".order-card", has_text="土のうを東門へ運ぶ")).to_be_visible()
    card.get_by_role("button", name="送る", exact=True).click()
    expect(patrol.page.locator("#inbox .rows")).to_contain_text("橋の上に車が1台")


def test_a_photo_goes_with_the_answer_of_whoever_cannot(visitors: Visitors, city: Cluster, tmp_path: Path) -> None:
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], PHONE)
    camera = tmp_path / "road.jpg"
    Image.new("RGB", (640, 480), "gray").save(camera)
    give(hq, "柳橋の欄干を確かめる", tablet_of(city))
    patrol.go("/instructions")
    patrol.page.locator(".order-card", has_text="柳橋の欄干").locator("details.cannot > summary").click()
    patrol.page.locator(".order-card", has_text="柳橋の欄干").get_by_role("link", name="写真・声を添えて答える").click()
    patrol.page.wait_for_load_state()  # the camera's script listens
    cannot = patrol.page.locator("details.cannot", has_text="道が通れない")
    cannot.locator("> summary").click()
    cannot.locator("[data-take] input").set_input_files(str(camera))
    expect(cannot.locator("input[name=attachments]:not([disabled])")).to_have_count(1, timeout=15_000)
    cannot.get_by_role("button", name="道が通れない").click()
    expect(patrol.page.locator(".history img")).to_have_count(1)
    expect(hq.page.locator(".history")).to_contain_text("道が通れない")
    expect(hq.page.locator(".history img")).to_be_visible(timeout=15_000)
    assert hq.faults == patrol.faults == []


def test_the_ladder_climbs_at_hq_rung_by_rung(visitors: Visitors, city: Cluster) -> None:
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], PHONE)
    give(hq, "左岸 4.2k の漏水を確認する", tablet_of(city))
    ladder = hq.page.locator(".recipient .ladder")
    expect(ladder.locator(".reached")).to_have_count(3)  # 保存 本部 端末: the tablet's receipt is there, nobody looked
    patrol.go("/instructions")
    expect(ladder.locator(".reached")).to_have_count(4)  # 表示
    card = patrol.page.locator(".order-card", has_text="漏水を確認")
    for state, reached in (("了解", 5), ("着手", 6)):
        card.get_by_role("button", name=state, exact=True).click()
        began = time.monotonic()
        expect(ladder.locator(".reached")).to_have_count(reached)
        print(f"{state} at HQ after {time.monotonic() - began:.2f} s")
    card.get_by_role("button", name="完了", exact=True).click()
    expect(ladder.locator(".reached")).to_have_count(7)
    expect(patrol.page.locator("#inbox .rows")).to_contain_text("漏水を確認")


def test_a_slip_of_the_finger_is_taken_back_and_hq_sees_it(visitors: Visitors, city: Cluster) -> None:
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], PHONE)
    give(hq, "排水ポンプを回す", tablet_of(city))
    ladder = hq.page.locator(".recipient .ladder")
    patrol.go("/instructions")
    card = patrol.page.locator(".order-card", has_text="排水ポンプを回す")
    card.get_by_role("button", name="完了", exact=True).click()
    closed = patrol.page.locator("#inbox .rows li", has_text="排水ポンプを回す")
    closed.get_by_role("button", name="完了を取り消す").click()
    expect(card.get_by_role("button", name="了解", exact=True)).to_be_visible()
    card.get_by_role("button", name="完了", exact=True).click()
    expect(ladder.locator("li.reached")).to_have_count(5)  # 保存 本部 端末 表示, and 完了 without what stands before it
    closed.get_by_role("link").click()
    patrol.page.get_by_role("button", name="完了を取り消す").click()
    expect(patrol.page.locator(".history .struck")).to_have_count(2)
    expect(ladder.locator("li.reached")).to_have_count(4)
    patrol.go("/instructions")
    card.get_by_role("button", name="了解", exact=True).click()
    expect(ladder.locator("li.reached")).to_have_count(5)
    card.get_by_role("button", name="了解を取り消す").click()
    expect(ladder.locator("li.reached")).to_have_count(4)
    expect(card.get_by_role("button", name="了解", exact=True)).to_be_visible()
    assert hq.faults == patrol.faults == []


@pytest.mark.deep
def test_an_answer_given_while_cut_off_arrives_with_the_time_it_was_pressed(visitors: Visitors, city: Cluster) -> None:
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], PHONE)
    give(hq, "柳橋アンダーパスを通行止めにする", tablet_of(city))
    patrol.go("/instructions")
    card = patrol.page.locator(".order-card", has_text="柳橋")
    expect(card).to_be_visible()
    address = hq.page.url
    city.hub.kill()
    pressed = time.time()
    card.get_by_role("button", name="了解", exact=True).click()
    expect(card).to_contain_text("この端末に保存・送信待ち")
    back = time.time()
    city.hub.start()
    hq.page.goto(address)
    expect(hq.page.locator(".ladder .reached")).to_have_count(5, timeout=20_000)
    expect(card).to_contain_text("本部に届いています")
    instruction = address.rsplit("/", 1)[1]
    replies = city.hub.every(f"instruction-replies?instruction_id={instruction}")
    assert pressed - 0.5 <= datetime.fromisoformat(replies[0]["created_at"]).timestamp() <= back, "not when it came"
    rungs = city.hub.get(f"delivery/{instruction}")["recipients"][0]
    assert rungs["ack_at"] and rungs["seen_at"] and rungs["device_at"] and not rungs["done_at"]


def test_unacknowledged_urgent_ones_sound_again_after_five_minutes(visitors: Visitors, city: Cluster) -> None:
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], TABLET)
    give(hq, "堤防側の窓から離れる", tablet_of(city))
    patrol.page.clock.install()
    patrol.page.add_init_script(NOTE_SOUNDS)
    patrol.go("/instructions")
    expect(patrol.page.locator("#inbox")).to_contain_text("堤防側の窓")
    heard = "window.sounds.filter(([name]) => name === 'urgent').length"
    patrol.page.clock.run_for(5 * 60_000 + 20_000)  # it may have sounded on the page before this one
    first = patrol.page.evaluate(heard)
    assert first in (1, 2)
    patrol.page.clock.run_for(4 * 60_000)
    assert patrol.page.evaluate(heard) == first
    patrol.page.clock.run_for(75_000)
    assert patrol.page.evaluate(heard) == first + 1
    patrol.page.locator(".order-card", has_text="堤防側の窓").get_by_role("button", name="了解", exact=True).click()
    expect(patrol.page.locator(".order-card.urgent", has_text="堤防側の窓")).to_have_count(0)


def test_from_a_report_to_a_sent_instruction_in_three_clicks(visitors: Visitors, city: Cluster) -> None:
    report = city.report(city.hub, "柳橋で冠水、深さひざ")
    hq = visitors.at(city.hub, HQ)
    hq.go(f"/damage-reports/{report['id']}")
    hq.forget_taps()
    hq.page.get_by_role("link", name="対応指示にする").click()
    hq.page.locator("label.choice:has(input[name=recipients])").first.click()
    hq.page.get_by_role("button", name="送る").click()
    hq.page.wait_for_url(re.compile(r"/instructions/[0-9a-f-]{36}$"))
    assert hq.taps() == 3
    expect(hq.page.locator("#order")).to_contain_text("柳橋で冠水、深さひざ")
    expect(hq.page.get_by_role("link", name=re.compile("被害報告 .* から"))).to_be_visible()


def test_a_line_is_written_with_one_key_and_stands_on_every_node(visitors: Visitors, city: Cluster) -> None:
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], TABLET)
    patrol.go("/chronicle")
    hq.go("/chronicle")
    hq.page.keyboard.press("c")
    hq.page.keyboard.type("市長が本部に到着")
    hq.page.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true}))"
    )
    assert hq.page.locator("#chronicle", has_text="市長が本部に到着").count() == 0
    hq.page.keyboard.press("Enter")
    for visitor in (hq, patrol):
        expect(visitor.page.locator("#chronicle li", has_text="市長が本部に到着")).to_be_visible()
    line = hq.page.locator("#chronicle li", has_text="市長が本部に到着")
    line.get_by_role("link", name="訂正する").click()
    hq.page.fill("[name=text]", "副市長が本部に到着")
    hq.page.get_by_role("button", name="記録", exact=True).click()
    expect(hq.page.locator("#chronicle .said.struck")).to_have_text("市長が本部に到着")
    assert hq.faults == patrol.faults == []


@pytest.mark.deep
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [HQ, TABLET, PHONE])
def test_the_pages_look_right(visitors: Visitors, city: Cluster, pictures: Path, size: Any, dark: bool) -> None:
    hq = visitors.at(city.hub, size, dark=dark)
    for path, name in PAGES:
        hq.go(path)
        assert hq.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        hq.page.screenshot(path=str(pictures / f"{name}-{size[0]}-{'night' if dark else 'day'}.png"))
    if size != HQ:
        patrol = visitors.at(city.terminals[0], size, dark=dark)
        patrol.go("/instructions")
        assert patrol.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        patrol.page.screenshot(path=str(pictures / f"inbox-{size[0]}-{'night' if dark else 'day'}.png"))
    assert hq.faults == []
