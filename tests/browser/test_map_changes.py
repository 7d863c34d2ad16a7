"""What changes on an open map: a basemap of pictures, new layers while somebody looks, and where one stands."""

from __future__ import annotations

import contextlib
import io
import math
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.people import HQ, TABLET, Visitor, Visitors
from tests.integration.cluster import Cluster

pytestmark = pytest.mark.deep

CITY = Path(__file__).resolve().parents[2] / "hazard_data"
HERE = (136.0301, 31.5101)
WEST, SOUTH, EAST, NORTH = 136.0, 31.49, 136.06, 31.55
PAPER, PHOTO = (250, 248, 240), (40, 60, 50)
SETTLED = """
() => document.querySelector('.map-ground')?.dataset.drawn === '1'
  && document.querySelector('.map-picture .leaflet-tile')
  && !document.querySelector('.leaflet-tile:not(.leaflet-tile-loaded)')
"""
RADIUS = """
() => {
  const {map} = window.tomoshibiMap, stage = map.getContainer().getBoundingClientRect();
  const circle = document.querySelector(".map-accuracy").getBoundingClientRect();
  const y = (circle.top + circle.bottom) / 2 - stage.top;
  const [west, east] = [circle.left, circle.right].map((x) => map.containerPointToLatLng([x - stage.left, y]));
  return map.distance(west, east) / 2;
}
"""
# The pixel of the picture at a place of the world, and the box of its tile.
PIXEL = """
([lon, lat]) => {
  const {map} = window.tomoshibiMap, at = map.latLngToContainerPoint([lat, lon]);
  const box = map.getContainer().getBoundingClientRect(), x = box.left + at.x, y = box.top + at.y;
  for (const canvas of document.querySelectorAll(".map-picture canvas")) {
    const tile = canvas.getBoundingClientRect();
    if (x < tile.left || x >= tile.right || y < tile.top || y >= tile.bottom) continue;
    const ctx = canvas.getContext("2d"), scale = canvas.width / tile.width;
    return [...ctx.getImageData((x - tile.left) * scale, (y - tile.top) * scale, 1, 1).data, Math.round(tile.width)];
  }
  return null;
}
"""


def tile_of(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int((lon + 180) / 360 * 2**zoom), int(y * 2**zoom)


def pictures_of(path: Path, colour: tuple[int, int, int], zooms: tuple[int, ...], hole: tuple[float, float]) -> Path:
    """MBTiles of one colour over the invented city, without the tiles of any zoom around ``hole``."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (256, 256), colour).save(out, "PNG")
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
        db.execute("CREATE TABLE tiles (zoom_level INT, tile_column INT, tile_row INT, tile_data BLOB)")
        meta = {
            "format": "png",
            "name": "絵の地図",
            "bounds": f"{WEST},{SOUTH},{EAST},{NORTH}",
            "attribution": "葦原市",
        }
        db.executemany("INSERT INTO metadata VALUES (?, ?)", meta.items())
        for zoom in zooms:
            (left, top), (right, bottom) = tile_of(WEST, NORTH, zoom), tile_of(EAST, SOUTH, zoom)
            for x in range(left, right + 1):
                for y in range(top, bottom + 1):
                    if (x, y) != tile_of(*hole, zoom):
                        db.execute("INSERT INTO tiles VALUES (?, ?, ?, ?)", (zoom, x, 2**zoom - 1 - y, out.getvalue()))
        db.commit()
    return path


def pictured(city: Cluster, path: Path, *more: str) -> Any:
    return city.hub.json("import", "basemap", str(path), "--credit", "絵:葦原市", *more)


def opened(visitor: Visitor, place: tuple[float, float], zoom: int) -> Any:
    visitor.go(f"/map?at={place[0]},{place[1]},{zoom}")
    visitor.page.wait_for_selector("[data-map][data-ready]")
    visitor.page.wait_for_function(SETTLED)
    return visitor.page


@pytest.fixture
def paper(city: Cluster, tmp_path: Path) -> Cluster:
    pictured(city, pictures_of(tmp_path / "paper.mbtiles", PAPER, (12, 13, 14), (136.055, 31.545)))
    return city


def test_a_basemap_of_pictures_is_drawn_with_its_credit_and_larger_beyond_its_last_zoom(
    visitors: Visitors, paper: Cluster
) -> None:
    visitor = visitors.at(paper.hub, TABLET)
    page = opened(visitor, HERE, 14)
    assert tuple(page.evaluate(PIXEL, list(HERE))[:3]) == PAPER
    expect(page.locator(".map-credits")).to_contain_text("絵:葦原市")
    page = opened(visitor, HERE, 16)
    *pixel, width = page.evaluate(PIXEL, list(HERE))
    assert (tuple(pixel[:3]), width) == (PAPER, 1024), "two zooms beyond its last, a tile is four times as wide"
    assert visitor.strangers == [] and visitor.faults == []


def test_where_a_tile_is_missing_the_one_around_it_is_shown_and_else_that_there_is_none(
    visitors: Visitors, city: Cluster, tmp_path: Path
) -> None:
    hole = (136.055, 31.545)
    lone = pictures_of(tmp_path / "lone.mbtiles", PAPER, (14,), hole)
    with contextlib.closing(sqlite3.connect(lone)) as db:  # around another hole there is a picture of the zoom before
        x, y = tile_of(*HERE, 14)
        db.execute("DELETE FROM tiles WHERE tile_column = ? AND tile_row = ?", (x, 2**14 - 1 - y))
        (picture,) = db.execute("SELECT tile_data FROM tiles LIMIT 1").fetchone()
        x, y = tile_of(*HERE, 13)
        db.execute("INSERT INTO tiles VALUES (13, ?, ?, ?)", (x, 2**13 - 1 - y, picture))
        db.commit()
    pictured(city, lone)
    visitor = visitors.at(city.hub, TABLET)
    assert tuple(opened(visitor, HERE, 14).evaluate(PIXEL, list(HERE))[:3]) == PAPER
    page = opened(visitor, hole, 14)
    inks = {page.evaluate(PIXEL, [hole[0] + step / 2000, hole[1]])[3] for step in range(-4, 5)}
    assert len(inks) > 1, "hatched: drawn here, bare there"


def test_at_night_paper_is_turned_dark_and_a_photograph_is_dimmed(
    visitors: Visitors, paper: Cluster, tmp_path: Path
) -> None:
    visitor = visitors.at(paper.hub, TABLET, dark=True)
    shown = "document.querySelector('.map-picture canvas').computedStyleMap().get('filter').toString()"
    assert "invert" in opened(visitor, HERE, 14).evaluate(shown)
    pictured(paper, pictures_of(tmp_path / "photo.mbtiles", PHOTO, (14,), (136.055, 31.545)))
    filtered = opened(visitor, HERE, 14).evaluate(shown)
    assert "invert" not in filtered and "brightness" in filtered


def test_another_basemap_says_whose_place_it_took(paper: Cluster) -> None:
    told = paper.hub.command("import", "basemap", str(CITY / "basemap.pmtiles"), "--title", "道と川").stdout
    assert "took the place of 絵の地図 [basemap" in told and "--group NAME keeps both" in told
    again = paper.hub.json("import", "basemap", str(CITY / "basemap.pmtiles"), "--title", "道と川")
    assert again["replaced"] == []


def test_who_has_the_map_open_is_told_of_new_layers_and_draws_them_when_he_wants(
    visitors: Visitors, paper: Cluster, tmp_path: Path
) -> None:
    page = opened(visitors.at(paper.hub, HQ), HERE, 14)
    said = page.locator("[data-map-said]")
    expect(said).to_be_hidden()
    before = page.locator("[data-map]").get_attribute("data-version")
    pictured(paper, pictures_of(tmp_path / "new.mbtiles", PHOTO, (14,), (136.055, 31.545)))
    expect(said).to_contain_text("地図が新しくなりました")
    assert tuple(page.evaluate(PIXEL, list(HERE))[:3]) == PAPER, "nothing changes under a hand"
    said.get_by_role("button", name="読み直す").click()
    page.wait_for_selector(f"[data-map][data-ready]:not([data-version='{before}'])")
    page.wait_for_function(f"([place, colour]) => ({PIXEL})(place)?.slice(0, 3).join() === colour.join()",
                           arg=[list(HERE), list(PHOTO)])  # fmt: skip


def test_my_place_is_shown_with_the_circle_of_its_accuracy(visitors: Visitors, paper: Cluster) -> None:
    visitor = visitors.at(paper.hub, TABLET)
    visitor.page.context.set_geolocation({"longitude": HERE[0], "latitude": HERE[1], "accuracy": 150})
    page = opened(visitor, (136.01, 31.53), 15)
    page.get_by_role("button", name="現在地").click()
    circle = page.locator(".map-accuracy")
    expect(circle).to_be_visible()
    expect(page.locator(".map-me")).to_be_visible()
    assert page.evaluate(RADIUS) == pytest.approx(150, rel=0.05)
    centre = page.evaluate("() => { const {lat, lng} = window.tomoshibiMap.map.getCenter(); return [lng, lat] }")
    assert centre == pytest.approx(HERE, abs=0.0005)


def test_where_no_place_can_be_had_it_is_said(visitors: Visitors, paper: Cluster) -> None:
    visitor = visitors.at(paper.hub, TABLET)
    visitor.page.context.clear_permissions()
    page = opened(visitor, HERE, 15)
    page.get_by_role("button", name="現在地").click()
    expect(page.locator("[data-map-said]")).to_contain_text("現在地が分かりません")
    assert page.locator(".map-accuracy").count() == 0
