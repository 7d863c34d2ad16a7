"""The map page in a real browser whose processor is slowed four times: first paint, pan, zoom, and who was asked.

Needs playwright and a Chromium (``pip install tomoshibi[dev]``); neither is part of a node. The workload is the flood
of the invented city, 60 sites and 5,000 reports.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from uuid6 import uuid7

from app import processes
from app.bench import emit, percentile, stage
from app.errors import CommandFailed
from app.records import shelters
from app.records.noun import CITY

REPORTS, SITES, SLOWER, ROUNDS, OPENINGS = 5_000, 60, 4, 20, 5
SIZE = {"width": 1200, "height": 800}
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
LAYERS = ("flood_depth.geojson", "flood_duration.geojson", "collapse_zone.geojson")
# Between two moves: a finger that taps a button again and again is not faster. It was meant to wait for a silent
# network, which a page reaches once and never waits for again; "in_a_row" measures without any pause.
REST_MS = 300
# The page's own clock: until the whole ground of the new view is painted, and a frame with it and its markers was
# shown. It used to stop at the first frame, which on a slow tablet had the markers but not yet the flood.
MOVE = """
([dx, dy, zoom]) => new Promise((done) => {
  const {map} = window.tomoshibiMap, began = performance.now();
  if (zoom) map.setZoom(map.getZoom() + zoom); else map.panBy([dx, dy], {animate: false});
  const look = () => {
    const waits = document.querySelector(".map-ground:not([data-drawn='1']), .leaflet-tile:not(.leaflet-tile-loaded)");
    if (waits) requestAnimationFrame(look);
    else requestAnimationFrame(() => setTimeout(() => done(performance.now() - began), 0));
  };
  look();
})
"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"


def run() -> None:
    chromium = _chromium()
    with stage.folder() as folder:
        home, port = folder / "hub", stage.free_port()
        stage.make_hub(home)
        with stage.opened(home) as node:
            incident, scope = stage.open_incident(node)
            stage.fill(node, scope, REPORTS)
            node.write([_site(number) for number in range(SITES)], None)
        for name in LAYERS:
            processes.command(home, "import", "hazard", str(_city() / name), "--json")
        stage.add_person(home, "統括", "commander")
        with processes.serving(folder, {"hub": port}):
            browser = stage.log_in(processes.url(port), "統括")
            measure(chromium, browser, f"/incidents/{incident}/map")


def measure(chromium: tuple[Any, str], visitor: stage.Browser, path: str) -> None:
    """Open the page some times, then pan and zoom on it."""
    start, program = chromium
    with start() as playwright:
        chrome = playwright.chromium.launch(executable_path=program, args=FLAGS.split())
        paints, ready, strangers = [], [], []
        for opening in range(OPENINGS):
            page, asked = _page(chrome, visitor)
            began = time.monotonic()
            page.goto(visitor.url + path)
            page.wait_for_selector("[data-ready]", timeout=60_000)
            ready.append((time.monotonic() - began) * 1000)
            paints.append(float(page.evaluate(PAINT)))
            if opening == OPENINGS - 1:
                _moves(page)
            strangers += [url for url in asked if urlsplit(url).netloc != urlsplit(visitor.url).netloc]
            page.context.close()
        emit("map", "first_paint_p50", percentile(paints, 0.5), "ms")
        emit("map", "first_paint_max", max(paints), "ms")
        emit("map", "markers_p50", percentile(ready, 0.5), "ms")
        emit("map", "foreign_requests", len(strangers), "requests")
        chrome.close()


def _page(chrome: Any, visitor: stage.Browser) -> tuple[Any, list[str]]:
    """A page of somebody who is logged in, on a slow machine, and the addresses that it asks for."""
    context = chrome.new_context(viewport=SIZE, locale="ja-JP")
    cookies = [{"name": one.name, "value": one.value or "", "url": visitor.url} for one in visitor.session.cookies]
    context.add_cookies(cookies)
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url) if request.url.startswith("http") else None)
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return page, asked


def _moves(page: Any) -> None:
    page.wait_for_load_state("networkidle")
    pans = [(160 * (-1) ** (turn // 2), 90 * (-1) ** turn, 0) for turn in range(ROUNDS)]
    zooms = [(0, 0, 1 if turn % 4 < 2 else -1) for turn in range(ROUNDS)]
    for name, steps, rest_ms in (
        ("pan", pans, REST_MS),
        ("zoom", zooms, REST_MS),
        ("pan_in_a_row", pans, 0),
        ("zoom_in_a_row", zooms, 0),
    ):
        took = []
        for step in steps:
            took.append(float(page.evaluate(MOVE, list(step))))
            page.wait_for_timeout(rest_ms)
        emit("map", f"{name}_p50", percentile(took, 0.5), "ms")
        emit("map", f"{name}_p95", percentile(took, 0.95), "ms")


def _site(number: int) -> Any:
    chance = random.Random(number)
    place = [136.003 + chance.random() * 0.055, 31.503 + chance.random() * 0.03]
    return shelters.create(uuid7(), CITY, {"name": f"避難所{number + 1}", "location": place, "capacity": 200})


def _city() -> Path:
    import hazard_data

    return Path(str(hazard_data.__file__)).parent


def _chromium() -> tuple[Any, str]:
    """What starts a browser, and which. Raises CommandFailed where there is none."""
    program = os.environ.get("TOMOSHIBI_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise CommandFailed(
            "no_playwright", "bench map needs playwright", "Install it: pip install playwright."
        ) from error
    if program is None:
        raise CommandFailed(
            "no_chromium", "bench map needs a Chromium", "Install it, or name it in TOMOSHIBI_CHROMIUM."
        )
    return sync_playwright, program
