"""Draws the pictures of the README: runs the demo, files reports and opens three of its pages in Chromium.

`.venv/bin/python docs/images/make.py` writes the files beside this one. Needs Chromium and the `dev` packages. The
photo in them is painted here: no real place and no real person.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
BYTES_MAX = 300_000
COLOURS = 256
READY_S_MAX = 60
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars")
COMMANDER, PATROL = "佐久間", "梶原"
SEEN = {"certainty": "seen"}
UNDERPASS = (136.026947, 31.516396)  # 柳橋アンダーパス of hazard_data
REPORTS: tuple[dict[str, Any], ...] = (
    {"category": "flood", "summary": "床下浸水が3軒", "address": "葦原第二小学校の東", "urgency": "yellow", **SEEN}
    | {"lonlat": (136.0146, 31.5262)},
    {"category": "road", "summary": "冠水のため通れない", "address": "柳橋アンダーパス", "urgency": "red"}
    | {"passability": "impassable", "water_depth_cm": 130, "lonlat": UNDERPASS, **SEEN},
    {"category": "road", "summary": "倒木が片側をふさぐ", "address": "県道12号 新田交差点", "urgency": "yellow"}
    | {"passability": "one_lane", "certainty": "hearsay", "lonlat": (136.0160, 31.5222)},
    {"category": "flood", "summary": "水路があふれそう", "address": "川辺小学校の北", "urgency": "green"}
    | {"lonlat": (136.0330, 31.5107)},
    {"category": "flood", "summary": "2階に1人取り残されている", "address": "川辺2丁目", "urgency": "red"}
    | {"rescue_needed": True, "water_depth_cm": 90, "certainty": "hearsay", "lonlat": (136.0262, 31.5102)},
)
PHOTOGRAPHED = 1  # its place among the reports
ANSWERS = ((0, "in_progress"), (2, "done"))
TALK = ((PATROL, "柳橋アンダーパスは胸より上まで水があります。通行止めにしました。"),)
ORDER = "了解。川辺2丁目へ消防が向かいます。巡回3班は北側の道を確かめてください。"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8640, help="port of the demo's hub; two more follow it")
    port = parser.parse_args().port
    with demo(port) as (home, passphrases):
        incident = file_reports(home, port)
        with sync_playwright() as playwright, chromium(playwright) as browser:
            here, form = f"/incidents/{incident}", f"/incidents/{incident}/damage-reports/new"
            lon, lat = UNDERPASS
            at = f"{here}/map?at={lon},{lat},16"
            draw(browser, port, COMMANDER, passphrases, here, "front.png", (1920, 1080), 1, settled)
            draw(browser, port + 1, PATROL, passphrases, at, "map.png", (1280, 800), 1.25, tap_the_pin)
            draw(browser, port + 1, PATROL, passphrases, form, "report-form.png", (412, 915), 2, photograph)


@contextlib.contextmanager
def demo(port: int) -> Iterator[tuple[Path, dict[str, str]]]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "demo"
        arguments = [sys.executable, "-m", "app", "demo", "--port", str(port), "--dir", str(home)]
        process = subprocess.Popen(arguments, cwd=HERE.parents[1], stdout=subprocess.DEVNULL)
        try:
            logins = home / "logins.json"
            wait_for(lambda: logins.exists() and logins.stat().st_size > 0, "the demo is ready")
            yield home, json.loads(logins.read_text("utf-8"))
        finally:
            process.terminate()
            process.wait(30)


def file_reports(home: Path, port: int) -> str:
    """What the pictures show: reports of the patrol, answers of HQ, some talk. Returns the incident's id."""
    patrol, headquarters = api(home / "terminal-a", port + 1, PATROL), api(home / "hub", port, COMMANDER)
    incident = headquarters("GET", "incidents")["items"][0]["id"]
    wait_for(
        lambda: len(patrol("GET", f"shelter-openings?incident_id={incident}&limit=500")["items"]) == 28, "shelters"
    )
    ids = [file_report(patrol, incident, number) for number in range(len(REPORTS))]
    where = f"damage-reports?incident_id={incident}"
    wait_for(lambda: len(headquarters("GET", where)["items"]) == len(ids), "the reports reach HQ")
    for number, status in ANSWERS:
        headquarters("PATCH", f"damage-reports/{ids[number]}", {"response_status": status})
    channel = next(item["id"] for item in headquarters("GET", "channels")["items"] if item["name"] == "本部と現場")
    for _, text in TALK:
        patrol("POST", "chat-messages", {"channel_id": channel, "text": text})
    wait_for(lambda: len(headquarters("GET", f"chat-messages?incident_id={incident}")["items"]) == 2, "the talk")
    headquarters("POST", "chat-messages", {"channel_id": channel, "text": ORDER})
    wait_for(lambda: patrol("GET", "status")["digest"] == headquarters("GET", "status")["digest"], "equal nodes")
    return str(incident)


def file_report(patrol: Any, incident: str, number: int) -> Any:
    report = {"incident_id": incident, "accuracy_m": 12, "location_source": "gps", **REPORTS[number]}
    report["location"] = {"type": "Point", "coordinates": report.pop("lonlat")}
    if number == PHOTOGRAPHED:
        report["attachments"] = [patrol("POST", "attachments", file=painted())["sha256"]]
    return patrol("POST", "damage-reports", report)["id"]


def painted() -> bytes:
    """A picture of a flooded underpass, as a camera might give it."""
    size = (1600, 1200)
    picture = Image.new("RGB", size, "#9aa7b0")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 430, 1600, 1200), fill="#5d5f5c")  # ground
    pen.polygon([(0, 330), (620, 470), (620, 820), (0, 1200)], fill="#84857f")  # walls of the ramp
    pen.polygon([(1600, 330), (980, 470), (980, 820), (1600, 1200)], fill="#767872")
    pen.rectangle((520, 380, 1080, 480), fill="#4a5157")  # the bridge and its shadow
    pen.rectangle((620, 480, 980, 700), fill="#22272a")
    pen.rectangle((690, 402, 910, 458), fill="#e8e4d4")
    pen.text((712, 408), "H 3.8 m", fill="#23292e", font_size=44)
    pen.polygon([(240, 560), (300, 575), (300, 900), (240, 930)], fill="#d8d3c2")  # the depth gauge on the wall
    for mark in range(4):
        pen.line((240, 636 + mark * 62, 300, 642 + mark * 60), fill="#b3261e", width=10)
    pen.polygon([(0, 960), (620, 640), (980, 640), (1600, 960), (1600, 1200), (0, 1200)], fill="#6a5a41")  # water
    pen.polygon([(620, 640), (980, 640), (940, 800), (660, 800)], fill="#453d31")  # the dark of the bridge in it
    chance = random.Random(1)
    for _ in range(420):
        y = 650 + 540 * chance.random() ** 0.7
        x, half = 800 + (y - 560) * chance.uniform(-2.4, 2.4), (y - 560) * chance.uniform(0.02, 0.16)
        pen.line((x - half, y, x + half, y + 1), fill=chance.choice(("#7c6d54", "#5e5039", "#8b7d66")), width=3)
    soft = picture.filter(ImageFilter.GaussianBlur(2.2))
    out = io.BytesIO()
    Image.blend(soft, Image.effect_noise(size, 60).convert("RGB"), 0.06).save(out, "JPEG", quality=88)
    return out.getvalue()


def settled(page: Page) -> None:
    page.locator("#map_tomoshibi .map-mark.is-report").first.wait_for(timeout=20_000)


def tap_the_pin(page: Page) -> None:
    """The report in the middle, with the depth there and the shelters near it."""
    settled(page)
    page.locator("#map_tomoshibi").click()
    page.locator("#map-panel .map-card").wait_for(timeout=20_000)
    page.locator("#map-panel .depth-answer").wait_for(timeout=20_000)


def photograph(page: Page) -> None:
    photo = {"name": "camera.jpg", "mimeType": "image/jpeg", "buffer": painted()}
    page.locator("[data-take] input").set_input_files([photo])
    page.locator("input[name=attachments]:not([disabled])").wait_for(state="attached", timeout=20_000)
    page.locator("label.tile").first.click()


def api(home: Path, port: int, name: str) -> Any:
    command = [sys.executable, "-m", "app", "--home", str(home), "token", "create", "--user", name]
    token = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=True).stdout.strip()
    session = requests.Session()
    session.trust_env = False
    session.headers.update({"Authorization": f"Bearer {token}", "If-Match": "*"})

    def call(method: str, path: str, document: Any = None, file: bytes | None = None) -> Any:
        sent: dict[str, Any] = {"json": document} if file is None else {"files": {"file": file}}
        answer = session.request(method, f"http://localhost:{port}/api/v1/{path}", **sent, timeout=20)
        if not answer.ok:
            raise SystemExit(f"{path}: {answer.text}")
        return answer.json()

    return call


@contextlib.contextmanager
def chromium(playwright: Any) -> Iterator[Browser]:
    program = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
    try:
        yield browser
    finally:
        browser.close()


def draw(
    browser: Browser,
    port: int,
    name: str,
    passphrases: dict[str, str],
    path: str,
    file: str,
    size: tuple[int, int],
    scale: float,
    act: Callable[[Page], None],
) -> None:
    url = f"http://localhost:{port}"
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=scale,
        locale="ja-JP",
        timezone_id="Asia/Tokyo",
        color_scheme="light",
        permissions=["geolocation"],
        geolocation={"longitude": UNDERPASS[0], "latitude": UNDERPASS[1], "accuracy": 12},
    )
    context.add_cookies([{"name": "tomoshibi_palette", "value": "standard", "url": url}])
    page = context.new_page()
    log_in(page, url, name, passphrases[name])
    answer = page.goto(url + path)
    if answer is None or not answer.ok:
        raise SystemExit(f"{path} was not drawn")
    act(page)
    page.wait_for_timeout(1_500)  # the fragments that a first doorbell asks for
    page.evaluate("document.querySelector('#messages')?.scrollTo(0, 1e6)")
    page.evaluate("scrollTo(0, 0)")
    target = HERE / file
    page.screenshot(path=target, animations="disabled")
    context.close()
    with Image.open(target) as whole:  # a form on paper has few colours, a map with hatches many bytes
        small = whole.convert("RGB").quantize(COLOURS, kmeans=2, dither=Image.Dither.NONE)
    small.save(target, optimize=True)
    if target.stat().st_size > BYTES_MAX:
        raise SystemExit(f"{file} is larger than {BYTES_MAX:,} bytes")
    print(f"{target.name}: {target.stat().st_size:,} bytes")


def log_in(page: Page, url: str, name: str, passphrase: str) -> None:
    page.goto(f"{url}/login")
    page.locator("[name=name]").fill(name)
    page.locator("[name=passphrase]").fill(passphrase)
    page.locator("form.login button.primary").click()
    page.wait_for_url("**/incidents**")


def wait_for(check: Any, what: str) -> None:
    deadline = time.monotonic() + READY_S_MAX
    while not check():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {READY_S_MAX} s: {what}")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
