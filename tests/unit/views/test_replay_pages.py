from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.views.replay import REPLAYED, TIMELESS
from tests.house import House, built, path_of

MINUTE = 60_000
ENDPOINTS = sorted(f"{blueprint}.{name}" for blueprint, names in REPLAYED.items() for name in names.split())


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An hour ago there was what is in every house; since then a report, and words in the chat."""
    for one in built(tmp_path_factory.mktemp("replay")):
        incident = one.ids["incident_id"]
        one.ids["then"] = str(one.node.clock())
        one.node.correct_clock(60 * MINUTE)
        one.ids["later"] = one.made("damage-reports", incident_id=incident, category="road", summary="あとから分かった")
        one.made("chat-messages", channel_id=one.ids["channel_id"], text="あとから言った")
        yield one


def then(house: House) -> str:
    return f"/replay/node-{house.ids['then']}"


def page(house: House, path: str, role: str = "commander", **more: Any) -> str:
    answer = house.browser(role).get(then(house) + path, **more)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def here(house: House) -> str:
    return f"/incidents/{house.ids['incident_id']}"


def test_the_front_page_counts_what_was_known_then_and_says_which_time_that_is(house: House) -> None:
    told, now = page(house, here(house)), house.browser("commander").get(here(house)).text
    assert "の状態を表示中" in told
    assert "の状態を表示中" not in now
    assert "あとから分かった" in now
    assert "あとから分かった" not in told
    assert "冠水" in told


def test_the_chat_and_the_lists_end_at_that_time(house: House) -> None:
    for path in (f"{here(house)}/chat/{house.ids['channel_id']}", f"{here(house)}/damage-reports"):
        assert "あとから" not in page(house, path)
        assert "あとから" in house.browser("commander").get(path).text
    assert (
        house.browser("commander").get(f"{then(house)}{here(house)}/damage-reports/{house.ids['later']}").status_code
        == 404
    )


def test_words_are_found_that_were_written_by_then(house: House) -> None:
    for words, found in (("冠水", True), ("あとから", False)):
        led = (
            house.browser("viewer")
            .post(f"{then(house)}{here(house)}/search", data={"list": "damage_reports.index", "words": words})
            .headers["Location"]
        )
        assert led.startswith(then(house))
        assert ("H1-0001" in house.browser("viewer").get(led).text) is found


def test_the_map_has_the_marks_of_that_time_and_answers_a_tap(house: House) -> None:
    told = house.browser("viewer").get(f"{then(house)}{here(house)}/map/data").get_json()
    now = house.browser("viewer").get(f"{here(house)}/map/data").get_json()
    assert len(told["patrols"]) == len(now["patrols"]) == 1
    assert told["version"] == now["version"]
    assert "想定" in page(house, f"{here(house)}/hazard?lon=136&lat=31.5")


def test_every_address_of_a_page_stays_in_that_time_or_is_the_same_at_any_time(house: House) -> None:
    told = page(house, f"{here(house)}/damage-reports")
    addresses = re.findall(r'(?:href|src|action|hx-get|hx-post|data-here)="(/[^"]*)"', told)
    left = {one for one in addresses if not one.startswith((f"{then(house)}/", "/static/"))}
    assert {one.partition("?")[0] for one in left if "/replay/node-" not in one} <= {
        f"{here(house)}/damage-reports", f"{here(house)}/replay", f"{here(house)}/replay/go"
    }  # fmt: skip
    assert f"{then(house)}{here(house)}/damage-reports" in addresses


@pytest.mark.parametrize("path", ["/damage-reports", "/chronicle", "/phase"])
def test_nothing_is_written_into_the_past(house: House, path: str) -> None:
    before = house.node.published().vector
    answer = house.browser("commander").post(f"{then(house)}{here(house)}{path}", data={"text": "いま", "_id": "x"})
    assert answer.status_code == 409
    assert "前の時刻を表示しているあいだは、書き込めません" in answer.text
    assert house.node.published().vector == before


def test_no_button_that_writes_is_drawn_in_the_past(house: House) -> None:
    for path in ("", "/damage-reports", "/chronicle", f"/chat/{house.ids['channel_id']}", "/instructions"):
        told = page(house, here(house) + path)
        forms = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', told)
        left = [one for one in forms if not re.search("/(settings|switch|logout|lock/now|search|sync/attempts)$", one)]
        assert left == []


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_page_of_the_table_is_drawn_from_the_past(house: House, endpoint: str) -> None:
    (rule,) = house.app.url_map.iter_rules(endpoint)
    method = "GET" if "GET" in rule.methods else "POST"
    asked = "?lon=136&lat=31.5&text=X" if endpoint.startswith("hazard") else ""
    now, told = (
        house.browser("commander").open(prefix + path_of(house, rule.rule) + asked, method=method)
        for prefix in ("", then(house))
    )
    assert told.status_code == now.status_code < 500


def test_what_is_not_in_the_table_is_refused_or_shown_as_it_is_now(house: House) -> None:
    browser = house.browser("commander")
    refused = browser.get(f"{then(house)}{here(house)}/damage-reports/new")
    assert (refused.status_code, "この画面は、前の時刻では表示できません" in refused.text) == (409, True)
    assert browser.get(f"{then(house)}/settings").headers["Location"] == "/settings"
    assert browser.get(f"{then(house)}/api/v1/totals?incident_id={house.ids['incident_id']}").status_code in (401, 409)
    assert not set(TIMELESS) & {"damage_reports", "chronicle", "instructions"}


def test_before_the_incident_was_known_the_page_says_so(house: House) -> None:
    answer = house.browser("viewer").get(f"/replay/node-1000000000000{here(house)}")
    assert (answer.status_code, "まだ知られていません" in answer.text) == (404, True)


def test_who_is_not_logged_in_comes_back_to_that_time_after_the_login(house: House) -> None:
    answer = house.browser(None).get(then(house) + here(house))
    assert answer.status_code == 302
    assert "back=/replay/node-" in answer.headers["Location"].replace("%2F", "/")


def test_the_slider_stands_before_its_end_also_within_the_last_minute(house: House) -> None:
    """A value between two steps is shown at the nearer one: at the end, from where nobody could move it on."""
    for second in (0, 29_999, 30_000, 59_999):
        now = house.node.clock()
        at = now - now % MINUTE + second - (MINUTE if second > now % MINUTE else 0)
        told = house.browser("commander").get(f"/replay/node-{at}{here(house)}").text
        end, stands = (int(value) for value in re.findall(r'type="range"[^>]* max="(\d+)"[^>]* value="(\d+)"', told)[0])
        assert stands <= at < stands + MINUTE <= end
        assert stands % MINUTE == 0


def test_the_slider_leads_to_the_page_that_was_looked_at(house: House) -> None:
    browser = house.browser("hq_operator")
    shown = browser.get(f"{here(house)}/replay").text
    assert 'type="range"' in shown
    asked = {"at": house.ids["then"], "path": f"{here(house)}/map?view=list"}
    answer = browser.get(f"{here(house)}/replay/go", query_string=asked)
    assert answer.headers["Location"] == f"{then(house)}{here(house)}/map?view=list"
    for path in ("https://elsewhere.example/", "//elsewhere.example/x"):
        led = browser.get(f"{here(house)}/replay/go", query_string=asked | {"path": path}).headers["Location"]
        assert led == then(house) + here(house)
    assert browser.get(f"{here(house)}/replay/go", query_string={"at": "きのう"}).status_code == 422
