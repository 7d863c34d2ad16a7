"""The story of a patrol at a flooded underpass: photographed with no network, seen at HQ over the hazard layer.

The city imports its official files once, at HQ; every terminal has them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

import hazard_data
from tests import photos
from tests.browser.people import HQ, PHONE, Visitors
from tests.integration.cluster import Cluster, cluster, eventually

CITY_FILES = Path(hazard_data.__file__).parent
UNDERPASS = "柳橋アンダーパス"
LAYERS = {"boundary": "boundary.geojson", "hazard": "flood_depth.geojson"}
SECONDS_MAX = 20  # from the link's return to photo and pin at HQ; the figure is printed


def underpass() -> tuple[float, float]:
    """(lon, lat) of the middle of the underpass: the invented map says 3 to 5 m there."""
    roads = json.loads((CITY_FILES / "roads.geojson").read_text("utf-8"))["features"]
    road = next(road for road in roads if road["properties"]["name"] == UNDERPASS)
    line = road["geometry"]["coordinates"]
    lon, lat = line[len(line) // 2]
    return lon, lat


@pytest.fixture(scope="module")
def mapped(chromium: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A city whose HQ has imported its files."""
    with cluster(tmp_path_factory.mktemp("mapped")) as built:
        for verb, name in LAYERS.items():
            report = built.hub.json("import", verb, str(CITY_FILES / name))
            assert report["accepted"] > 0
        yield built


@pytest.mark.deep
def test_a_flooded_underpass_is_photographed_without_a_network_and_seen_at_hq(
    chromium: object, mapped: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = mapped.terminals[0]
    lon, lat = underpass()
    asked = f"hazard?lat={lat}&lon={lon}"
    for node in mapped.terminals:
        eventually(lambda node=node: node.get(asked)["flood"], 30, f"{node.name} has the layer that HQ imported")
    camera = tmp_path / "camera.jpg"
    camera.write_bytes(photos.photo(1600, 1200, seed=7, quality=92))
    with Visitors(chromium, mapped, {}) as visitors:
        patrol, commander = visitors.at(terminal, PHONE), visitors.at(mapped.hub, HQ)
        patrol.page.context.set_geolocation({"longitude": lon, "latitude": lat, "accuracy": 12})
        commander.go("/map")
        mapped.hub.stop()
        expect(patrol.badge()).to_contain_text("この端末だけ", timeout=20_000)

        patrol.go("/damage-reports/new")
        expect(patrol.page.locator("[data-locate-said]")).to_contain_text("±12 m")
        patrol.page.locator("[data-take] input").set_input_files(str(camera))
        expect(patrol.page.locator("input[name=attachments]:not([disabled])")).to_have_count(1, timeout=15_000)
        patrol.page.locator("label.tile:has(input[value=flood])").click()
        patrol.page.fill("[name=address]", UNDERPASS)
        patrol.page.get_by_role("button", name="送る").click()
        patrol.page.wait_for_url("**/saved")
        report_id = patrol.page.url.split("/")[-2]
        patrol.go(f"/damage-reports/{report_id}")
        expect(patrol.page.locator(".depth-answer")).to_contain_text("3–5m")
        expect(patrol.page.locator(".depth-answer")).to_contain_text("実際の深さではありません")
        expect(patrol.page.locator("#files img")).to_have_js_property("complete", True)

        mapped.hub.start()
        patrol.page.evaluate("fetch('/sync')")
        eventually(lambda: terminal.status()["hub"]["state"] == "connected", 30, "the link is back")
        returned = time.monotonic()
        eventually(
            lambda: mapped.hub.call("GET", f"damage-reports/{report_id}").status_code == 200, SECONDS_MAX, "the text"
        )
        text_s = time.monotonic() - returned
        name = mapped.hub.get(f"damage-reports/{report_id}")["attachments"][0]
        eventually(
            lambda: mapped.hub.call("GET", f"attachments/{name}").status_code == 200, SECONDS_MAX, "the whole photo"
        )
        photo_s = time.monotonic() - returned

        commander.go(f"/map?at={lon},{lat},16")
        pin = commander.page.locator(".map-mark.is-report")
        expect(pin.first).to_be_visible(timeout=SECONDS_MAX * 1000)
        commander.go(f"/damage-reports/{report_id}")
        # Not `complete` alone: the small picture may just then give way to the large one.
        shown = commander.page.locator("#files img")
        eventually(lambda: shown.evaluate("(image) => image.naturalWidth") > 0, 10, "the photo on HQ's screen")
        expect(commander.page.locator(".depth-answer")).to_contain_text("3–5m")
        with capsys.disabled():
            print(f"\nafter the link came back: text at HQ in {text_s:.1f} s, whole photo in {photo_s:.1f} s")
        assert patrol.faults == [] and commander.faults == []
        assert patrol.strangers == [] and commander.strangers == []
