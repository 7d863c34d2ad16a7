"""Draws the pictures of the README: runs the demo, files reports and opens two of its pages in Chromium.

`.venv/bin/python docs/images/make.py` writes both files beside this one. Needs Chromium and the `dev` packages.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
BYTES_MAX = 300_000
COLOURS = 96
READY_S_MAX = 60
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars")
COMMANDER, PATROL = "佐久間", "梶原"
SEEN = {"certainty": "seen"}
REPORTS: tuple[dict[str, Any], ...] = (
    {"category": "flood", "summary": "床下浸水が3軒", "address": "葦原3丁目", "urgency": "yellow", **SEEN},
    {"category": "road", "summary": "冠水のため通れない", "address": "下河原アンダーパス", "urgency": "red"}
    | {"passability": "impassable", "water_depth_cm": 130, **SEEN},
    {"category": "road", "summary": "倒木が片側をふさぐ", "address": "県道12号 新田交差点", "urgency": "yellow"}
    | {"passability": "one_lane", "certainty": "hearsay"},
    {"category": "flood", "summary": "水路があふれそう", "address": "川辺小学校の北", "urgency": "green"},
    {"category": "flood", "summary": "2階に1人取り残されている", "address": "川辺2丁目", "urgency": "red"}
    | {"rescue_needed": True, "water_depth_cm": 90, "certainty": "hearsay"},
)
ANSWERS = ((0, "in_progress"), (2, "done"))
TALK = ((PATROL, "下河原アンダーパスは胸より上まで水があります。通行止めにしました。"),)
ORDER = "了解。川辺2丁目へ消防が向かいます。巡回3班は北側の道を確かめてください。"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8640, help="port of the demo's hub; two more follow it")
    port = parser.parse_args().port
    with demo(port) as (home, passphrases):
        incident = file_reports(home, port)
        with sync_playwright() as playwright, chromium(playwright) as browser:
            draw(browser, port, COMMANDER, passphrases, f"/incidents/{incident}", "front.png", (1920, 1080), 1)
            form = f"/incidents/{incident}/damage-reports/new"
            draw(browser, port + 1, PATROL, passphrases, form, "report-form.png", (412, 915), 2)


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
    ids = [patrol("POST", "damage-reports", {"incident_id": incident, **report})["id"] for report in REPORTS]
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


def api(home: Path, port: int, name: str) -> Any:
    command = [sys.executable, "-m", "app", "--home", str(home), "token", "create", "--user", name]
    token = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=True).stdout.strip()
    session = requests.Session()
    session.trust_env = False
    session.headers.update({"Authorization": f"Bearer {token}", "If-Match": "*"})

    def call(method: str, path: str, document: Any = None) -> Any:
        answer = session.request(method, f"http://localhost:{port}/api/v1/{path}", json=document, timeout=20)
        answer.raise_for_status()
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
    scale: int,
) -> None:
    url = f"http://localhost:{port}"
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=scale,
        locale="ja-JP",
        timezone_id="Asia/Tokyo",
        color_scheme="light",
    )
    context.add_cookies([{"name": "tomoshibi_palette", "value": "standard", "url": url}])
    page = context.new_page()
    log_in(page, url, name, passphrases[name])
    answer = page.goto(url + path)
    if answer is None or not answer.ok:
        raise SystemExit(f"{path} was not drawn")
    if file == "report-form.png":
        page.locator("#f-address").fill("下河原アンダーパス")
        page.locator("label.tile").first.click()
    page.wait_for_timeout(1_500)  # the fragments that a first doorbell asks for
    page.evaluate("document.querySelector('#messages')?.scrollTo(0, 1e6)")
    page.evaluate("scrollTo(0, 0)")
    target = HERE / file
    page.screenshot(path=target, animations="disabled")
    context.close()
    with Image.open(target) as whole:  # a form on paper has few colours, a map with hatches many bytes
        small = whole.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
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
