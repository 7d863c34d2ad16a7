"""At a shared tablet: a screen that locks and goes on hearing, handing over in two taps, no words that cross."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import expect

from tests.browser.people import HQ, PHONE, TABLET, Visitor, Visitors
from tests.browser.test_pages import SIDEWAYS, SMALL_TARGETS, TOUCH_PX_MIN
from tests.integration.cluster import PASSPHRASE, Cluster, NodeProcess, eventually

NAME = "巡回 terminal-a"
SECOND_PERSON = "宮脇 二班"
ADMIN, OTHER_ADMIN = "管理者 一郎", "管理者 二郎"  # the first has a second factor


@pytest.fixture(scope="module")
def tablet(city: Cluster) -> NodeProcess:
    node = city.terminals[0]
    given = PASSPHRASE + "\n"
    node.command("user", "add", SECOND_PERSON, "--role", "shelter_staff", "--password-stdin", text=given)
    for name in (ADMIN, OTHER_ADMIN):
        city.hub.command("user", "add", name, "--role", "admin", "--password-stdin", text=given)
    return node


@pytest.fixture
def fresh(visitors: Visitors, sessions: dict[str, Any]) -> Iterator[Visitors]:
    """Whoever is locked or logged out here takes the login of the other tests along: it is made anew."""
    sessions.clear()
    yield visitors
    sessions.clear()


def log_in(visitor: Visitor, name: str) -> None:
    visitor.page.fill("[name=name]", name)
    visitor.page.fill("[name=passphrase]", PASSPHRASE)
    visitor.page.click("main button.primary")


def test_the_screen_locks_by_one_tap_hears_that_words_came_and_gives_the_draft_back(
    fresh: Visitors, city: Cluster, tablet: NodeProcess
) -> None:
    visitor = fresh.at(tablet)
    page = visitor.page
    visitor.go(f"/chat/{city.channel}")
    page.fill("textarea[name=text]", "書きかけの連絡")
    page.wait_for_timeout(50)
    page.click("form.lock button")
    page.wait_for_url(re.compile("/lock"))
    expect(page.locator("#lock-waiting")).to_be_visible()
    before = int(page.locator("#lock-waiting").get_attribute("data-messages") or "0")
    expect(page.locator("html")).to_have_attribute("data-live", "up")
    city.hub.post(
        "chat-messages", {"incident_id": city.incident, "channel_id": city.channel, "text": "北門を開けてください"}
    )
    expect(page.locator("#lock-waiting")).to_have_attribute("data-messages", str(before + 1))
    expect(page.locator("html")).to_have_attribute("data-rung", "1")
    assert "北門" not in page.content()
    page.go_back()
    page.wait_for_url(re.compile("/lock"))
    assert "書きかけの連絡" not in page.content()
    page.fill("[name=passphrase]", PASSPHRASE)
    page.click("main button.primary")
    page.wait_for_url(f"**/chat/{city.channel}")
    expect(page.locator("textarea[name=text]")).to_have_value("書きかけの連絡")
    assert visitor.faults == []


def test_two_taps_hand_over_and_the_next_person_meets_nothing_of_the_one_before(
    fresh: Visitors, city: Cluster, tablet: NodeProcess
) -> None:
    visitor = fresh.at(tablet)
    page = visitor.page
    visitor.go(f"/chat/{city.channel}")
    page.fill("textarea[name=text]", "前の人の書きかけ")
    page.wait_for_timeout(50)
    visitor.forget_taps()
    page.get_by_role("button", name="交代する").click()
    page.get_by_role("link", name=SECOND_PERSON).click()
    expect(page.locator("[name=passphrase]")).to_be_focused()
    assert visitor.taps() == 2
    page.keyboard.type(PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url("**/incidents/**")
    visitor.go(f"/chat/{city.channel}")
    expect(page.locator("textarea[name=text]")).to_have_value("")
    page.get_by_role("button", name="交代する").click()
    expect(page).to_have_url(re.compile("/login/people"))
    page.get_by_role("link", name=NAME).click()
    expect(page.locator("[name=passphrase]")).to_be_focused()
    page.keyboard.type(PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url("**/incidents/**")
    visitor.go(f"/chat/{city.channel}")
    expect(page.locator("textarea[name=text]")).to_have_value("前の人の書きかけ")
    assert visitor.faults == []


def test_hq_sets_up_its_second_factor_and_is_asked_for_it(fresh: Visitors, city: Cluster, tablet: NodeProcess) -> None:
    visitor = fresh.at(city.hub, HQ)
    page = visitor.page
    visitor.leave()
    visitor.at("/login")
    log_in(visitor, ADMIN)
    page.wait_for_url("**/incidents/**")
    visitor.at("/second-factor/setup")
    expect(page.locator(".qr svg")).to_be_visible()
    phone = pyotp.TOTP(page.locator(".code-line").first.inner_text())
    page.fill("[name=code]", phone.now())
    page.click("main button.primary")
    expect(page.locator(".code-sheet li")).to_have_count(10)
    paper = page.locator(".code-sheet .code-line").first.inner_text()
    visitor.at("/more")
    page.get_by_role("button", name="ログアウト").click()
    log_in(visitor, ADMIN)
    page.wait_for_url("**/second-factor")
    page.fill("[name=code]", paper)
    page.click("main button.primary")
    page.wait_for_url("**/incidents/**")
    assert visitor.faults == [] and visitor.strangers == []


@pytest.mark.deep
@pytest.mark.parametrize(
    ("size", "palette"),
    [
        pytest.param(TABLET, "standard", id="tablet"),
        pytest.param(PHONE, "night", id="phone"),
        pytest.param(HQ, "standard", id="hq"),
        pytest.param(HQ, "night", id="hq at night"),
    ],
)
def test_every_page_of_people_fits_a_thumb_and_a_reader(
    fresh: Visitors, city: Cluster, tablet: NodeProcess, pictures: Path, size: tuple[int, int], palette: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    visitor = fresh.at(city.hub, size)
    visitor.leave()
    visitor.at("/login")
    log_in(visitor, OTHER_ADMIN)
    visitor.page.wait_for_url("**/incidents/**")
    visitor.wear(palette=palette)
    faults: dict[str, Any] = {}
    for name, turn in _pages(visitor, city):
        turn()
        visitor.page.evaluate("document.fonts.ready")
        small = visitor.page.evaluate(SMALL_TARGETS, TOUCH_PX_MIN)
        found = Axe().run(visitor.page, options={"resultTypes": ["violations"]}).response["violations"]
        serious = [
            (one["id"], [node["html"][:120] for node in one["nodes"][:3]])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        if os.environ.get("TOMOSHIBI_PICTURES"):
            visitor.page.screenshot(path=pictures / f"people-{name}-{size[0]}-{palette}.png", full_page=True)
        if wide := visitor.page.evaluate(SIDEWAYS):
            faults[f"{name} wide"] = wide
        if small or serious:
            faults[name] = (small, serious)
    assert faults == {}
    assert visitor.faults == []


def _pages(visitor: Visitor, city: Cluster) -> Iterator[tuple[str, Any]]:
    page = visitor.page
    city.hub.post("chat-messages", {"incident_id": city.incident, "channel_id": city.channel, "text": "至急"})
    yield "users", lambda: visitor.at("/users")
    yield "adding", lambda: page.locator("details.add-user > summary").click()
    yield "user", lambda: page.locator("ul.rows a").first.click()
    yield "vouch", lambda: visitor.at("/vouches/new")
    yield "envelopes", lambda: visitor.at("/envelopes")
    yield "sheet", lambda: _make_envelope(page)
    yield "envelopes-made", lambda: visitor.at("/envelopes")
    yield "factor", lambda: visitor.at("/second-factor/setup")
    yield "settings", lambda: visitor.at("/settings")
    yield "more", lambda: visitor.at("/more")
    yield "front", lambda: visitor.go()
    yield "lock", lambda: (page.click("form.lock button"), page.wait_for_url(re.compile("/lock")))
    yield "handover", lambda: page.get_by_role("button", name="交代する").click()
    yield "login", lambda: page.get_by_role("link", name="本部").first.click()
    yield "first", lambda: visitor.at("/login/first")


def _make_envelope(page: Any) -> None:
    if not page.locator("[name=title]").is_visible():
        page.locator("details.add-user > summary").click()
    page.fill("[name=title]", "葦原第二小学校 夜の班")
    page.locator("[name=role][value=shelter_staff]").check(force=True)
    page.get_by_role("button", name=re.compile("つくって")).click()
    page.wait_for_selector(".code-sheet")


@pytest.mark.deep
def test_a_screen_that_nobody_touches_goes_to_the_lock_by_itself(chromium: Any, tmp_path: Path, city: Cluster) -> None:
    """On a hub of its own that locks after a minute: the page notices, and so does every other one of the session."""
    hub = NodeProcess("quick", tmp_path / "quick", extra={"TOMOSHIBI_LOCK_MINUTES": "1"})
    hub.command("init", "--role", "hub", "--name", "試験本部", "--json")
    hub.command("user", "add", "当番", "--role", "commander", "--password-stdin", text=PASSPHRASE + "\n")
    hub.start()
    context = chromium.new_context(locale="ja-JP")
    try:
        page = context.new_page()
        page.clock.install()
        page.goto(f"{hub.url}/login?name=当番")
        page.fill("[name=passphrase]", PASSPHRASE)
        page.click("main button.primary")
        page.wait_for_url("**/incidents")
        page.clock.run_for(70_000)
        assert "/lock" not in page.url, "the node has the last word: for it no minute has passed"
        hub.command("status", "--json")
        eventually(lambda: "/lock" in page.url or page.clock.run_for(5_000), 90, "the page went to the lock")
    finally:
        context.close()
        hub.stop()
