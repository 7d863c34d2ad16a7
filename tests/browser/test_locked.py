"""The lock page of a real node in Chromium: it fits every screen, day and night, and goes on to the login."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.integration.cluster import NodeProcess

PIN = "190417"
SIZES = ((800, 1280), (412, 915), (1920, 1080))


@pytest.fixture
def locked_node(tmp_path: Path) -> Iterator[NodeProcess]:
    node = NodeProcess("hub", tmp_path / "hub")
    node.command("init", "--role", "hub", "--name", "災害対策本部", "--json")
    node.command("pin", "set", "--pin-stdin", text=PIN + "\n")
    node.start()
    yield node
    node.stop()


@pytest.mark.deep
def test_the_lock_page_fits_every_screen_and_goes_on_to_the_login(
    chromium: Any, locked_node: NodeProcess, tmp_path: Path
) -> None:
    for scheme in ("light", "dark"):
        for width, height in SIZES:
            page = chromium.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            complaints: list[str] = []
            page.on("console", lambda message, said=complaints: said.append(message.text))
            page.goto(locked_node.url)
            if (scheme, width) == ("dark", 412):
                page.fill("#pin", "271828")
                page.click("button.primary")
                expect(page.locator("main")).to_contain_text("あと 9 回")
                complaints.clear()  # Chromium notes the 403 of a wrong PIN
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            for control in page.query_selector_all("button, .input, a.text-link"):
                assert control.bounding_box()["height"] >= 48
            page.screenshot(path=tmp_path / f"locked-{scheme}-{width}.png")
            assert complaints == []
            page.close()
    page = chromium.new_page(viewport={"width": 800, "height": 1280})
    page.goto(locked_node.url)
    page.fill("#pin", PIN)
    page.click("button.primary")
    page.wait_for_url("**/login**", timeout=20_000)
    page.close()
