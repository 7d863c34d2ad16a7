"""A round in real browsers: the fake position moves, the tablet records, the hub sees it; closures on open maps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.people import HQ, PHONE, SITTINGS, TABLET, Visitor, Visitors
from tests.integration.cluster import Cluster, eventually

START = (136.0301, 31.5101)
STEP = 0.0002  # 19 m: under what nobody can go in the second between two fixes
FAR = (136.2, 31.7)  # where no car can be a second later
MINUTE = 60_000
ROUNDS = "**/map/rounds*"  # where the map asks for what is under way
TOO_WIDE = """() => [...document.querySelectorAll("main *")]
  .filter((one) => document.documentElement.scrollWidth > innerWidth)
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.outerHTML.slice(0, 200))"""


def stand(visitor: Visitor, lon: float, lat: float, accuracy: float = 8) -> None:
    visitor.page.context.set_geolocation({"longitude": lon, "latitude": lat, "accuracy": accuracy})


def begin(visitor: Visitor) -> str:
    """開始 with one tap; the id of the round."""
    stand(visitor, *START)
    visitor.go("/patrols")
    visitor.page.get_by_role("button", name="すぐに始める").click()
    visitor.page.wait_for_url(re.compile(r"/patrols/[0-9a-f-]{36}"))
    expect(visitor.page.locator("#patrol-band")).to_have_attribute("data-state", "recording")
    return re.search(r"/patrols/([0-9a-f-]{36})", visitor.page.url)[1]  # type: ignore[index]


def walk(visitor: Visitor, steps: range) -> None:
    """Step by step to the east; the page has taken each position before the next."""
    for step in steps:
        stand(visitor, START[0] + step * STEP, START[1], 7 + step % 5)
        expect(visitor.page.locator("[data-track-said]")).to_contain_text(f"±{7 + step % 5} m")


def tap(visitor: Visitor, name: str, points: int) -> None:
    with visitor.page.expect_navigation():  # sent when the position is known; the page before shows the point as well
        visitor.page.locator("form.patrol-point").get_by_role("button", name=name, exact=True).click()
    expect(visitor.page.locator("#patrol-body .patrol-points li")).to_have_count(points, timeout=15_000)


def finish(visitor: Visitor) -> None:
    visitor.page.locator("summary", has_text="巡回を終える").click()
    visitor.page.get_by_role("button", name="終える", exact=True).click()
    expect(visitor.page.locator("#patrol-band")).to_have_count(0, timeout=15_000)


def track(city: Cluster, round_id: str) -> list[Any]:
    """The points that the hub holds, in the order of their times."""
    batches = city.hub.every(f"patrol-tracks?patrol_id={round_id}")
    return sorted((point for batch in batches for point in batch["points"]), key=lambda point: point[2])


OLD_FIX = """
navigator.geolocation.getCurrentPosition = (_, fail) => setTimeout(() => fail({ code: 3 }), 3000);
document.dispatchEvent(new CustomEvent("patrol:fix", { detail: {
  coords: { longitude: 137.21, latitude: 33.51, accuracy: 12 }, timestamp: Date.now() - 60000 } }));
"""


def test_a_tap_takes_the_position_of_a_minute_ago_where_no_new_one_comes_and_nothing_typed_meanwhile(
    visitors: Visitors, city: Cluster
) -> None:
    """A receiver that stands still may be silent. What is written while it is asked belongs to the next point."""
    patrol = visitors.at(city.terminals[0], PHONE)
    one = begin(patrol)
    patrol.page.evaluate(OLD_FIX)
    with patrol.page.expect_navigation():
        patrol.page.locator("form.patrol-point").get_by_role("button", name="注意", exact=True).click()
        expect(patrol.page.locator("[data-here-said]")).to_have_text("記録しています…")
        assert patrol.page.locator("form.patrol-point").evaluate("form => form.inert")
    expect(patrol.page.locator("#patrol-body .patrol-points li")).to_have_count(1, timeout=15_000)
    eventually(lambda: city.hub.every(f"patrol-points?patrol_id={one}"), 10, "the point is at the hub")
    (point,) = city.hub.every(f"patrol-points?patrol_id={one}")
    assert point["location"]["coordinates"] == [137.21, 33.51]
    assert 100 <= point["accuracy_m"] <= 120, "wider by a minute's walk"
    finish(patrol)


def opened_map(visitor: Visitor) -> Any:
    visitor.go(f"/map?at={START[0]},{START[1]},16")
    visitor.page.wait_for_selector("[data-map][data-ready]")
    return visitor.page


def test_a_round_is_recorded_without_the_jump_and_seen_at_the_hub(visitors: Visitors, city: Cluster) -> None:
    patrol = visitors.at(city.terminals[0], PHONE)
    one = begin(patrol)
    walk(patrol, range(1, 5))
    stand(patrol, *FAR, accuracy=30)
    expect(patrol.page.locator("[data-track-said]")).to_contain_text("±30 m")
    walk(patrol, range(5, 9))
    tap(patrol, "安全", 1)
    finish(patrol)
    found = eventually(lambda: len(points := track(city, one)) > 1 and points, 10, "the track came to the hub")
    assert all(abs(lat - START[1]) < 1e-6 for _, lat, _, _ in found), "the jump is in none"
    assert found[-1][0] == pytest.approx(START[0] + 8 * STEP, abs=1e-6)
    (point,) = city.hub.every(f"patrol-points?patrol_id={one}")
    assert point["location"]["coordinates"] == pytest.approx([START[0] + 8 * STEP, START[1]], abs=1e-6)
    ended = eventually(lambda: (round_ := city.hub.get(f"patrols/{one}"))["finished_at"] and round_, 10, "it is over")
    assert ended["started_at"] < ended["finished_at"]
    assert patrol.faults == []


@pytest.mark.deep
def test_a_closure_of_a_terminal_stands_on_every_open_map_without_reload(visitors: Visitors, city: Cluster) -> None:
    maps = [opened_map(visitors.at(city.hub, HQ)), opened_map(visitors.at(city.terminals[1], TABLET))]
    place = {"type": "Point", "coordinates": [START[0] + 0.002, START[1]]}
    before = [page.locator(".map-mark.is-closure:not(.map-legend *)").count() for page in maps]
    report = {"incident_id": city.incident, "category": "road", "summary": "冠水で通れない", "location": place}
    city.terminals[0].post("damage-reports", report | {"passability": "impassable"})
    for page, count in zip(maps, before, strict=True):
        expect(page.locator(".map-mark.is-closure:not(.map-legend *)")).to_have_count(count + 1)
    point = {"incident_id": city.incident, "status": "caution", "passability": "impassable"}
    far = {"type": "Point", "coordinates": [START[0] - 0.004, START[1] - 0.002]}
    made = city.terminals[0].post("patrol-points", point | {"location": far})
    for page, count in zip(maps, before, strict=True):
        expect(page.locator(".map-mark.is-closure:not(.map-legend *)")).to_have_count(count + 2)
    over = {"incident_id": city.incident, "status": "cleared", "clears": made["id"], "note": "水が引いた"}
    city.terminals[1].post("patrol-points", over)
    for page, count in zip(maps, before, strict=True):
        expect(page.locator(".map-mark.is-closure:not(.map-legend *)")).to_have_count(count + 1)


@pytest.mark.deep
def test_twenty_checkpoints_a_pause_and_a_hidden_page(visitors: Visitors, city: Cluster, pictures: Path) -> None:
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], PHONE)
    one = begin(patrol)
    walk(patrol, range(1, 11))
    patrol.page.get_by_role("button", name="記録を休む").click()
    expect(patrol.page.locator("#patrol-band")).to_have_attribute("data-state", "paused")
    stand(patrol, START[0] + 11 * STEP, START[1] + 0.0002, 6)
    patrol.page.get_by_role("button", name="記録を続ける").click()
    walk(patrol, range(12, 21))
    patrol.go("/damage-reports/new")  # it goes on recording on whatever page
    expect(patrol.page.locator("#patrol-band")).to_have_attribute("data-state", "recording")
    walk(patrol, range(21, 23))
    patrol.go(f"/patrols/{one}")
    tap(patrol, "注意", 1)
    patrol.page.screenshot(path=str(pictures / "patrol-running.png"), full_page=True)
    finish(patrol)
    batches = eventually(
        lambda: (found := city.hub.every(f"patrol-tracks?patrol_id={one}")) and len(found) >= 3 and found, 10, "batches"
    )
    assert [batch["gap"] for batch in batches if batch["gap"]] == ["paused"]
    assert len(batches) <= 6, "few operations for a whole round"
    hq.go(f"/patrols/{one}")
    expect(hq.page.locator(".patrol-track .gap")).to_contain_text("記録を止めていた")
    expect(hq.page.locator(".patrol-map path.map-gap")).to_have_count(1)
    expect(hq.page.locator(".map-gap-word")).to_contain_text("休止")
    hq.page.screenshot(path=str(pictures / "patrol-over.png"), full_page=True)
    hq.page.get_by_role("link", name="解消", exact=True).click()
    hq.page.get_by_role("button", name="解消にする").click()
    expect(hq.page.locator(".error-summary")).to_contain_text("写真を撮るか、理由を")
    hq.page.fill("[name=note]", "水が引いた")
    hq.page.get_by_role("button", name="解消にする").click()
    expect(hq.page.locator("#patrol-body .patrol-points li")).to_have_count(2)
    expect(patrol.page.locator("#patrol-body .patrol-points")).to_contain_text("に解消")
    assert hq.faults == patrol.faults == []


@pytest.mark.deep
def test_the_dot_of_a_team_fades_with_the_age_of_its_last_position(visitors: Visitors, city: Cluster) -> None:
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], PHONE)
    one = begin(patrol)
    eventually(lambda: track(city, one), 10, "the first position is at the hub")
    page = hq.page
    page.clock.install()
    opened_map(hq)
    expect(page.locator(".map-team")).to_have_class(re.compile("is-fresh"))
    page.wait_for_timeout(1_500)  # what the page asked for as it connected is answered
    page.route(ROUNDS, lambda route: route.abort())  # nothing newer comes: an answer would set the clock right as well
    for minutes, state in ((11, "is-old"), (20, "is-lost")):
        page.clock.run_for(minutes * MINUTE)
        expect(page.locator(".map-team")).to_have_class(re.compile(state))
    page.unroute(ROUNDS)
    page.clock.resume()
    finish(patrol)
    expect(page.locator(".map-team")).to_have_count(0)


@pytest.mark.deep
def test_a_route_is_drawn_on_the_map_and_offered_the_next_time(visitors: Visitors, city: Cluster) -> None:
    hq = visitors.at(city.hub, HQ)
    hq.go("/patrols/new")
    hq.page.fill("[name=name]", "左岸の北")
    hq.page.get_by_role("button", name="地図で線を引く").click()
    for _ in range(3):
        hq.page.get_by_role("button", name="ここを通る").click()
        hq.page.locator("#map_tomoshibi").press("ArrowRight")
    expect(hq.page.locator("[data-route-count]")).to_contain_text("3")
    hq.page.get_by_role("button", name="1つ戻す").click()
    hq.page.get_by_role("button", name="この経路にする").click()
    expect(hq.page.locator("[data-route-said]")).to_contain_text("2")
    hq.page.get_by_role("button", name="予定として置く").click()
    hq.go("/patrols/new")
    hq.page.get_by_role("button", name="左岸の北").click()
    expect(hq.page.locator("[data-route-said]")).to_contain_text("2")
    assert hq.faults == []


@pytest.mark.deep
@pytest.mark.parametrize(("size", "dark"), SITTINGS)
def test_the_pages_look_right(visitors: Visitors, city: Cluster, pictures: Path, size: Any, dark: bool) -> None:
    patrol = visitors.at(city.terminals[1], size, dark=dark)
    one = begin(patrol)
    walk(patrol, range(1, 4))
    tap(patrol, "通行止め", 1)
    for path, name in ((f"/patrols/{one}", "patrol"), ("/patrols", "patrols"), ("/patrols/new", "patrol-new")):
        patrol.go(path)
        if path.endswith(one):
            patrol.page.wait_for_selector("[data-map-rounds][data-ready]", state="attached")
        # A map that is still being drawn may stand out for a moment; what stays is looked at.
        eventually(lambda: patrol.page.evaluate(TOO_WIDE) == [], 5, f"{path} fits: {patrol.page.evaluate(TOO_WIDE)}")
        patrol.page.screenshot(
            path=str(pictures / f"{name}-{size[0]}-{'night' if dark else 'day'}.png"), full_page=True
        )
    patrol.go(f"/patrols/{one}")
    finish(patrol)
    assert patrol.faults == []
