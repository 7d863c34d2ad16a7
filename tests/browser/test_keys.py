"""HQ's hands stay on the keyboard: one key reaches what carries it, and none does while somebody writes."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.people import HQ, Visitor, Visitors
from tests.integration.cluster import Cluster

pytestmark = pytest.mark.deep  # `make test` has no time for one more city of processes

COMPOSING = (
    """() => document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "?", isComposing: true, bubbles: true}))"""
)


@pytest.fixture
def hq(visitors: Visitors, city: Cluster) -> Visitor:
    return visitors.at(city.hub, HQ)


def test_one_walk_without_a_mouse(hq: Visitor, city: Cluster) -> None:
    report = {"incident_id": city.incident, "category": "road", "summary": "陥没、片側通行"}
    made = [city.hub.post("damage-reports", report)["id"] for _ in range(2)]
    page, here = hq.page, f"{hq.node.url}/incidents/{city.incident}"
    hq.go()
    _press(page, "?")
    expect(page.locator("#keys-sheet")).to_be_visible()
    assert page.locator("[data-keys-menu] dt").count() >= 12
    page.keyboard.press("Escape")
    expect(page.locator("#keys-sheet")).to_be_hidden()
    _press(page, "g", "d")
    page.wait_for_url(f"{here}/damage-reports")
    _press(page, "j", "j")
    expect(page.locator(f"#row-{made[0]} a")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{here}/damage-reports/{made[0]}")
    _press(page, "e")
    expect(page.locator("button[value=done]")).to_be_focused()
    _press(page, "/")
    page.wait_for_url(f"{here}/search#key-search")
    expect(page.locator("main [name=words]")).to_be_focused()
    _press(page, "Tab", "c")
    page.wait_for_url(f"{here}/chronicle#key-c")
    expect(page.locator("#f-text")).to_be_focused()
    page.keyboard.type("gd? 川の水位を確認")
    expect(page.locator("#f-text")).to_have_value("gd? 川の水位を確認")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#chronicle")).to_contain_text("gd? 川の水位を確認")
    assert hq.faults == [] and hq.strangers == []


def test_a_key_does_nothing_while_an_ime_composes_or_when_keys_are_switched_off(hq: Visitor) -> None:
    page, sheet = hq.page, hq.page.locator("#keys-sheet")
    hq.at("/settings")
    page.evaluate(COMPOSING)
    expect(sheet).to_be_hidden()
    page.keyboard.press("?")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#keys button[value=off]").click()
    expect(page.locator("#keys button[value=off]")).to_have_attribute("aria-pressed", "true")
    _press(page, "?", "g", "d")
    expect(sheet).to_be_hidden()
    assert page.url.endswith("/settings")
    page.locator("#keys button[value=on]").click()


def _press(page: Any, *keys: str) -> None:
    page.wait_for_load_state()
    for key in keys:
        page.keyboard.press(key)
