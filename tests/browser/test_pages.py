"""What holds on every page: nothing scrolls sideways, a thumb hits it, a reader can read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.people import HQ, PHONE, TABLET, Visitor, Visitors
from tests.integration.cluster import Cluster

TOUCH_PX_MIN = 48
PICTURED = ("front", "reports", "new report", "report", "chat", "sync")
# The box that answers to a finger: a control's label where the control lies inside one.
SMALL_TARGETS = """
(least) => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
  .filter((one) => one.type !== "hidden" && one.checkVisibility({visibilityProperty: true, opacityProperty: false}))
  .map((one) => ({one, box: (one.closest("label") ?? one).getBoundingClientRect()}))
  .filter(({one, box}) => box.right > 0 && box.width > 0 && (box.height < least - 0.5 || box.width < least - 0.5))
  .map(({one, box}) => `${one.outerHTML.slice(0, 90)} ${Math.round(box.width)}x${Math.round(box.height)}`)
"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def paths(city: Cluster, report: str) -> dict[str, str]:
    here = f"/incidents/{city.incident}"
    return {
        "front": here,
        "reports": f"{here}/damage-reports",
        "new report": f"{here}/damage-reports/new",
        "saved": f"{here}/damage-reports/{report}/saved",
        "report": f"{here}/damage-reports/{report}",
        "edit": f"{here}/damage-reports/{report}/edit",
        "channels": f"{here}/chat",
        "chat": f"{here}/chat/{city.channel}",
        "conflicts": f"{here}/conflicts",
        "state": f"{here}/state",
        "incidents": "/incidents",
        "new incident": "/incidents/new",
        "sync": "/sync",
        "settings": "/settings",
        "absent": f"{here}/damage-reports/{city.channel}",
    }


@pytest.fixture(scope="module")
def report(city: Cluster) -> str:
    """One report with every field that a page shows, and a few words of chat."""
    made = city.hub.post(
        "damage-reports",
        {
            "incident_id": city.incident,
            "category": "flood",
            "summary": "車両1台が立往生、人は脱出",
            "address": "柳橋アンダーパス",
            "urgency": "red",
            "passability": "impassable",
            "water_depth_cm": 50,
        },
    )
    for text in ("最上階の教室は全部開けられますか", "開けられます。鍵は職員室にあります"):
        city.hub.post("chat-messages", {"incident_id": city.incident, "channel_id": city.channel, "text": text})
    return str(made["id"])


def settled(visitor: Visitor, path: str) -> None:
    visitor.at(path)
    visitor.page.evaluate("document.fonts.ready")


@pytest.mark.parametrize("text_size", ["100", "200"])
def test_no_page_scrolls_sideways_at_320_px(visitors: Visitors, city: Cluster, report: str, text_size: str) -> None:
    visitor = visitors.at(city.hub, (320, 640))
    visitor.page.context.add_cookies([{"name": "tomoshibi_text", "value": text_size, "url": city.hub.url}])
    wide = {}
    for name, path in paths(city, report).items():
        settled(visitor, path)
        if excess := visitor.page.evaluate(SIDEWAYS):
            wide[name] = excess
    assert wide == {}


@pytest.mark.parametrize("size", [PHONE, TABLET, HQ], ids=["phone", "tablet", "hq"])
def test_every_target_is_large_enough_for_a_wet_glove(
    visitors: Visitors, city: Cluster, report: str, size: tuple[int, int]
) -> None:
    visitor = visitors.at(city.hub, size)
    small = {}
    for name, path in paths(city, report).items():
        settled(visitor, path)
        if found := visitor.page.evaluate(SMALL_TARGETS, TOUCH_PX_MIN):
            small[name] = found
    assert small == {}


@pytest.mark.parametrize(("size", "palette"), [(TABLET, "standard"), (HQ, "night"), (PHONE, "outdoor")])
def test_axe_finds_nothing_serious(
    visitors: Visitors, city: Cluster, report: str, size: tuple[int, int], palette: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    visitor = visitors.at(city.hub, size, dark=palette == "night")
    visitor.page.context.add_cookies([{"name": "tomoshibi_palette", "value": palette, "url": city.hub.url}])
    serious: dict[str, Any] = {}
    for name, path in paths(city, report).items():
        settled(visitor, path)
        for fault in Axe().run(visitor.page).response["violations"]:
            if fault["impact"] in ("serious", "critical"):
                serious.setdefault(name, []).append((fault["id"], [node["html"][:120] for node in fault["nodes"][:3]]))
    assert serious == {}


def test_nothing_leaves_the_machine_and_a_drill_says_so(visitors: Visitors, city: Cluster, report: str) -> None:
    visitor = visitors.at(city.terminals[0])
    for name, path in paths(city, report).items():
        settled(visitor, path)
        if path.startswith(f"/incidents/{city.incident}"):
            assert visitor.page.locator(".drill-band").is_visible(), name
    assert visitor.strangers == []
    assert visitor.faults == []


def test_the_palette_changes_by_one_tap_and_stays(visitors: Visitors, city: Cluster) -> None:
    visitor = visitors.at(city.hub, HQ)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert visitor.page.evaluate(ground) == "rgb(255, 255, 255)"
    visitor.page.get_by_role("button", name="夜の表示").click()
    visitor.page.wait_for_selector("html[data-palette=night]")
    assert visitor.page.evaluate(ground) == "rgb(26, 26, 26)"


def test_english_pages_say_no_japanese_sentence(visitors: Visitors, city: Cluster, report: str) -> None:
    visitor = visitors.at(city.hub, HQ, language="en")
    settled(visitor, f"/incidents/{city.incident}")
    heads = visitor.page.locator("h2").all_inner_texts()
    assert "Damage feed" in heads
    assert not [words for words in heads if any("぀" <= char <= "ヿ" for char in words)]


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
@pytest.mark.parametrize("size", [PHONE, TABLET, HQ], ids=["phone", "tablet", "hq"])
def test_pictures_for_people_to_look_at(
    visitors: Visitors, city: Cluster, report: str, pictures: Path, size: tuple[int, int], dark: bool
) -> None:
    visitor = visitors.at(city.hub if size == HQ else city.terminals[0], size, dark)
    for name, path in paths(city, report).items():
        if name not in PICTURED:
            continue
        settled(visitor, path)
        target = pictures / f"{name.replace(' ', '-')}-{size[0]}-{'night' if dark else 'day'}.png"
        visitor.page.screenshot(path=str(target))
        assert target.stat().st_size > 5_000
