"""What was written apart, what cannot both be so, a disaster that was opened twice, and handing all of it over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.people import HQ, SITTINGS, TABLET, Visitor, Visitors
from tests.integration.cluster import Cluster, NodeProcess, eventually, new_id

pytestmark = pytest.mark.deep  # `make test` has no time for one more city of processes

PAGES = ("conflicts", "contradictions", "handovers", "handovers/new", "teams", "joins")
FAULTS_ONLY = {"resultTypes": ["violations"]}


def split(node: NodeProcess, path: str, *forms: dict[str, Any]) -> None:
    """Write each as somebody who has seen what stands there now, and nothing of the others."""
    seen = node.call("GET", path)
    for form in forms:
        answer = node.call("PATCH", path, form, If_Match=seen.headers["ETag"])
        assert answer.status_code == 200, answer.text


def order(city: Cluster, text: str, **more: str) -> None:
    """An instruction for the first terminal."""
    node = next(one["id"] for one in city.hub.every("nodes") if one["name"] == city.terminals[0].name)
    city.hub.post("instructions", {"incident_id": city.incident, "text": text, "recipients": [node], **more})


@pytest.fixture
def report(city: Cluster) -> Iterator[str]:
    made = city.report(city.hub, "柳橋の冠水")["id"]
    yield str(made)


@pytest.fixture
def twin(visitors: Visitors, city: Cluster) -> Iterator[str]:
    """A disaster opened a second time, at a terminal; closed again: a login leads to the only one that runs."""
    visitors.at(city.hub, HQ)  # logged in before: with two that run, a login leads to the list of them
    with city.second_incident(city.terminals[0], "西の端末が開いた台風", "typhoon") as made:
        yield made


def test_what_was_written_apart_shows_the_dangerous_value_until_one_tap_settles_it(
    visitors: Visitors, city: Cluster, report: str
) -> None:
    split(city.hub, f"damage-reports/{report}", {"passability": "passable"}, {"passability": "impassable"})
    hq = visitors.at(city.hub, HQ)
    expect(hq.page.locator("#waiting")).to_contain_text("食い違い")
    hq.go("/conflicts")
    entry = hq.page.locator(f"#c-{report}")
    expect(entry.locator(".side.in-force .value")).to_have_text("通行できない")
    expect(entry.locator(".side")).to_have_count(2)
    hq.forget_taps()
    entry.locator(".side:not(.in-force) button").click()
    expect(hq.page.locator(f"#c-{report}")).to_have_count(0)
    assert hq.taps() == 1
    assert city.hub.get(f"damage-reports/{report}")["passability"] == "passable"
    assert hq.faults == []


@pytest.mark.deep
def test_two_tablets_that_edit_one_report_apart_both_keep_their_words(
    visitors: Visitors, city: Cluster, report: str
) -> None:
    first, second = (visitors.at(terminal, TABLET) for terminal in city.terminals)
    for terminal in city.terminals:
        eventually(lambda node=terminal: node.call("GET", f"damage-reports/{report}").status_code == 200, 10, "arrived")
    city.hub.kill()
    for visitor, words in ((first, "ひざまで"), (second, "腰まで")):
        visitor.go(f"/damage-reports/{report}/edit")
        visitor.page.fill("[name=summary]", words)
        visitor.page.locator("form.report button.primary, form button.primary").last.click()
        expect(visitor.page.locator(".flash")).to_contain_text("この端末に保存済み")
    city.hub.start()
    for visitor in (first, second):
        visitor.go("/conflicts")
        entry = visitor.page.locator(f"#c-{report}")
        expect(entry).to_contain_text("ひざまで", timeout=20_000)
        expect(entry).to_contain_text("腰まで", timeout=20_000)
    second.page.locator(f"#c-{report} .side", has_text="ひざまで").get_by_role("button").click()
    expect(second.page.locator(f"#c-{report}")).to_have_count(0)
    expect(first.page.locator(f"#c-{report}")).to_have_count(0, timeout=20_000)
    assert first.faults == second.faults == []


@pytest.mark.deep
def test_the_second_window_of_one_hub_sees_what_the_first_wrote_and_keeps_its_own(
    visitors: Visitors, city: Cluster, report: str
) -> None:
    first, second = visitors.at(city.hub, HQ), visitors.at(city.hub, HQ)
    for window in (first, second):
        window.go(f"/damage-reports/{report}/edit")
    for window, words in ((first, "一つ目の窓"), (second, "二つ目の窓")):
        window.page.fill("[name=summary]", words)
        window.page.locator("form.report button.primary, form button.primary").last.click()
        window.page.wait_for_url(re.compile(r"/damage-reports/[0-9a-f-]{36}$"))
    strip = second.page.locator(".conflict")
    expect(strip.locator(".side")).to_have_count(2)
    expect(strip).to_contain_text("一つ目の窓")
    expect(strip).to_contain_text("二つ目の窓")
    expect(first.page.locator(".conflict")).to_contain_text("二つ目の窓", timeout=10_000)
    strip.locator(".side.in-force button").click()
    expect(first.page.locator(".conflict")).to_have_count(0, timeout=10_000)


@pytest.mark.deep
def test_a_note_written_while_cut_off_is_taken_over_at_hq(visitors: Visitors, city: Cluster) -> None:
    patrol = visitors.at(city.terminals[0], TABLET)
    hq = visitors.at(city.hub, HQ)
    hq.go("/handovers")
    city.hub.kill()
    patrol.go("/handovers/new")
    patrol.page.fill("[name=text]", "土のうは西倉庫に 40 袋。鍵は当直へ。")
    patrol.page.get_by_role("button", name="この内容で引き継ぐ").click()
    expect(patrol.page.locator("#handover")).to_contain_text("まだ引き継がれていません")
    city.hub.start()
    hq.go("/handovers")
    row = hq.page.locator("#handovers li", has_text="西倉庫")
    expect(row).to_be_visible(timeout=20_000)
    row.get_by_role("link").click()
    hq.page.fill("[name=taken_note]", "受け取りました")
    with hq.page.expect_response(re.compile("part=body")):  # what is typed outlives a page that is drawn anew
        order(city, "西倉庫を開ける")
    hq.page.wait_for_timeout(300)  # the answer is drawn by now
    hq.page.get_by_role("button", name="引き継ぎます").click()
    expect(hq.page.locator("#handover")).to_contain_text("が引き継いだ")
    expect(patrol.page.locator("#handover")).to_contain_text("受け取りました", timeout=20_000)
    assert hq.faults == patrol.faults == []


@pytest.mark.deep
def test_a_disaster_opened_twice_is_joined_and_parted_at_hq(visitors: Visitors, city: Cluster, twin: str) -> None:
    terminal = city.terminals[0]
    said = {"id": new_id(), "incident_id": twin, "category": "tree", "summary": "西通りの倒木"}
    assert terminal.call("POST", "damage-reports", said).status_code == 201
    eventually(lambda: city.hub.call("GET", f"damage-reports/{said['id']}").status_code == 200, 15, "it arrived")
    hq = visitors.at(city.hub, HQ)
    hq.go("/joins")
    hq.page.locator("li", has_text="西の端末が開いた台風").get_by_role("button", name="ここにまとめる").click()
    expect(hq.page.locator(".flash")).to_contain_text("まとめました")
    hq.go("/damage-reports")
    expect(hq.page.locator("main")).to_contain_text("西通りの倒木")
    hq.page.locator(f"#row-{said['id']} a").first.click()
    expect(hq.page).to_have_url(re.compile(f"/incidents/{twin}/damage-reports/{said['id']}"))
    hq.go("/joins")
    hq.page.locator("li", has_text="西の端末が開いた台風").get_by_role("button", name="分ける").click()
    expect(hq.page.locator(".flash")).to_contain_text("分けました")
    hq.go("/damage-reports")
    expect(hq.page.locator("main")).not_to_contain_text("西通りの倒木")
    assert hq.faults == []


def furnish(city: Cluster) -> None:
    """Something on each of the pages."""
    hub = city.hub
    report = city.report(hub, "左岸の漏水")["id"]
    split(
        hub, f"damage-reports/{report}", {"urgency": "green"}, {"urgency": "red", "address": "葦原町二丁目 左岸 4.2k"}
    )
    order(city, "排水ポンプを回す", damage_report_id=report)
    split(hub, f"damage-reports/{report}", {"response_status": "done"})
    full = hub.post("shelters", {"name": "葦原小学校", "capacity": 120})["id"]
    hub.post("shelter-openings", {"incident_id": city.incident, "shelter_id": full, "opening_status": "open"})
    hub.post("head-counts", {"incident_id": city.incident, "shelter_id": full, "total": 184})
    team = hub.post("teams", {"name": "巡回2班", "place": "市役所西口"})["id"]
    hub.post("staff", {"name": "応援の田中", "team": team})
    hub.post(
        "handover-notes",
        {"incident_id": city.incident, "text": "左岸 4.2k を 30 分ごとに見る。\n土のうは西倉庫。", "team": team},
    )


@pytest.fixture(scope="module")
def furnished(city: Cluster) -> Cluster:
    if city.hub.process is None or city.hub.process.poll() is not None:
        city.hub.start()
    furnish(city)
    return city


def more_pages(city: Cluster) -> list[tuple[str, str]]:
    note = city.hub.every("handover-notes")[0]["id"]
    team = city.hub.every("teams")[-1]["id"]
    found = [(f"/{name}", name.replace("/", "-")) for name in PAGES]
    return [*found, (f"/handovers/{note}", "handover"), (f"/teams/{team}", "team")]


@pytest.mark.deep
@pytest.mark.parametrize(("size", "dark"), SITTINGS)
def test_the_pages_look_right_and_axe_finds_nothing_serious(
    visitors: Visitors, furnished: Cluster, twin: str, pictures: Path, size: Any, dark: bool
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    visitor: Visitor = visitors.at(furnished.hub, size, dark=dark)
    serious = {}
    for path, name in more_pages(furnished):
        visitor.go(path)
        assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        visitor.page.screenshot(path=str(pictures / f"{name}-{size[0]}-{'night' if dark else 'day'}.png"))
        for fault in Axe().run(visitor.page, options=FAULTS_ONLY).response["violations"]:
            if fault["impact"] in ("serious", "critical"):
                serious[name] = [fault["id"], [node["html"][:120] for node in fault["nodes"][:3]]]
    assert serious == {}
    assert visitor.faults == []
