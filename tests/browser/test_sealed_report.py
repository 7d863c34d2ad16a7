"""A caller's name, typed on a tablet: no browser keeps it, HQ opens it, and so does a tablet that was granted a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.people import HQ, PHONE, TABLET, Visitor, Visitors
from tests.integration.cluster import Cluster, eventually

CALLER, HURT = "戸田花子", "負傷者太郎(右足を骨折、中央病院へ)"
STORED = "JSON.stringify(Object.assign({}, localStorage)) + JSON.stringify(Object.assign({}, sessionStorage))"


def typed(patrol: Visitor) -> None:
    page = patrol.page
    patrol.go("/damage-reports/new")
    page.locator(".tile").first.click()
    page.locator(".sealed-part > summary").click()
    page.fill("[name=caller_name]", CALLER)
    page.fill("[name=casualty_names]", HURT)
    page.fill("[name=address]", "柳橋の下")


def report_path(page: Any) -> str:
    return str(page.url.split("/damage-reports/")[1].split("/")[0])


def test_a_callers_name_is_kept_by_the_node_and_by_no_browser_and_opened_by_who_has_the_key(
    visitors: Visitors, city: Cluster
) -> None:
    terminal = city.terminals[0]
    patrol = visitors.at(terminal, PHONE)
    typed(patrol)
    expect(patrol.page.locator("[data-draft-note]")).to_be_visible()
    assert CALLER not in patrol.page.evaluate(STORED) and HURT not in patrol.page.evaluate(STORED)
    patrol.page.context.set_offline(True)
    patrol.page.fill("[name=caller_phone]", "090-0000-4649")
    expect(patrol.page.locator("[data-draft-note].lost")).to_be_visible()
    assert "tomoshibi:kept:" in patrol.page.evaluate(STORED), "the rest of the form is kept, under a seal"
    assert "柳橋の下" not in patrol.page.evaluate(STORED)
    assert "4649" not in patrol.page.evaluate(STORED), "also where the node does not answer"
    patrol.page.context.set_offline(False)
    expect(patrol.page.locator("[data-draft-note].lost")).to_be_hidden()
    patrol.go("/damage-reports/new")
    expect(patrol.page.locator("[name=caller_phone]")).to_have_value("090-0000-4649")
    patrol.page.locator(".actions button.primary").click()
    expect(patrol.page.locator("main")).to_contain_text("封をして保存しました")
    report = report_path(patrol.page)
    commander = visitors.at(city.hub, HQ)
    eventually(lambda: city.hub.found(f"damage-reports/{report}"), 20, "the report is at HQ")
    commander.go(f"/damage-reports/{report}")
    expect(commander.page.locator(".sealed-panel")).to_contain_text("封を開いて見る")
    assert CALLER not in commander.page.content()
    commander.page.locator(".sealed-panel a").click()
    expect(commander.page.locator("[name=caller_name]")).to_have_value(CALLER)
    commander.go("/sealed-reads")
    expect(commander.page.locator("table.reads tbody tr").first).to_contain_text("本部")
    assert terminal.json("grants")["keys"][0]["members"] == [{"node_id": city.hub.status()["node_id"], "label": "H1"}]
    granted = city.hub.json("grant", terminal.status()["label"])
    assert granted["epochs"] == 1
    eventually(lambda: _opens(terminal), 20, "the wrapped key has come to the tablet")
    assert not commander.faults and not commander.strangers and not patrol.strangers


def _opens(node: Any) -> bool:
    return bool(node.json("grants")["holds"])


@pytest.mark.deep
def test_the_pages_of_what_is_sealed_are_photographed(visitors: Visitors, city: Cluster, pictures: Path) -> None:
    patrol = visitors.at(city.terminals[1], PHONE)
    typed(patrol)
    patrol.page.screenshot(path=pictures / "sealed-form-phone.png", full_page=True)
    patrol.page.locator(".actions button.primary").click()
    expect(patrol.page.locator("main")).to_contain_text("封をして保存しました")
    patrol.page.screenshot(path=pictures / "sealed-saved-phone.png", full_page=True)
    report = report_path(patrol.page)
    patrol.go(f"/damage-reports/{report}")
    patrol.page.screenshot(path=pictures / "sealed-shown-patrol.png", full_page=True)
    eventually(lambda: city.hub.found(f"damage-reports/{report}"), 20, "the report is at HQ")
    for size, dark, name in ((HQ, False, "hq"), (TABLET, True, "tablet-night"), (PHONE, False, "phone")):
        commander = visitors.at(city.hub, size, dark=dark)
        for path, what in ((f"/damage-reports/{report}", "report"), (f"/damage-reports/{report}/people", "people"),
                           ("/sealed-reads", "reads")):  # fmt: skip
            commander.go(path)
            commander.page.screenshot(path=pictures / f"sealed-{what}-{name}.png")
            wide = commander.page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not wide, f"{what} at {name} runs over the edge"
