"""The map of an incident in a real browser, over the flood of the invented city: drawn, read, tapped, printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.people import HQ, PHONE, TABLET, Visitor, Visitors
from tests.browser.test_pages import FAULTS_ONLY, SIDEWAYS, SMALL_TARGETS, TOUCH_PX_MIN
from tests.integration.cluster import Cluster, NodeProcess

CITY = Path(__file__).resolve().parents[2] / "hazard_data"
DEEP = (136.0573, 31.5104)  # 5 to 10 m, 100 m from any edge of that rank
# The colour in the middle of the map, as the canvases of the tiles have drawn it.
COLOUR = """
([lon, lat]) => {
  const {map} = window.tomoshibiMap, at = map.latLngToContainerPoint([lat, lon]);
  const box = map.getContainer().getBoundingClientRect(), x = box.left + at.x, y = box.top + at.y;
  for (const canvas of [...document.querySelectorAll(".leaflet-tile-pane canvas")].reverse()) {
    const tile = canvas.getBoundingClientRect();
    if (x < tile.left || x >= tile.right || y < tile.top || y >= tile.bottom || !canvas.width) continue;
    const scale = canvas.width / tile.width, ctx = canvas.getContext("2d");
    const seen = ctx.getImageData((x - tile.left) * scale - 8, (y - tile.top) * scale - 8, 16, 16).data;
    const pixels = [];
    for (let i = 0; i < seen.length; i += 4) pixels.push([...seen.slice(i, i + 4)]);
    return pixels;
  }
  return [];
}
"""
SETTLED = "() => document.querySelector('.map-ground')?.dataset.drawn === '1'"


@pytest.fixture(scope="module")
def mapped(city: Cluster) -> Cluster:
    """The hub with the flood and the boundary of the invented city, two shelters, and reports of each urgency."""
    for kind, name in (("hazard", "flood_depth"), ("boundary", "boundary")):
        city.hub.command("import", kind, str(CITY / f"{name}.geojson"), "--json")
    post(city.hub, "shelters", name="川辺小学校", location=point(136.030, 31.510), usable_floors=[3, 4], capacity=200)
    for number, urgency in enumerate(("red", "yellow", "green", "white", None)):
        post(
            city.hub, "damage-reports", incident_id=city.incident, category="road", summary=f"地図の報告{number}",
            urgency=urgency, location=point(136.020 + number / 200, 31.522),
            passability="impassable" if urgency == "red" else None,
        )  # fmt: skip
    return city


def post(node: NodeProcess, collection: str, **document: Any) -> Any:
    return node.post(collection, {name: value for name, value in document.items() if value is not None})


def point(lon: float, lat: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


def opened(visitor: Visitor, query: str = "") -> Any:
    """The map, with all its tiles and markers."""
    visitor.go(f"/map{query}")
    visitor.page.wait_for_selector("[data-map][data-ready]")
    visitor.page.wait_for_function(SETTLED)
    return visitor.page


@pytest.fixture
def tablet(visitors: Visitors, mapped: Cluster) -> Iterator[Visitor]:
    visitor = visitors.at(mapped.hub, TABLET)
    yield visitor
    assert visitor.strangers == []
    assert visitor.faults == []


def at(place: tuple[float, float], zoom: int = 16) -> str:
    return f"?at={place[0]},{place[1]},{zoom}"


def drawn(page: Any, place: tuple[float, float]) -> list[list[int]]:
    """The pixels of the tiles around a place, once there are any."""
    inked = f"(place) => ({COLOUR})(place).some((pixel) => pixel[3] > 0)"
    page.wait_for_function(inked, arg=list(place), polling=200)
    pixels: list[list[int]] = page.evaluate(COLOUR, list(place))
    return pixels


def test_the_flood_is_drawn_in_the_colour_of_its_rank_with_a_hatch(tablet: Visitor) -> None:
    page = opened(tablet, at(DEEP))
    drawn(page, DEEP)
    page.get_by_label("100%").check()
    solid = f"(place) => ({COLOUR})(place).every((pixel) => pixel[3] === 255)"
    page.wait_for_function(solid, arg=list(DEEP), polling=200)
    pixels = [tuple(pixel[:3]) for pixel in drawn(page, DEEP)]
    assert (255, 145, 145) in pixels, "the national colour of 5 to 10 m"
    assert len(set(pixels)) > 3, "the fill is plain: colour would speak alone"


def test_opacity_takes_the_flood_away_and_is_remembered(tablet: Visitor) -> None:
    page = opened(tablet, at(DEEP))
    page.get_by_label("0%", exact=True).check()
    gone = f"(place) => ({COLOUR})(place).every((pixel) => pixel[3] === 0)"
    page.wait_for_function(gone, arg=list(DEEP), polling=200)
    page = opened(tablet, at(DEEP))
    assert page.get_by_label("0%", exact=True).is_checked()
    page.get_by_label("70%").check()


def test_the_legend_says_each_rank_in_words_and_that_no_colour_is_no_safety(tablet: Visitor) -> None:
    page = opened(tablet)
    legend = page.locator(".map-legend")
    for words in ("0.5m未満", "0.5–3m", "3–5m", "5–10m", "10–20m", "20m以上", "安全の意味ではない", "地図データなし"):
        expect(legend).to_contain_text(words)
    inked = "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, 68, 44).data).size"
    assert page.locator("[data-map-swatch='flood_depth:4']").evaluate(inked) > 4


@pytest.mark.deep
def test_the_credit_and_the_drill_stand_under_the_map_while_the_layer_is_shown(tablet: Visitor) -> None:
    page = opened(tablet)
    credits = page.locator(".map-credits")
    expect(credits).to_contain_text("訓練")
    shown = credits.inner_text()
    page.locator(".map-layers summary").click()
    page.locator(".map-checks input").first.uncheck()
    expect(credits).not_to_have_text(shown)
    page.locator(".map-checks input").first.check()


def test_a_tap_says_how_deep_the_water_may_come_and_leads_to_a_report(tablet: Visitor) -> None:
    page = opened(tablet, at(DEEP))
    box = page.locator("#map_tomoshibi").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2 + 40)
    panel = page.locator("#map-panel")
    expect(panel).to_contain_text("想定")
    expect(panel).to_contain_text("5–10")
    panel.get_by_role("link", name="ここの被害を報告").click()
    page.wait_for_url("**/damage-reports/new?**")
    assert page.input_value("[name=location_source]") == "map"
    assert abs(float(page.input_value("[name=lat]")) - DEEP[1]) < 0.005


def test_a_tap_on_a_report_opens_its_card(tablet: Visitor) -> None:
    page = opened(tablet, "?at=136.020,31.522,17")
    page.locator(".map-mark.is-report.u-red").first.click()
    expect(page.locator("#map-panel a.line")).to_contain_text("地図の報告0")
    expect(page.locator(".map-mark.is-closure:visible").first).to_be_visible()


def test_a_tap_on_a_shelter_says_which_floors_stay_usable(tablet: Visitor) -> None:
    page = opened(tablet, "?at=136.030,31.510,17")
    page.locator(".map-mark.is-site").first.click()
    panel = page.locator("#map-panel")
    expect(panel).to_contain_text("川辺小学校")
    expect(panel).to_contain_text("使える")


def test_a_grid_number_in_full_width_and_degrees_both_find_their_place(tablet: Visitor) -> None:
    page = opened(tablet)
    page.locator(".map-more summary").click()
    page.get_by_label("位置の番号で探す").fill("31.5100, 136.0300")
    page.locator("[data-map-search] button").click()
    expect(page.locator("#map-panel h2").first).to_contain_text("31.51")
    centre = page.evaluate("() => { const {lat, lng} = window.tomoshibiMap.map.getCenter(); return [lng, lat] }")
    assert centre == pytest.approx([136.03, 31.51], abs=0.002)
    told = page.evaluate(
        "async (here) => (await (await fetch(here)).json())", f"{url(tablet)}/grid?text=53RNQ9781186240"
    )
    page.locator(".map-more summary").click()
    page.get_by_label("位置の番号で探す").fill("５３ＲＮＱ　９７８１１　８６２４０")
    page.locator("[data-map-search] button").click()
    page.wait_for_function(
        "([lon, lat]) => { const at = window.tomoshibiMap.map.getCenter();"
        " return Math.abs(at.lng - lon) < 0.01 && Math.abs(at.lat - lat) < 0.01 }",
        arg=[told["lon"], told["lat"]],
    )


@pytest.mark.deep
def test_an_unreadable_number_is_said_and_moves_nothing(tablet: Visitor) -> None:
    page = opened(tablet)
    before = page.evaluate("window.tomoshibiMap.map.getCenter().toString()")
    page.locator(".map-more summary").click()
    page.get_by_label("位置の番号で探す").fill("柳橋")
    page.locator("[data-map-search] button").click()
    expect(page.locator("[data-map-search-said]")).to_contain_text("読めない番号")
    assert page.evaluate("window.tomoshibiMap.map.getCenter().toString()") == before


def url(visitor: Visitor) -> str:
    return f"{visitor.node.url}/incidents/{visitor.incident}"


def test_the_keyboard_alone_moves_zooms_and_asks(tablet: Visitor) -> None:
    page = opened(tablet, at(DEEP))
    page.locator("#map_tomoshibi").focus()
    page.keyboard.press("+")
    page.wait_for_function("() => window.tomoshibiMap.map.getZoom() === 17")
    page.keyboard.press("Enter")
    expect(page.locator("#map-panel")).to_contain_text("想定")
    page.keyboard.press("Escape")
    expect(page.locator("#map-panel .map-hint")).to_be_visible()


def test_a_report_made_elsewhere_appears_without_moving_the_map(tablet: Visitor, mapped: Cluster) -> None:
    page = opened(tablet, "?at=136.045,31.527,17")
    before = page.evaluate("window.tomoshibiMap.map.getCenter().toString()")
    post(
        mapped.hub, "damage-reports", incident_id=mapped.incident, category="flood", summary="あとから来た",
        urgency="yellow", location=point(136.045, 31.527),
    )  # fmt: skip
    expect(page.locator(".map-mark.is-report.u-yellow").first).to_be_visible()
    assert page.evaluate("window.tomoshibiMap.map.getCenter().toString()") == before


@pytest.mark.deep
def test_many_reports_in_one_place_are_one_sign_coloured_by_the_worst(tablet: Visitor) -> None:
    page = opened(tablet, "?at=136.030,31.522,11")
    cluster = page.locator(".map-cluster .map-mark.is-report").first
    expect(cluster).to_have_class("map-mark is-report u-red ")
    assert int(page.locator(".map-cluster:has(.is-report) b").first.inner_text()) >= 5


def test_the_markers_come_as_short_rows_once(tablet: Visitor) -> None:
    """Asked again with the tag of the answer there is nothing to send."""
    asked = tablet.page.request
    answer = asked.get(f"{url(tablet)}/map/data")
    told = answer.json()
    assert set(told) == {"version", "reports", "shelters", "patrols"}
    assert all(len(row) == 6 and row[3] in range(5) and row[4] in range(3) for row in told["reports"])
    assert max(len(str(row)) for row in told["reports"]) < 90
    again = asked.get(f"{url(tablet)}/map/data", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.body()) == (304, b"")


def test_tiles_are_given_by_range_and_kept_for_ever(tablet: Visitor) -> None:
    opened(tablet)
    layer = tablet.page.evaluate("() => window.tomoshibiMap.layers[0].tiles")
    asked = tablet.page.request
    answer = asked.get(f"{tablet.node.url}{layer}", headers={"Range": "bytes=0-6"})
    assert (answer.status, answer.body()) == (206, b"PMTiles")
    assert "immutable" in answer.headers["cache-control"]
    assert asked.get(f"{tablet.node.url}/layers/{'0' * 64}.pmtiles").status == 404
    assert asked.get(f"{tablet.node.url}/map/{'0' * 20}/map.js").status == 404


@pytest.mark.deep
def test_the_list_shows_what_the_map_shows_and_leads_back(tablet: Visitor) -> None:
    page = opened(tablet)
    page.get_by_role("link", name="一覧で見る").click()
    expect(page.locator("main")).to_contain_text("川辺小学校")
    expect(page.locator("main")).to_contain_text("地図の報告0")
    page.get_by_role("link", name="地図で", exact=True).first.click()
    page.wait_for_selector("[data-map][data-ready]")


def test_the_picker_fills_the_position_of_a_report(visitors: Visitors, mapped: Cluster) -> None:
    visitor = visitors.at(mapped.hub, PHONE)
    visitor.go("/damage-reports/new")
    page = visitor.page
    page.locator("[data-map-pick]").click()
    page.wait_for_selector(".map-place [data-map-cross]:visible")
    page.evaluate("window.tomoshibiMap.map.setView([31.5123, 136.0234], 17, {animate: false})")
    page.locator("[data-map-take]").click()
    assert float(page.input_value("[name=lat]")) == pytest.approx(31.5123, abs=1e-4)
    assert float(page.input_value("[name=lon]")) == pytest.approx(136.0234, abs=1e-4)
    assert page.input_value("[name=location_source]") == "map"
    assert visitor.strangers == [] and visitor.faults == []


@pytest.mark.deep
def test_a_node_without_any_layer_says_so_and_still_shows_its_points(visitors: Visitors, mapped: Cluster) -> None:
    """Under the map of a terminal that has the records but not yet the files nothing is grey and nothing fails."""
    visitor = visitors.at(mapped.hub, TABLET)
    visitor.page.route("**/*.pmtiles", lambda route: route.abort())
    visitor.go("/map?at=136.020,31.522,16")
    page = visitor.page
    expect(page.locator(".map-mark.is-report").first).to_be_visible()
    page.evaluate("() => window.tomoshibiMap.map.setView([31.6, 136.2], 15, {animate: false})")
    expect(page.locator(".map-outside").first).to_contain_text("地図データなし")


@pytest.mark.deep
def test_at_night_the_ground_is_dark_and_the_flood_is_dimmed(visitors: Visitors, mapped: Cluster) -> None:
    visitor = visitors.at(mapped.hub, TABLET, dark=True)
    page = opened(visitor, at(DEEP))
    filled = sorted(alpha for _, _, _, alpha in drawn(page, DEEP))
    assert 45 < filled[0] < 65, "32 % of 70 %, and no more"


@pytest.mark.deep
@pytest.mark.parametrize(("size", "dark"), [(PHONE, True), (TABLET, False), (HQ, False)], ids=["phone", "tablet", "hq"])
def test_the_map_is_for_gloves_and_for_readers(
    visitors: Visitors, mapped: Cluster, pictures: Path, size: tuple[int, int], dark: bool
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    visitor = visitors.at(mapped.hub, size, dark)
    for query in ("", "?view=list"):
        page = opened(visitor) if not query else visitor.page
        if query:
            visitor.go(f"/map{query}")
        assert page.evaluate(SIDEWAYS) == 0
        assert page.evaluate(SMALL_TARGETS, TOUCH_PX_MIN) == []
        found = Axe().run(page, options=FAULTS_ONLY).response["violations"]
        grave = [one for one in found if one["impact"] in ("serious", "critical")]
        serious = [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in grave]
        assert serious == []
        page.screenshot(path=str(pictures / f"map{query[6:]}-{size[0]}-{'night' if dark else 'day'}.png"))


@pytest.mark.deep
def test_on_paper_the_map_is_light_with_its_legend_and_the_drill_and_without_its_buttons(
    visitors: Visitors, mapped: Cluster, pictures: Path
) -> None:
    visitor = visitors.at(mapped.hub, HQ, dark=True)
    page = opened(visitor, at(DEEP, 15))
    page.evaluate("window.print = () => { window.printed = document.documentElement.dataset.mapPaper }")
    page.locator(".map-more summary").click()
    page.get_by_role("button", name="この範囲を印刷").click()
    page.wait_for_function("() => window.printed === 'a4'")
    page.emulate_media(media="print", color_scheme="light")
    expect(page.locator(".map-legend")).to_be_visible()
    expect(page.locator(".map-credits")).to_be_visible()
    expect(page.locator(".map-print-drill")).to_have_text("訓練")
    expect(page.locator(".map-buttons")).to_be_hidden()
    page.screenshot(path=str(pictures / "map-print.png"))


@pytest.mark.deep
def test_the_sheet_has_the_size_that_was_chosen_and_the_page_is_put_back_afterwards(
    visitors: Visitors, mapped: Cluster
) -> None:
    page = opened(visitors.at(mapped.hub, HQ), at(DEEP, 15))
    before = page.locator(".map-stage").bounding_box()
    rules = "document.adoptedStyleSheets.flatMap((sheet) => [...sheet.cssRules].map((rule) => rule.cssText)).join()"
    page.evaluate(f"() => {{ window.print = () => {{ window.printed = {rules} }} }}")
    page.locator(".map-more summary").click()
    page.locator("select[data-map-paper]").select_option("a3")
    page.get_by_role("button", name="この範囲を印刷").click()
    page.wait_for_function("() => /size: a3/i.test(window.printed ?? '')")
    page.wait_for_function("() => !document.documentElement.dataset.mapPaper")
    assert page.evaluate(rules) == ""
    assert page.locator(".map-stage").bounding_box() == before
