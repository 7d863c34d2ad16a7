"""HQ looks at an earlier time: the band, the slider, the pages and the map as they were, and no way to write."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.people import HQ, SITTINGS, TABLET, Visitors
from tests.browser.test_map import DEEP, point, post
from tests.browser.test_pages import FAULTS_ONLY, SIDEWAYS
from tests.integration.cluster import Cluster, NodeProcess, cluster, eventually

pytestmark = pytest.mark.deep  # `make test` has no time for one more city of processes

CITY = Path(__file__).resolve().parents[2] / "hazard_data"


@pytest.fixture(scope="module")
def told(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, int]]:
    """A hub that knew one report at a time, and another some seconds later."""
    with cluster(tmp_path_factory.mktemp("replay"), terminals=1) as built:
        built.hub.command("import", "hazard", str(CITY / "flood_depth.geojson"), "--json")
        for summary in ("さきに分かった", "あとから分かった"):
            report = {"category": "road", "summary": summary, "urgency": "red", "location": point(*DEEP)}
            post(built.hub, "damage-reports", incident_id=built.incident, **report)
            time.sleep(1)  # the tablet has it as well: from then on it knows that the hub has
            at = int(time.time() * 1000)
            time.sleep(1)  # the two are known at different times: that is what is asked
            if summary.startswith("さき"):
                then = at
        yield built, then


def test_hq_goes_back_with_the_slider_and_sees_what_was_known(chromium: Any, told: tuple[Cluster, int]) -> None:
    city, then = told
    with Visitors(chromium, city, {}) as visitors:
        commander = visitors.at(city.hub, HQ)
        page = commander.page
        commander.at(f"/replay/node-{then}/incidents/{city.incident}")
        band = page.locator(".replay-band")
        expect(band).to_contain_text("の状態を表示中")
        expect(page.locator("#feed")).to_contain_text("さきに分かった")
        expect(page.locator("#feed")).not_to_contain_text("あとから分かった")
        page.locator(".nav").get_by_role("link", name=re.compile("^被害報告")).click()
        expect(band).to_be_visible()
        expect(page.locator("#reports")).not_to_contain_text("あとから分かった")
        expect(page.locator("form[action*='damage-reports']")).to_have_count(0)
        slider = band.get_by_role("slider")
        page.wait_for_load_state()  # the slider's script listens
        slider.focus()
        slider.press("End")
        expect(page).not_to_have_url(re.compile(f"/replay/node-{then}/"))
        expect(page).to_have_url(re.compile("/replay/node-"))
        expect(page.locator("#reports")).to_contain_text("あとから分かった")
        band.get_by_role("link", name="現在に戻る").click()
        expect(page.locator(".replay-band")).to_have_count(0)
        assert commander.faults == []


@pytest.mark.deep
@pytest.mark.parametrize(("size", "dark"), SITTINGS)
def test_the_band_stays_and_the_map_answers(
    chromium: Any, told: tuple[Cluster, int], pictures: Path, size: tuple[int, int], dark: bool
) -> None:
    city, then = told
    with Visitors(chromium, city, {}) as visitors:
        someone = visitors.at(city.hub, size, dark=dark)
        page = someone.page
        for path in ("", "/damage-reports", "/map", "/chronicle", "/chat"):
            someone.at(f"/replay/node-{then}/incidents/{city.incident}{path}")
            page.mouse.wheel(0, 2000)
            expect(page.locator(".replay-band")).to_be_in_viewport(ratio=0.9)
            assert page.evaluate(SIDEWAYS) == 0
            if path == "/map":
                page.wait_for_selector(".map-ground[data-drawn='1']", state="attached")
                lon, lat = DEEP
                page.evaluate("([lon, lat]) => window.tomoshibiMap.map.setView([lat, lon], 15)", [lon, lat])
                page.locator("#map_tomoshibi").click(position={"x": size[0] // 3, "y": 200})
                expect(page.locator("[data-map-depth]")).to_contain_text("想定")
            page.screenshot(path=pictures / f"replay{path.replace('/', '-')}-{size[0]}{'-night' if dark else ''}.png")
            broken = Axe().run(page, options=FAULTS_ONLY).response["violations"]
            assert [fault["id"] for fault in broken if fault["impact"] in ("serious", "critical")] == []
        someone.go("/replay")
        page.screenshot(path=pictures / f"replay-choose-{size[0]}{'-night' if dark else ''}.png")
        assert someone.faults == []


def test_a_tablet_shows_what_hq_knew_with_no_link_to_it(chromium: Any, told: tuple[Cluster, int]) -> None:
    city, then = told
    tablet = city.terminals[0]
    eventually(lambda: of_hub(tablet, then) == 1, 90, "the tablet knows what the hub knew")
    city.hub.stop()
    try:
        with Visitors(chromium, city, {}) as visitors:
            patrol = visitors.at(tablet, TABLET)
            patrol.at(f"/replay/hub-{then}/incidents/{city.incident}")
            expect(patrol.page.locator(".replay-band")).to_contain_text("本部が知っていた内容")
            expect(patrol.page.locator("#feed")).to_contain_text("さきに分かった")
            expect(patrol.page.locator("#feed")).not_to_contain_text("あとから分かった")
            assert patrol.faults == []
    finally:
        city.hub.start()


def of_hub(node: NodeProcess, at: int) -> int:
    """How many open reports the hub knew of at that time, as a tablet tells it; -1 while it was told nothing."""
    answer = node.command("replay", "--at", str(at), "--of", "hub", "--json", check=False)
    return int(json.loads(answer.stdout)["damage_reports"]["open"]) if answer.returncode == 0 else -1
