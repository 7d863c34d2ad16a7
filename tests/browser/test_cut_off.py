"""Ten reports with photos of 1 MB, filed in a browser with no network; browser and node are killed; the link returns.

All arrive once, with the bytes that the patrol's node kept, and the text of every report before any photo.
"""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import FLAGS, chromium_program
from tests.browser.people import PHONE, Visitor, Visitors
from tests.integration.cluster import Cluster, cluster, eventually
from tests.integration.pictures import fetched, is_here, photo
from tests.integration.proxy import BlackHoleProxy

REPORTS, KILLED_IN_THE_SIXTH = 10, 5
LINE_BYTES_S = 2_500_000  # 20 Mbit/s
PHOTO_BYTES_MIN = 900_000


@dataclass
class Browser:
    """A Chromium of its own, which can be killed as the system kills one: kill -9, no word to its pages."""

    program: str
    other: Any  # the browser of the session: of its kind this one is
    profile: Path
    process: subprocess.Popen[bytes] | None = None
    opened: list[Any] = field(default_factory=list)

    def start(self) -> Any:
        (self.profile / "DevToolsActivePort").unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [self.program, "--headless=new", *FLAGS.split(), "--remote-debugging-port=0",
             f"--user-data-dir={self.profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        port = eventually(self._port, 20, "the browser says where it listens")
        self.opened.append(self.other.browser_type.connect_over_cdp(f"http://127.0.0.1:{port}"))
        return self.opened[-1]

    def _port(self) -> str | None:
        told = self.profile / "DevToolsActivePort"
        lines = told.read_text("utf-8").splitlines() if told.exists() else []
        return lines[0] if len(lines) > 1 else None

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def browser(chromium: Any, tmp_path: Path) -> Iterator[Browser]:
    """``chromium`` says that there is one."""
    started = Browser(chromium_program() or "", chromium, tmp_path / "profile")
    yield started
    if started.process is not None and started.process.poll() is None:
        started.kill()


@pytest.fixture
def far(chromium: Any, tmp_path: Path) -> Iterator[tuple[Cluster, BlackHoleProxy]]:
    """A hub and a terminal between which nothing passes."""
    with cluster(tmp_path, terminals=1) as city:
        proxy = BlackHoleProxy(city.hub.port, LINE_BYTES_S)
        proxy.swallow()
        patrol = city.terminals[0]
        patrol.stop()
        patrol.extra["TOMOSHIBI_HUB_URL"] = proxy.url
        patrol.start()
        yield city, proxy
        proxy.close()


def photograph(visitor: Visitor, number: int, camera: Path) -> None:
    path = camera / f"{number}.jpg"
    path.write_bytes(photo(number))
    assert path.stat().st_size > PHOTO_BYTES_MIN
    visitor.go("/damage-reports/new")
    visitor.page.locator("[data-take] input").set_input_files(str(path))
    expect(visitor.page.locator("input[name=attachments]:not([disabled])")).to_have_count(1, timeout=15_000)
    with visitor.page.expect_response(kept_with_its_category):  # not the draft of the photo, which was under way
        visitor.page.locator("label.tile:has(input[value=flood])").click()


def kept_with_its_category(answer: Any) -> bool:
    return "/drafts/" in answer.url and answer.ok and '"flood"' in (answer.request.post_data or "")


def send(visitor: Visitor) -> str:
    visitor.page.get_by_role("button", name="送る").click()
    visitor.page.wait_for_url("**/saved")
    expect(visitor.page.locator("#delivery")).to_contain_text("写真・声 1件")
    return str(visitor.page.url.split("/")[-2])


@pytest.mark.deep
def test_ten_reports_filed_in_a_browser_outlive_the_kill_of_browser_and_node(
    far: tuple[Cluster, BlackHoleProxy], browser: Browser, tmp_path: Path
) -> None:
    (city, proxy), sessions, reports = far, {}, []
    hub, terminal = city.hub, city.terminals[0]
    patrol = Visitors(browser.start(), city, sessions).at(terminal, PHONE)
    for number in range(KILLED_IN_THE_SIXTH):
        photograph(patrol, number, tmp_path)
        reports.append(send(patrol))
    photograph(patrol, KILLED_IN_THE_SIXTH, tmp_path)
    browser.kill()
    terminal.kill()
    terminal.start()

    patrol = Visitors(browser.start(), city, sessions).at(terminal, PHONE)
    patrol.go("/damage-reports/new")
    expect(patrol.page.locator("input[value=flood]")).to_be_checked()
    expect(patrol.page.locator("[data-shot-image]")).to_have_count(1)
    reports.append(send(patrol))
    for number in range(KILLED_IN_THE_SIXTH + 1, REPORTS):
        photograph(patrol, number, tmp_path)
        reports.append(send(patrol))
    terminal.kill()
    browser.kill()
    terminal.start()

    kept = {report: terminal.get(f"damage-reports/{report}")["attachments"] for report in reports}
    names = [sha256 for (sha256,) in kept.values()]
    assert len(set(reports)) == len(set(names)) == REPORTS
    assert terminal.status()["blobs"]["unsent"] == REPORTS
    proxy.pass_on()
    _await_photos(city, names)
    assert {item["id"]: item["attachments"] for item in hub.every("damage-reports")} == kept
    for sha256 in names:
        assert hashlib.sha256(fetched(hub, sha256) or b"").hexdigest() == sha256
    city.await_equal(within_s=10)


def _await_photos(city: Cluster, names: list[str]) -> None:
    def all_here() -> bool:
        here = [sha256 for sha256 in names if is_here(city.hub, sha256)]
        if here:
            assert len(city.hub.every("damage-reports")) == REPORTS, "a photo came before the text of all reports"
        return len(here) == REPORTS

    began = time.monotonic()
    eventually(all_here, 120, "every photo at the hub")
    print(f"{REPORTS} photos were at the hub {time.monotonic() - began:.1f} s after the link was back")
