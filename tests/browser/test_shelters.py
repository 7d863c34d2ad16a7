"""A night at a shelter, on real nodes: it opens, people are counted, HQ sees the total; two who disagree are shown."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.people import HQ, PHONE, Visitor, Visitors
from tests.integration.cluster import Cluster, eventually


@pytest.fixture
def school(city: Cluster) -> Iterator[str]:
    """A shelter of the city that every node knows, closed again when the test is over."""
    name = f"試験小学校 {uuid.uuid4().hex[:6]}"
    made = str(city.hub.post("shelters", {"name": name, "capacity": 300, "address": "葦原市試験町1番"})["id"])
    for node in city.nodes:
        eventually(lambda node=node: node.call("GET", f"shelters/{made}").status_code == 200, 10, "the shelter came")
    yield made
    if city.hub.process is None or city.hub.process.poll() is not None:
        city.hub.start()


@pytest.fixture(scope="module")
def staff(city: Cluster) -> dict[str, str]:
    """Shelter staff of each terminal, by the address of the node: who may open a shelter and count."""
    for node in city.terminals:
        node.command(
            "user", "add", f"避難所 {node.name}", "--role", "shelter_staff", "--password-stdin",
            text="a-long-enough-passphrase\n",
        )  # fmt: skip
    return {node.url: f"避難所 {node.name}" for node in city.terminals}


def at_the_shelter(visitors: Visitors, city: Cluster, staff: dict[str, str], number: int = 0) -> Visitor:
    """Somebody of the shelter's staff at a terminal, logged in by name."""
    node = city.terminals[number]
    visitor = visitors.at(node)
    page = visitor.page
    visitor.leave()
    page.goto(f"{node.url}/login")
    page.fill("[name=name]", staff[node.url])
    page.fill("[name=passphrase]", "a-long-enough-passphrase")
    page.click("main button.primary")
    page.wait_for_url(f"**/incidents/{visitor.incident}")
    return visitor


def total(city: Cluster) -> int:
    return int(city.hub.get(f"totals?incident_id={city.incident}")["people"]["value"] or 0)


def test_a_shelter_opens_counts_and_stands_in_hqs_total(
    visitors: Visitors, city: Cluster, staff: dict[str, str], school: str
) -> None:
    commander = visitors.at(city.hub, HQ)
    clerk = at_the_shelter(visitors, city, staff)
    before = total(city)
    clerk.page.get_by_role("link", name="避難所", exact=True).first.click()
    clerk.page.locator(f"#shelter-{school} a").click()
    clerk.page.get_by_role("button", name="開設中").click()
    expect(clerk.page.locator(".heads-panel")).to_contain_text("開設中")

    clerk.page.get_by_role("link", name="人数を数える").click()
    expect(clerk.page.locator("#f-total")).to_have_value("")  # nobody has counted: not 0
    clerk.page.get_by_role("button", name="いまの人数 1増やす").click()
    clerk.page.locator("button.ten").click()
    clerk.page.locator("button.ten").click()
    expect(clerk.page.locator("[data-count-shown]")).to_have_text("21")
    clerk.page.get_by_role("button", name="いまの人数を報告").click()
    clerk.page.wait_for_url(f"**/shelters/{school}")
    expect(clerk.page.locator(".flash")).to_contain_text("この端末に保存済み")
    expect(clerk.page.locator(".posts")).to_contain_text("本部に届いた", timeout=10_000)

    expect(commander.page.locator("#counts .people .figure")).to_have_text(f"{before + 21:,}", timeout=10_000)
    expect(commander.page.locator("#counts")).to_contain_text("が30分以内に報告")
    assert clerk.faults == commander.faults == []


@pytest.mark.deep
def test_a_count_is_put_right_by_another_and_both_stay_in_the_history(
    visitors: Visitors, city: Cluster, staff: dict[str, str], school: str
) -> None:
    clerk = at_the_shelter(visitors, city, staff)
    for number in ("４８０", "48"):
        clerk.go(f"/shelters/{school}/head-counts/new")
        clerk.page.fill("#f-total", number)
        clerk.page.get_by_role("button", name="いまの人数を報告").click()
        clerk.page.wait_for_url(f"**/shelters/{school}")
    expect(clerk.page.locator(".heads-figure")).to_contain_text("48人")
    expect(clerk.page.locator(".history").first).to_contain_text("480人")
    eventually(lambda: not clerk.node.status()["unsent"], 10, "HQ has it")
    counts = city.hub.get(f"head-counts?incident_id={city.incident}&shelter_id={school}")["items"]
    assert [count["total"] for count in counts] == [48, 480]


def test_a_man_who_comes_in_comes_into_the_total(
    visitors: Visitors, city: Cluster, staff: dict[str, str], school: str
) -> None:
    clerk = at_the_shelter(visitors, city, staff)
    clerk.go(f"/shelters/{school}/head-counts/new")
    clerk.page.get_by_text("男・女に分けて数える").click()
    for label in ("男 1増やす", "女 1増やす", "女 1増やす", "男 1減らす"):
        clerk.page.get_by_role("button", name=label).click()
    expect(clerk.page.locator("#f-total")).to_have_value("2")
    clerk.page.get_by_role("button", name="いまの人数を報告").click()
    clerk.page.wait_for_url(f"**/shelters/{school}")
    expect(clerk.page.locator(".history").first).to_contain_text("女 2")


@pytest.mark.deep
def test_an_empty_count_is_refused_with_what_to_do(
    visitors: Visitors, city: Cluster, staff: dict[str, str], school: str
) -> None:
    clerk = at_the_shelter(visitors, city, staff)
    clerk.go(f"/shelters/{school}/head-counts/new")
    clerk.page.get_by_role("button", name="いまの人数を報告").click()
    expect(clerk.page.locator("#error-summary")).to_contain_text("人数:0から1,000,000まで")
    assert city.hub.get(f"head-counts?incident_id={city.incident}&shelter_id={school}")["items"] == []


@pytest.mark.deep
def test_what_was_being_counted_survives_a_reload(
    visitors: Visitors, city: Cluster, staff: dict[str, str], school: str
) -> None:
    clerk = at_the_shelter(visitors, city, staff)
    clerk.go(f"/shelters/{school}/head-counts/new")
    for _ in range(3):
        clerk.page.get_by_role("button", name="いまの人数 1増やす").click()
    clerk.page.reload()
    expect(clerk.page.locator("#f-total")).to_have_value("3")
    clerk.page.get_by_role("button", name="いまの人数を報告").click()
    clerk.page.wait_for_url(f"**/shelters/{school}")
    clerk.go(f"/shelters/{school}/head-counts/new")
    expect(clerk.page.locator("#f-total")).to_have_value("3")
    expect(clerk.page.locator("[data-count-note]")).to_be_hidden()


@pytest.mark.deep
def test_another_number_on_the_old_form_is_another_count(
    visitors: Visitors, city: Cluster, staff: dict[str, str], school: str
) -> None:
    """「もどる」 shows the form with its old id; what is typed there is not thrown away as sent before."""
    clerk = at_the_shelter(visitors, city, staff)
    clerk.go(f"/shelters/{school}/head-counts/new")
    first = clerk.page.input_value("[name=_id]")
    for number in ("5", "6"):
        clerk.go(f"/shelters/{school}/head-counts/new")
        clerk.page.evaluate("(id) => { document.querySelector('[name=_id]').value = id; }", first)
        clerk.page.fill("#f-total", number)
        clerk.page.get_by_role("button", name="いまの人数を報告").click()
        clerk.page.wait_for_url(f"**/shelters/{school}")
        expect(clerk.page.locator(".heads-figure")).to_contain_text(f"{number}人")


@pytest.mark.deep
def test_two_nodes_that_say_the_first_state_apart_make_one_opening_and_a_conflict(
    visitors: Visitors, city: Cluster, staff: dict[str, str], school: str
) -> None:
    first, second = at_the_shelter(visitors, city, staff, 0), at_the_shelter(visitors, city, staff, 1)
    for visitor in (first, second):
        visitor.go(f"/shelters/{school}")
    city.hub.stop()
    for visitor, word in ((first, "使用不可"), (second, "開設中")):
        visitor.page.get_by_role("button", name=word).click()
        expect(visitor.page.locator(".flash")).to_contain_text("この端末に保存済み")
    city.hub.start()

    strip = second.page.locator(".conflict")
    expect(strip).to_contain_text("「開設状況」の値が2つあります", timeout=20_000)
    expect(strip.locator(".side.in-force")).to_contain_text(
        "使用不可"
    )  # the more dangerous one, until somebody decides
    assert len(city.hub.get(f"shelter-openings?incident_id={city.incident}&shelter_id={school}")["items"]) == 1
    commander = visitors.at(city.hub, HQ)
    expect(commander.page.locator("#waiting")).to_contain_text("避難所のようす")

    strip.locator(".side:not(.in-force) button").click()
    expect(second.page.locator(".conflict")).to_have_count(0)
    expect(first.page.locator(".conflict")).to_have_count(0, timeout=10_000)
    expect(first.page.locator(".heads-panel")).to_contain_text("開設中", timeout=10_000)
    expect(commander.page.locator("#waiting")).not_to_contain_text("避難所のようす", timeout=10_000)


def test_two_windows_that_tap_two_states_both_keep_theirs(visitors: Visitors, city: Cluster, school: str) -> None:
    first, second = visitors.at(city.hub, HQ), visitors.at(city.hub, HQ)
    for window in (first, second):
        window.go(f"/shelters/{school}")
    # The second window was drawn before the first one tapped, and was not told of it in time.
    versions = second.page.input_value("form:has(.states) [name=versions]")
    first.page.get_by_role("button", name="満員").click()
    expect(first.page.locator(".heads-panel")).to_contain_text("満員")
    second.page.evaluate(
        """(versions) => {
          const form = document.querySelector("form:has(.states)");
          form.elements.versions.value = versions;
          form.elements.opening_id.value = "";
          form.requestSubmit(form.querySelector("[value=preparing]"));
        }""",
        versions,
    )
    expect(second.page.locator(".conflict .side")).to_have_count(2)
    expect(second.page.locator(".side.in-force")).to_contain_text("満員")


@pytest.mark.deep
def test_the_shelter_opened_last_on_this_device_stands_first(
    visitors: Visitors, city: Cluster, staff: dict[str, str], school: str
) -> None:
    clerk = at_the_shelter(visitors, city, staff)
    clerk.go(f"/shelters/{school}")
    clerk.go("/shelters")
    expect(clerk.page.locator("#shelters h2").first).to_have_text("この避難所")
    expect(clerk.page.locator("#shelters a").first).to_have_attribute("href", re.compile(school))
    clerk.go()
    expect(clerk.page.locator(".actions").get_by_role("link", name="人数を数える")).to_be_visible()


def test_who_may_only_read_sees_no_button_to_press(visitors: Visitors, city: Cluster, school: str) -> None:
    patrol = visitors.at(city.terminals[0], PHONE)
    patrol.go(f"/shelters/{school}")
    expect(patrol.page.locator(".states")).to_have_count(0)
    expect(patrol.page.get_by_role("link", name="人数を数える")).to_have_count(0)
    assert patrol.page.request.get(f"{patrol.page.url}/head-counts/new").status == 403


def test_the_essentials_work_without_scripts(visitors: Visitors, city: Cluster, school: str) -> None:
    commander = visitors.at(city.hub)
    state = commander.page.context.storage_state()
    context = commander.page.context.browser.new_context(java_script_enabled=False, storage_state=state)
    try:
        page = context.new_page()
        page.goto(f"{city.hub.url}/incidents/{city.incident}/shelters/{school}")
        page.get_by_role("button", name="開設中").click()
        page.get_by_role("link", name="人数を数える").click()
        assert page.locator("button.step:visible").count() == 0
        page.fill("#f-total", "33")
        page.get_by_role("button", name="いまの人数を報告").click()
        expect(page.locator(".heads-figure")).to_contain_text("33人")
    finally:
        context.close()


def test_an_old_number_is_hatched_named_and_asked_for(visitors: Visitors, city: Cluster, school: str) -> None:
    commander = visitors.at(city.hub, HQ)
    old = {"incident_id": city.incident, "shelter_id": school, "total": 96, "counted_at": "2019-10-12T20:19:00+09:00"}
    city.hub.post("head-counts", old)
    counts = commander.page.locator("#counts")
    expect(counts).to_contain_text(re.compile("うち [0-9,]+人は古い数"))
    expect(counts.locator(".cells i.old").first).to_be_visible()
    commander.page.locator("#waiting .todo", has_text="30分より古い人数").get_by_role("link").click()
    row = commander.page.locator(f"#shelter-{school} a")
    expect(row).to_have_class(re.compile("is-old"))
    expect(row).to_contain_text("96人")
