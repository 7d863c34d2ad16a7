"""Call-outs on real nodes: HQ calls out, the tablet of who is called sounds, one tap answers, and HQ's board moves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.people import HQ, PHONE, TABLET, Visitors
from tests.integration.cluster import Cluster, cluster, eventually

pytestmark = pytest.mark.deep  # `make test` has no time for one more city of processes

NOTE_SOUNDS = """
window.sounds = [];
document.addEventListener("tomoshibi:sound", (event) => window.sounds.push(event.detail));
"""


@pytest.fixture(scope="session")
def city(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One of its own: another register would be counted with this one."""
    with cluster(tmp_path_factory.mktemp("city"), terminals=1) as built:
        yield built


@pytest.fixture(scope="module")
def staffed(city: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A register of three hundred, in which whoever sits at the first terminal stands as well."""
    city.hub.post("teams", {"name": "巡回3班"})
    people = [(f"職員 {n}", "第2配備") for n in range(299)] + [(f"巡回 {city.terminals[0].name}", "第1配備")]
    path = tmp_path_factory.mktemp("staff") / "職員名簿.csv"
    lines = [f"{name},{level},巡回3班,市役所3階\n" for name, level in people]
    path.write_text("氏名,配備区分,班,参集場所\n" + "".join(lines), "utf-8")
    assert city.hub.json("import", "staff", str(path))["created"] == len(people)
    eventually(lambda: len(city.terminals[0].every("staff")) == len(people), 30, "the register is on the tablet")
    return city


def test_a_call_out_sounds_on_the_tablet_and_one_tap_moves_the_board_of_hq(
    visitors: Visitors, staffed: Cluster
) -> None:
    hq, tablet = visitors.at(staffed.hub, HQ), visitors.at(staffed.terminals[0], TABLET)
    tablet.page.add_init_script(NOTE_SOUNDS)
    tablet.go("/chronicle")
    tablet.page.locator("h1").first.click()
    hq.go("/musters/new")
    hq.page.locator("label.choice:has(input[name=level][value=second])").click()
    expect(hq.page.locator("label.choice:has(input[value=second])")).to_contain_text("300人")
    hq.page.get_by_role("button", name="参集をかける").click()
    hq.page.wait_for_url(re.compile(r"/musters/[0-9a-f-]{36}$"))
    expect(hq.page.locator(".muster-filters")).to_contain_text("未回答 300")
    eventually(lambda: tablet.page.evaluate("window.sounds.includes('urgent')"), 10, "the tablet sounds")
    tablet.go("/musters")
    tablet.page.get_by_role("link", name="回答する").click()
    tablet.forget_taps()
    tablet.page.get_by_role("button", name="30分").click()
    tablet.page.wait_for_url(re.compile(r"/musters/[0-9a-f-]{36}$"))
    assert tablet.taps() == 1
    expect(hq.page.locator(".muster-filters")).to_contain_text("遅れる 1")
    expect(hq.page.locator(".muster-teams")).to_contain_text("299")
    hq.page.fill("[name=words]", "職員 123")
    hq.page.get_by_role("button", name="絞る").click()
    expect(hq.page.locator(".muster-board .rows > li")).to_have_count(1)
    hq.page.locator(".muster-board .rows a").click()
    hq.page.get_by_role("button", name="参集できる").click()  # heard by telephone
    expect(hq.page.locator(".muster-filters")).to_contain_text("できる 1")
    assert hq.faults == [] and tablet.faults == []


@pytest.mark.deep
@pytest.mark.parametrize(("size", "dark"), [(PHONE, True), (TABLET, False), (HQ, False)], ids=["phone", "tablet", "hq"])
def test_the_pages_of_a_call_out_keep_nobody_out(
    visitors: Visitors, staffed: Cluster, pictures: Path, size: tuple[int, int], dark: bool
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    visitor = visitors.at(staffed.hub, size, dark)
    muster = staffed.hub.post("musters", {"incident_id": staffed.incident, "level": "first"})["id"]
    person = staffed.hub.get("staff?limit=1")["items"][0]["id"]
    paths = [
        "/musters", "/musters/new", f"/musters/{muster}", f"/musters/{muster}/people/{person}",
        f"/musters/{muster}/safety", f"/musters/{muster}/tree", "/staff", f"/staff/new?support=1&muster={muster}",
        f"/staff/{person}",
    ]  # fmt: skip
    faults = {}
    for path in paths:
        visitor.go(path)
        found = Axe().run(visitor.page, options={"resultTypes": ["violations"]}).response["violations"]
        if serious := [
            (one["id"], one["nodes"][0]["html"][:160]) for one in found if one["impact"] in ("serious", "critical")
        ]:
            faults[path] = serious
        if (overflow := visitor.page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
            faults[f"{path} is too wide"] = overflow
        name = re.sub(r"[0-9a-f-]{36}", "x", path.partition("?")[0]).strip("/").replace("/", "-")
        visitor.page.screenshot(path=pictures / f"{name}-{size[0]}.png")
    visitor.at("/answer/no-such-link")
    assert "このリンクは使えません" in visitor.page.content()
    assert faults == {} and visitor.faults == []
