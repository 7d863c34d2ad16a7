"""The chat at a tablet: an input method that composes, texts that are too long, a node that is down, replies."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.people import HQ, PHONE, TABLET, Visitor, Visitors
from tests.integration.cluster import Cluster, eventually

LONG = "あ" * 100_000


def test_enter_sends_only_what_the_input_method_has_given_up_and_no_text_that_is_too_long(
    visitors: Visitors, city: Cluster
) -> None:
    patrol = visitors.at(city.terminals[1], PHONE)
    patrol.go(f"/chat/{city.channel}")
    page, box = patrol.page, patrol.page.locator("textarea[name=text]")
    keys = page.context.new_cdp_session(page)
    before = page.locator(".message").count()
    box.focus()
    keys.send("Input.imeSetComposition", {"text": "たいふう", "selectionStart": 4, "selectionEnd": 4})
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}  # as Chromium reports it while one composes
    keys.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    keys.send("Input.insertText", {"text": "台風"})
    expect(box).to_have_value("台風")
    assert page.locator(".message").count() == before
    box.press("Enter")
    expect(page.locator(".message.own .said").last).to_have_text("台風")
    expect(box).to_have_value("")

    before = page.locator(".message").count()
    box.fill(LONG)
    box.press("Enter")
    expect(page.locator("#composer-fault")).to_contain_text("2,000文字までです(いま100,000文字)")
    assert box.input_value() == LONG and page.locator(".message").count() == before
    box.fill("短く")
    expect(page.locator("#composer-fault")).to_be_hidden()
    box.fill("")
    assert patrol.faults == []


@pytest.mark.deep
def test_a_reply_is_written_under_what_it_answers_and_the_next_message_is_none(
    visitors: Visitors, city: Cluster
) -> None:
    patrol = visitors.at(city.terminals[1], PHONE)
    city.hub.post("chat-messages", {"channel_id": city.channel, "text": "柳橋は通れますか"})
    patrol.go(f"/chat/{city.channel}")
    asked = patrol.page.locator(".message", has_text="柳橋は通れますか").last
    asked.locator(".message-acts > summary").click()
    asked.get_by_role("link", name="返信").click()
    expect(patrol.page.locator("#composer-answered")).to_contain_text("柳橋は通れますか")
    patrol.page.locator("textarea[name=text]").fill("通れません")
    patrol.page.get_by_role("button", name="送る", exact=True).click()
    own = patrol.page.locator(".message.own", has_text="通れません")
    expect(own.locator(".quote")).to_contain_text("柳橋は通れますか")
    expect(patrol.page.locator("#composer-answered")).to_be_empty()
    assert "reply_to" not in patrol.page.url
    patrol.page.get_by_role("button", name="了解").click()
    expect(patrol.page.locator(".message.own .said").last).to_have_text("了解")
    expect(patrol.page.locator(".message.own").last.locator(".quote")).to_have_count(0)
    assert patrol.faults == []


@pytest.mark.deep
def test_while_the_node_is_down_the_text_stays_and_is_sent_once_afterwards(visitors: Visitors, city: Cluster) -> None:
    patrol, commander = visitors.at(city.terminals[1], PHONE), visitors.at(city.hub, HQ)
    patrol.go(f"/chat/{city.channel}")
    commander.go(f"/chat/{city.channel}")
    box = patrol.page.locator("textarea[name=text]")
    city.terminals[1].kill()
    box.fill("北門に着いた")
    box.press("Enter")
    expect(patrol.page.locator("#composer-fault")).to_contain_text("書いたものは残っています")
    expect(box).to_have_value("北門に着いた")
    city.terminals[1].start()
    eventually(lambda: city.terminals[1].status()["hub"]["state"] == "connected", 20, "the link is up")
    box.press("Enter")
    expect(patrol.page.locator(".message.own", has_text="北門に着いた")).to_have_count(1)
    expect(commander.page.locator(".message", has_text="北門に着いた")).to_have_count(1, timeout=10_000)
    orders = [page.locator(".message .said").all_inner_texts()[-5:] for page in (patrol.page, commander.page)]
    assert orders[0] == orders[1]
    expect(commander.page.locator("#messages")).to_have_attribute("role", "log")


@pytest.mark.deep
def test_a_channel_with_a_person_begins_with_the_first_message_and_is_found_at_the_other_end(
    visitors: Visitors, city: Cluster
) -> None:
    """Whoever has the list of groups before them, or the front page, sees it come: nobody loads a page anew."""
    commander, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], PHONE)
    waiting = visitors.at(city.terminals[0], PHONE)
    patrol.go("/chat")
    waiting.go()
    commander.go("/chat")
    whom = commander.page.locator("#f-with optgroup").last.locator("option", has_text=city.terminals[0].name)
    commander.page.select_option("#f-with", value=whom.first.get_attribute("value"))
    commander.page.get_by_role("button", name="開く").click()
    commander.page.wait_for_load_state()  # Enter sends once the script listens
    commander.page.locator("textarea[name=text]").fill("ひとりで来られますか")
    commander.page.locator("textarea[name=text]").press("Enter")
    expect(commander.page.locator(".message.own .said")).to_have_text("ひとりで来られますか")
    assert "standing" not in commander.page.url
    expect(patrol.page.locator("#groups")).to_contain_text("ひとりで来られますか", timeout=10_000)
    expect(waiting.page.locator("#front-chat")).to_contain_text("ひとりで来られますか", timeout=10_000)
    patrol.page.locator("#groups").get_by_role("link", name=re.compile("ひとりで来られますか")).click()
    expect(patrol.page.locator(".message .said").last).to_have_text("ひとりで来られますか")
    assert patrol.faults == waiting.faults == []


@pytest.mark.deep
def test_who_has_read_a_message_is_said_on_the_page_that_stands(visitors: Visitors, city: Cluster) -> None:
    hq, patrol = visitors.at(city.hub, HQ), visitors.at(city.terminals[0], PHONE)
    said = city.hub.post("chat-messages", {"channel_id": city.channel, "text": "だれが読みましたか"})["id"]
    hq.go(f"/chat/{city.channel}/messages/{said}")
    expect(hq.page.locator("#reached")).to_contain_text("読んだ人 0/")
    patrol.go(f"/chat/{city.channel}")
    expect(patrol.page.locator("#messages")).to_contain_text("だれが読みましたか")
    expect(hq.page.locator("#reached")).to_contain_text("読んだ人 1/", timeout=20_000)  # told once in five seconds
    assert hq.faults == patrol.faults == []


@pytest.mark.deep
def test_an_incident_that_hq_opens_stands_on_the_list_that_waits_for_it(visitors: Visitors, city: Cluster) -> None:
    patrol = visitors.at(city.terminals[1], TABLET)  # logged in before: with two that run, a login leads to the list
    patrol.at("/incidents")
    expect(patrol.page.locator("#incidents")).not_to_contain_text("あとから開いた水害")
    with city.second_incident(city.hub, "あとから開いた水害", "flood"):
        expect(patrol.page.get_by_role("link", name=re.compile("あとから開いた水害"))).to_be_visible(timeout=10_000)
    assert patrol.faults == []


@pytest.mark.deep
def test_words_are_found_on_the_search_page_in_any_kana(visitors: Visitors, city: Cluster) -> None:
    patrol = visitors.at(city.terminals[1], PHONE)
    city.hub.post("chat-messages", {"channel_id": city.channel, "text": "タイフウが近い"})
    said = f"chat-messages?channel_id={city.channel}"
    eventually(lambda: any(m["text"] == "タイフウが近い" for m in patrol.node.get(said)["items"]), 10, "it came")
    patrol.go("/search")
    patrol.page.fill("[name=words]", "ﾀｲﾌｳ")
    patrol.page.get_by_role("button", name="探す").click()
    expect(patrol.page.locator(".found mark").first).to_have_text("タイフウ")
    assert "ﾀｲﾌｳ" not in patrol.page.url and "%" not in patrol.page.url
    patrol.page.locator(".found a", has_text="タイフウが近い").first.click()
    expect(patrol.page.locator(".message:target .said")).to_contain_text("タイフウが近い")
    assert patrol.faults == []


def test_one_tap_sends_where_somebody_stands_and_hq_sees_it_on_the_map(visitors: Visitors, city: Cluster) -> None:
    patrol, hq = visitors.at(city.terminals[0], PHONE), visitors.at(city.hub, HQ)
    patrol.go(f"/chat/{city.channel}")
    patrol.page.fill("#f-text", "書きかけの文")
    patrol.page.get_by_role("button", name="位置を送る").click()
    own = patrol.page.locator(".message.own", has_text="現在地を送りました").last
    expect(own).to_contain_text("±12 m")
    expect(patrol.page.locator("#f-text")).to_have_value("書きかけの文")
    hq.go(f"/chat/{city.channel}")
    told = hq.page.locator(".message", has_text="現在地を送りました").last
    told.get_by_role("link", name="地図で見る").click()
    expect(hq.page.locator("path.asked-place")).to_have_count(2)
    refuses = "(_, refused) => refused({code: 1, PERMISSION_DENIED: 1})"
    patrol.page.evaluate(f"() => {{ navigator.geolocation.getCurrentPosition = {refuses}; }}")
    patrol.page.get_by_role("button", name="位置を送る").click()
    expect(patrol.page.locator("[data-place-said]")).to_contain_text("許可されていません")
    assert patrol.faults == hq.faults == []


def unread(visitor: Visitor) -> int:
    """What the folded chat says of all channels."""
    said = visitor.page.locator(".hq-chat > summary").inner_text()
    return int("".join(sign for sign in said.partition("未読")[2] if sign.isdigit()) or 0)


def test_a_folded_chat_on_the_front_page_is_not_read(visitors: Visitors, city: Cluster) -> None:
    """The sender was told 既読 by a page on which nothing of the message stood."""
    hq = visitors.at(city.hub, HQ)
    hq.go()
    before = unread(hq)
    city.terminals[0].post("chat-messages", {"channel_id": city.channel, "text": "折りたたみの中の連絡"})
    eventually(lambda: unread(hq) > before, 10, "the page says so by itself")
    here = f"chat-messages?channel_id={city.channel}"
    eventually(
        lambda: any(one["text"] == "折りたたみの中の連絡" for one in city.hub.every(here)), 10, "it is at the hub"
    )
    said: list[str] = []
    hq.page.on("request", lambda request: said.append(request.url))
    hq.go()
    expect(hq.page.locator("#messages", has_text="折りたたみの中の連絡")).to_have_count(1)
    before = unread(hq)
    assert before > 0
    hq.page.wait_for_timeout(1_000)  # it would have been said by now
    assert not [url for url in said if url.endswith("/reads")]
    with hq.page.expect_response(lambda answer: answer.url.endswith("/reads")):
        hq.page.locator(".hq-chat > summary").click()

    def is_read() -> bool:  # written at most once in five seconds
        hq.go()
        return unread(hq) < before

    eventually(is_read, 15, "the chat is read where it stands")
