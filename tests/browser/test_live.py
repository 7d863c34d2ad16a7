"""What a page is told while it stands: as it loads, and as its parts are drawn anew more often than somebody reads."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.browser.people import HQ, PHONE, Visitor, Visitors
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


def test_no_row_comes_under_a_finger_that_is_down(visitors: Visitors, city: Cluster) -> None:
    """The group with the newest message goes to the top: whoever presses on another one opens that one."""
    hq = visitors.at(city.hub, HQ)
    other = city.hub.post("channels", {"incident_id": city.incident, "name": "指の下のグループ"})["id"]
    city.hub.post("chat-messages", {"channel_id": other, "text": "いま一番上"})
    hq.go("/chat")
    row = hq.page.locator(f"#group-{other} a")
    expect(hq.page.locator("#groups li").first).to_have_id(f"group-{other}")
    box = row.bounding_box()
    press(hq, box)
    city.hub.post("chat-messages", {"channel_id": city.channel, "text": "ほかのグループが上へ"})
    hq.page.wait_for_timeout(1_000)  # it would have been drawn anew by now
    expect(hq.page.locator("#groups li").first).to_have_id(f"group-{other}")
    hq.page.mouse.up()
    hq.page.wait_for_url(f"**/chat/{other}")
    hq.go("/chat")
    press(hq, box)
    city.hub.post("chat-messages", {"channel_id": other, "text": "押したまま"})
    hq.page.wait_for_timeout(1_000)
    expect(hq.page.locator("#groups li").first).to_have_id(f"group-{city.channel}")
    hq.page.mouse.move(5, 5)
    hq.page.mouse.up()
    expect(hq.page.locator("#groups li").first).to_have_id(f"group-{other}", timeout=3_000)  # the finger is gone
    assert hq.faults == []


def test_an_answer_under_way_when_the_finger_goes_down_waits_for_it(visitors: Visitors, city: Cluster) -> None:
    hq, held = visitors.at(city.hub, HQ), list[Any]()
    first = city.hub.post("channels", {"incident_id": city.incident, "name": "先に見ていたグループ"})["id"]
    city.hub.post("chat-messages", {"channel_id": first, "text": "いま一番上"})
    hq.go("/chat")
    expect(hq.page.locator("#groups li").first).to_have_id(f"group-{first}")
    hq.page.wait_for_load_state("networkidle")
    hq.page.route("**/chat/groups*", lambda route: held.append(route))
    city.hub.post("chat-messages", {"channel_id": city.channel, "text": "上へ来る"})
    eventually(lambda: hq.page.wait_for_timeout(50) or held, 10, "the list was asked for")
    press(hq, hq.page.locator(f"#group-{first} a").bounding_box())
    for route in held:
        route.continue_()
    hq.page.unroute("**/chat/groups*")
    hq.page.wait_for_timeout(700)
    expect(hq.page.locator("#groups li").first).to_have_id(f"group-{first}")
    hq.page.mouse.up()
    hq.page.wait_for_url(f"**/chat/{first}")
    assert hq.faults == []


def press(visitor: Visitor, box: dict[str, float]) -> None:
    visitor.page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    visitor.page.mouse.down()
