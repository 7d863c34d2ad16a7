"""What a page is told while it stands: as it loads, and as its parts are drawn anew more often than somebody reads."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.browser.people import HQ, PHONE, Visitors
from tests.integration.cluster import Cluster, eventually

OFTEN = """
() => { window.often = setInterval(() => document.getElementById("nav").dispatchEvent(
  new CustomEvent("htmx:afterSettle", { bubbles: true })), 100); }
"""


def test_what_arrives_while_the_page_still_loads_is_shown_by_itself(visitors: Visitors, city: Cluster) -> None:
    """The page was drawn without it, and its last script is not there yet: nothing of it listens."""
    hq, held = visitors.at(city.hub, HQ), list[Any]()
    page = hq.page
    page.route("**/js/keys.js*", lambda route: held.append(route))
    page.goto(f"{city.hub.url}/incidents/{city.incident}/damage-reports", wait_until="commit")
    expect(page.locator("#reports")).to_have_count(1)
    page.wait_for_timeout(700)  # the doorbell would have been connected by now
    city.report(city.hub, "読みこみの間に届いた")
    page.wait_for_timeout(300)
    assert len(held) == 1
    held[0].continue_()
    expect(page.locator("#reports")).to_contain_text("読みこみの間に届いた")
    assert hq.faults == []


def test_what_stands_on_the_screen_is_seen_however_often_the_page_is_drawn_anew(
    visitors: Visitors, city: Cluster
) -> None:
    patrol = visitors.at(city.terminals[0], PHONE)
    node = next(one["id"] for one in city.hub.every("nodes") if one["name"] == city.terminals[0].name)
    form = {"incident_id": city.incident, "text": "見えたら表示と伝わる", "recipients": [node]}
    made = city.hub.post("instructions", form)["id"]
    eventually(lambda: patrol.node.call("GET", f"instructions/{made}").status_code == 200, 10, "it came")
    patrol.page.add_init_script(f"addEventListener('DOMContentLoaded', {OFTEN})")
    patrol.go(f"/instructions/{made}")
    expect(patrol.page.locator("#order")).to_contain_text("見えたら表示と伝わる")
    delivery = f"delivery/{made}"
    eventually(lambda: patrol.node.get(delivery)["recipients"][0]["seen_at"], 5, "it was told")
    assert patrol.faults == []
