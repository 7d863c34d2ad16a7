"""From page to page: HQ shows a code, a fresh tablet asks, both screens show six digits, and somebody says yes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.people import HQ, PHONE, TABLET, Visitor, Visitors
from tests.browser.test_pages import FAULTS_ONLY, SIDEWAYS, SMALL_TARGETS, TOUCH_PX_MIN
from tests.integration.cluster import Cluster, NodeProcess, eventually

SITTINGS = [(PHONE, "night"), (TABLET, "standard"), (HQ, "night")]
MORE_SITTINGS = [(HQ, "standard"), (TABLET, "night"), (PHONE, "outdoor")]
PICTURED = bool(os.environ.get("TOMOSHIBI_PICTURES"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A tablet that has never been anywhere."""
    node = NodeProcess("fresh", tmp_path_factory.mktemp("fresh") / "fresh")
    node.command("init", "--role", "terminal", "--name", "巡回9班")
    node.start()
    yield node
    node.stop()


@pytest.fixture
def tablet(chromium: Any, fresh: NodeProcess) -> Iterator[Any]:
    """A browser at the fresh tablet, where nobody can log in yet."""
    context = chromium.new_context(viewport={"width": 800, "height": 1280}, locale="ja-JP", timezone_id="Asia/Tokyo")
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def look(page: Any, name: str, pictures: Path) -> None:
    """At three sizes, by day and night: nothing scrolls sideways, a thumb hits it, a reader can read it."""
    from axe_playwright_python.sync_playwright import Axe

    before = page.viewport_size
    for size, palette in SITTINGS + (MORE_SITTINGS if PICTURED else []):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.evaluate("palette => { document.documentElement.dataset.palette = palette }", palette)
        assert page.evaluate(SIDEWAYS) <= 0, (name, size)
        assert page.evaluate(SMALL_TARGETS, TOUCH_PX_MIN) == [], (name, size)
        if PICTURED:
            page.screenshot(path=str(pictures / f"{name}-{size[0]}-{palette}.png"))
    found = Axe().run(page, options=FAULTS_ONLY).response["violations"]
    assert [fault["id"] for fault in found if fault["impact"] in ("serious", "critical")] == [], name
    page.set_viewport_size(before)


def new_code(hq: Visitor) -> tuple[str, str]:
    """The address and the code that HQ's page shows."""
    hq.at("/devices")
    hq.page.get_by_role("button", name="端末を登録").click()
    expect(hq.page.locator("#enrolment-state h1")).to_have_text("新しい端末を待っています")
    hq.page.wait_for_load_state()
    code = "-".join(hq.page.locator(".typed .code b").all_inner_texts())
    return hq.page.locator(".typed dd b").first.inner_text(), code


def ask(page: Any, fresh: NodeProcess, code: str, hub: str = "") -> None:
    page.goto(f"{fresh.url}/")
    expect(page.locator("h1")).to_have_text("この端末を登録")
    page.fill("[name=code]", code)
    page.fill("[name=hub]", hub)
    page.click("main button.primary")


@pytest.mark.deep
def test_a_tablet_is_let_in_from_page_to_page(
    visitors: Visitors, city: Cluster, fresh: NodeProcess, tablet: Any, pictures: Path
) -> None:
    hq = visitors.at(city.hub, HQ)
    address, code = new_code(hq)
    assert address == city.hub.url
    expect(hq.page.locator("svg.qr")).to_be_visible()
    if PICTURED:
        look(hq.page, "enrolment-open", pictures)
        tablet.goto(f"{fresh.url}/")
        look(tablet, "join", pictures)

    ask(tablet, fresh, code.lower().replace("-", " "), address)
    expect(tablet.locator("h1")).to_have_text("本部の画面と同じ番号ですか")
    expect(hq.page.locator("#enrolment-state h1")).to_have_text("巡回9班 の画面と同じ番号ですか")
    assert tablet.locator(".digits").inner_text() == hq.page.locator(".digits").inner_text()
    look(hq.page, "enrolment-shown", pictures)
    look(tablet, "join-waiting", pictures)
    hq.page.get_by_role("button", name="違う:拒否する").click()
    expect(tablet.locator(".error-summary")).to_contain_text("本部が拒否しました")
    expect(hq.page.locator("#enrolment-state h1")).to_have_text("拒否しました")
    hq.page.get_by_role("button", name="新しいコードを作る").click()

    expect(hq.page.locator("#enrolment-state h1")).to_have_text("新しい端末を待っています")
    ask(tablet, fresh, hq.page.locator("details code").text_content() or "")
    expect(tablet.locator("h1")).to_have_text("本部の画面と同じ番号ですか")
    hq.page.get_by_role("button", name="同じ:承認する").click()
    hq.page.wait_for_url(re.compile(r"/devices/[0-9a-f-]{36}$"))
    expect(hq.page.locator("h1")).to_have_text("巡回9班")
    expect(hq.page.locator("dl.fields")).to_contain_text("本部")  # who approved
    tablet.wait_for_url("**/login/first")
    assert hq.strangers == hq.faults == []


@pytest.mark.deep
def test_a_lost_tablet_is_taken_out_and_what_came_later_can_be_accepted(
    visitors: Visitors, city: Cluster, fresh: NodeProcess, pictures: Path
) -> None:
    if not fresh.json("status")["enrolled"]:
        fresh.command("enrol", "--hub", city.hub.url, "--code", city.hub.json("enrol-code")["code"])
    hq = visitors.at(city.hub, HQ)
    hq.at("/devices")
    look(hq.page, "devices", pictures)
    hq.page.locator(".row-link", has_text="巡回9班").click()
    hq.page.fill("[name=owner]", "巡回9班 佐藤")
    hq.page.get_by_role("button", name="保存する").click()
    expect(hq.page.locator("dl.fields")).to_contain_text("巡回9班 佐藤")
    look(hq.page, "device", pictures)
    hq.page.get_by_role("link", name="失くした・盗まれた").click()
    hq.page.get_by_role("button", name="失効させる").click()
    expect(hq.page.locator(".error-summary li")).to_have_count(3)
    look(hq.page, "revocation", pictures)
    hq.page.check("[name=keep][value=all]")
    hq.page.fill("[name=reason]", "巡回中に紛失")
    hq.page.fill("[name=label]", hq.page.locator(".plate").inner_text().lower())
    hq.page.get_by_role("button", name="失効させる").click()
    expect(hq.page.locator(".notice.danger")).to_contain_text("巡回中に紛失")
    eventually(lambda: "revoked" in str(fresh.json("status")["hub"]["error"]), 15, "the tablet is told why")
    look(hq.page, "device-revoked", pictures)
    assert hq.strangers == hq.faults == []
