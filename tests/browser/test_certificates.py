"""A browser at HQ with and without its certificate, and a tablet's pages when somebody else answers for the hub."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.tls import held
from tests.browser.people import HQ, PHONE, TABLET
from tests.integration.cluster import PASSPHRASE, NodeProcess, add_person, eventually, report_document
from tests.integration.lan import LanHub
from tests.unit.app.false_hubs import false_hub, showing

pytestmark = [
    pytest.mark.deep,
    pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning"),
]


@pytest.fixture
def lan(chromium: Any, tmp_path: Path) -> Iterator[tuple[LanHub, NodeProcess, str]]:
    hub, tablet = LanHub("hub", tmp_path / "hub"), NodeProcess("tablet", tmp_path / "tablet")
    hub.command("init", "--role", "hub", "--name", "災害対策本部", "--json")
    tablet.command("init", "--role", "terminal", "--name", "第一小", "--json")
    try:
        hub.start()
        tablet.start()
        tablet.command("enrol", "--hub", hub.url, "--code", hub.json("enrol-code")["code"])
        add_person(hub, "本部花子", "shelter_staff")  # HQ would be asked for a second factor
        add_person(tablet, "避難所太郎", "shelter_staff")
        incident = tablet.post("incidents", {"name": "訓練の台風", "mode": "drill", "kind": "typhoon"})["id"]
        yield hub, tablet, incident
    finally:
        for node in (tablet, hub):
            node.stop()


def page_for(chromium: Any, size: tuple[int, int], *, dark: bool = False, **more: Any) -> Any:
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        locale="ja-JP",
        **more,
    )
    context.set_default_timeout(10_000)
    return context.new_page()


def log_in(page: Any, url: str, name: str) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("名前").first.fill(name)
    page.get_by_label("合言葉").first.fill(PASSPHRASE)
    page.get_by_role("button", name="ログイン").click()
    page.wait_for_url(lambda address: "/login" not in address)


def keep(page: Any, name: str) -> None:
    """A picture for whoever looks at the pages; none where nobody asked."""
    folder = os.environ.get("TOMOSHIBI_PICTURES_OF_TESTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_chromium_comes_in_with_the_file_of_pki_issue_and_reads_a_sentence_without_it(
    chromium: Any, lan: tuple[LanHub, NodeProcess, str], tmp_path: Path
) -> None:
    hub, _, incident = lan
    made = hub.issue("HQ-1")
    bare = page_for(chromium, HQ, ignore_https_errors=True)
    answer = bare.goto(f"{hub.url}/incidents/{incident}")
    assert answer.status == 403
    assert bare.get_by_role("heading").inner_text() == "市の証明書が入っていません"
    keep(bare, "certificate-1920")
    for size, dark in ((TABLET, False), (PHONE, True)):
        other = page_for(chromium, size, dark=dark, ignore_https_errors=True)
        other.goto(f"{hub.url}/")
        keep(other, f"certificate-{size[0]}")
    shown = {
        "origin": hub.url,
        "pfxPath": str(made["folder"] / "browser.p12"),
        "passphrase": made["password"],
    }
    page = page_for(chromium, HQ, client_certificates=[shown], ignore_https_errors=True)
    log_in(page, hub.url, "本部花子")
    page.goto(f"{hub.url}/incidents/{incident}")
    assert page.locator("#sync-badge").is_visible()


def test_a_tablet_says_on_its_pages_that_it_is_not_the_hub_that_answers(
    chromium: Any, lan: tuple[LanHub, NodeProcess, str]
) -> None:
    hub, tablet, incident = lan
    page = page_for(chromium, TABLET)
    log_in(page, tablet.url, "避難所太郎")
    hub.stop()
    hub_id = os.urandom(16)
    false = held.of_root(os.urandom(32), hub_id).renewed(hub_id, "H1", (), time.time_ns() // 1_000_000, hub=True)
    with false_hub(showing(false), hub.port) as foe:
        eventually(lambda: tablet.status()["hub"]["code"] == "hub_other", 20, "the tablet sees who answers")
        tablet.post("damage-reports", report_document(incident, "門が開かない"))
        page.goto(f"{tablet.url}/sync")
        assert page.get_by_text("本部の証明書が違います").first.is_visible()
        keep(page, "false-hub-800")
        for size, dark in ((PHONE, True), (HQ, False)):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.emulate_media(color_scheme="dark" if dark else "light")
            page.goto(f"{tablet.url}/sync" if size == PHONE else f"{tablet.url}/incidents/{incident}")
            keep(page, f"false-hub-{size[0]}")
        assert bytes(foe.heard) == b""
    hub.start()
    page.goto(f"{tablet.url}/sync")
    eventually(lambda: tablet.status()["unsent"] == 0, 20, "the true hub is back")
    page.reload()
    assert page.get_by_text("本部の証明書が違います").count() == 0
