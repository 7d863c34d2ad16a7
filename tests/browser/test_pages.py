"""What holds on every page: nothing scrolls sideways, a thumb hits it, a reader can read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.people import HQ, PHONE, SITTINGS, TABLET, Visitor, Visitors
from tests.integration.cluster import Cluster, eventually

TOUCH_PX_MIN = 48
# To describe all that is right takes longer than to find what is wrong.
FAULTS_ONLY = {"resultTypes": ["violations"]}
PICTURED = ("shelters", "shelter", "new count", "front", "reports", "new report", "report", "chat", "sync")
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
    shelter = city.hub.get("shelters?limit=1")["items"][0]["id"]
    return {
        "shelters": f"{here}/shelters",
        "shelter": f"{here}/shelters/{shelter}",
        "new count": f"{here}/shelters/{shelter}/head-counts/new",
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
        "more": "/more",
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
    furnish_shelters(city)
    disagree(city, made["id"])
    return str(made["id"])


def disagree(city: Cluster, report: str) -> None:
    """Two windows that were opened on the same text, each with an answer of its own: the chip of a conflict is wide."""
    path = f"damage-reports/{report}"
    seen = city.hub.call("GET", path).headers["ETag"]
    for passability in ("impassable", "foot_only"):
        assert city.hub.call("PATCH", path, {"passability": passability}, If_Match=seen).status_code == 200


def furnish_shelters(city: Cluster) -> None:
    """An open shelter with two posts, one with an old number, one that is silent."""
    if len(city.hub.get("shelters")["items"]) >= 3:
        return
    known = {"capacity": 320, "address": "葦原市下河原1丁目2番3号", "phone": "000-000-0005"}
    names = ("下河原体育館", "東町中学校", "葦原第二小学校")
    shelters = [city.hub.post("shelters", {"name": name, **known}) for name in names]
    for shelter in shelters:
        opening = {"incident_id": city.incident, "shelter_id": shelter["id"], "opening_status": "open"}
        city.hub.post("shelter-openings", opening)
    now = {"incident_id": city.incident, "shelter_id": shelters[2]["id"], "male": 20}
    for post, total in (("正門", 151), ("体育館口", 83)):
        city.hub.post("head-counts", {**now, "post": post, "total": total})
    old = {**now, "shelter_id": shelters[0]["id"], "total": 116, "counted_at": "2019-10-12T20:19:00+09:00"}
    city.hub.post("head-counts", old)
    for node in city.nodes:
        path = f"shelters/{shelters[2]['id']}"
        eventually(lambda node=node, path=path: node.call("GET", path).status_code == 200, 10, "the shelters came")


def settled(visitor: Visitor, path: str) -> None:
    visitor.at(path)
    visitor.page.evaluate("document.fonts.ready")


@pytest.mark.parametrize("text_size", ["100", pytest.param("200", marks=pytest.mark.deep)])
def test_no_page_scrolls_sideways_at_320_px(visitors: Visitors, city: Cluster, report: str, text_size: str) -> None:
    visitor = visitors.at(city.hub, (320, 640))
    visitor.wear(text=text_size)
    wide = {}
    for name, path in paths(city, report).items():
        settled(visitor, path)
        if excess := visitor.page.evaluate(SIDEWAYS):
            wide[name] = excess
    assert wide == {}


@pytest.mark.deep
@pytest.mark.parametrize(
    ("size", "palette"),
    [
        pytest.param(PHONE, "outdoor", id="phone"),
        pytest.param(TABLET, "standard", id="tablet"),
        pytest.param(HQ, "night", id="hq"),
    ],
)
def test_every_target_is_large_enough_for_a_wet_glove_and_axe_finds_nothing_serious(
    visitors: Visitors, city: Cluster, report: str, size: tuple[int, int], palette: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    visitor = visitors.at(city.hub, size, dark=palette == "night")
    visitor.wear(palette=palette)
    small: dict[str, Any] = {}
    serious: dict[str, Any] = {}
    for name, path in paths(city, report).items():
        settled(visitor, path)
        if found := visitor.page.evaluate(SMALL_TARGETS, TOUCH_PX_MIN):
            small[name] = found
        for fault in Axe().run(visitor.page, options=FAULTS_ONLY).response["violations"]:
            if fault["impact"] in ("serious", "critical"):
                serious.setdefault(name, []).append((fault["id"], [node["html"][:120] for node in fault["nodes"][:3]]))
    assert small == {}
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
    ground = visitor.page.locator("html")
    expect(ground).to_have_css("background-color", "rgb(255, 255, 255)")
    visitor.page.get_by_role("button", name="夜の表示").click()
    visitor.page.wait_for_selector("html[data-palette=night]")
    expect(ground).to_have_css("background-color", "rgb(26, 26, 26)")


def test_english_pages_say_no_japanese_sentence(visitors: Visitors, city: Cluster, report: str) -> None:
    visitor = visitors.at(city.hub, HQ, language="en")
    settled(visitor, f"/incidents/{city.incident}")
    heads = visitor.page.locator("h2").all_inner_texts()
    assert "Damage feed" in heads
    assert not [words for words in heads if any("぀" <= char <= "ヿ" for char in words)]


@pytest.mark.deep
@pytest.mark.parametrize(("size", "dark"), SITTINGS)
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


@pytest.mark.parametrize(
    "width", [1366, *(pytest.param(width, marks=pytest.mark.deep) for width in (1280, 1600, 1920))]
)
def test_the_front_page_at_hq_stands_still_and_cuts_nothing(
    visitors: Visitors, city: Cluster, report: str, width: int
) -> None:
    """A long chat scrolls in its own box; the page is at its top, and no word of it is pushed out of its box."""
    visitor = visitors.at(city.hub, (width, 900))
    for number in range(12):
        document = {"incident_id": city.incident, "channel_id": city.channel, "text": f"{number + 1}回目の連絡です"}
        city.hub.post("chat-messages", document)
    last = visitor.page.locator("#messages .message").last
    expect(last).to_contain_text("12回目")
    assert visitor.page.evaluate("scrollY") == 0
    if width >= 1600:
        visitor.page.locator(".hq-chat > summary").click()
        expect(last).to_be_in_viewport()
        expect(visitor.page.locator(".front .composer textarea")).to_be_in_viewport()
    cut = """() => [...document.querySelectorAll(".fact, .total, .count-block, .line")]
      .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.innerText)"""
    assert visitor.page.evaluate(cut) == []


def test_a_literal_of_the_catalogue_is_said_in_the_language_of_each_reader(
    visitors: Visitors, city: Cluster, report: str
) -> None:
    """A template is compiled once: the words in it must not stay in the language of who came first."""
    path = paths(city, report)["edit"]
    for language, words in (("ja", "通れない"), ("en", "Impassable"), ("ja", "通れない")):
        visitor = visitors.at(city.hub, PHONE, language=language)
        settled(visitor, path)
        expect(visitor.page.locator("#f-passability")).to_contain_text(words)
