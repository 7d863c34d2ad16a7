"""The pages of the chat: who sees which channel, replies, what is typed badly and what is sent twice."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from uuid6 import uuid7

from app.queries import chat_messages
from app.records.shape import TEXT_CHARS_MAX
from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(Path(tmp_path_factory.mktemp("house")))


def here(house: House) -> str:
    return f"/incidents/{house.ids['incident_id']}/chat"


def said(house: House, channel: str) -> list[str]:
    return [message["text"] for message in chat_messages.latest(house.node.reader(), channel)]


def send(house: House, role: str, channel: str, **form: Any) -> Any:
    return house.ask(role, "POST", f"{here(house)}/{channel}/messages", form)


def opened(house: House, role: str, whom: str) -> str:
    """The address that choosing somebody in the list leads to; empty where there is no such choice."""
    answer = house.ask(role, "POST", f"{here(house)}/standing", {"with": whom})
    return answer.headers.get("Location", "") if answer.status_code == 303 else ""


def begin(house: House, role: str, whom: str, text: str) -> str:
    """Write the first message of a standing channel; the channel's id."""
    address = opened(house, role, whom)
    page = house.ask(role, "GET", address).text
    fields = dict(re.findall(r'<input type="hidden" name="(standing|about|_id)"[^>]*? value="([^"]*)"', page))
    channel = re.search(r"/chat/([0-9a-f-]{36})", address)
    assert channel is not None
    assert send(house, role, channel[1], text=text, **fields).status_code == 303
    return channel[1]


def test_a_standing_channel_begins_with_its_first_message_and_is_the_same_for_everybody(house: House) -> None:
    shelter = f"shelter:{house.ids['shelter_id']}"
    listed = house.ask("patrol", "GET", here(house)).text
    channel = begin(house, "patrol", shelter, "毛布が足りません")
    assert listed.count(channel) == 0 and channel in house.ask("viewer", "GET", here(house)).text
    assert opened(house, "commander", shelter).endswith(channel)
    assert said(house, channel) == ["毛布が足りません"]


def test_the_channel_of_hq_is_hqs_alone(house: House) -> None:
    channel = begin(house, "commander", "hq", "要員を増やす")
    for role, status in (("hq_operator", 200), ("patrol", 404), ("shelter_staff", 404), ("viewer", 404)):
        assert house.ask(role, "GET", f"{here(house)}/{channel}").status_code == status
        items = house.ask(role, "GET", "/api/v1/channels").get_json()["items"]
        assert (channel in [item["id"] for item in items]) == (status == 200)
    assert opened(house, "patrol", "hq") == ""


def test_what_two_persons_say_is_theirs_alone(house: House) -> None:
    whom = f"direct:{house.ids['person shelter_staff']}"
    channel = begin(house, "patrol", whom, "鍵はどこですか")
    for role, status in (("patrol", 200), ("shelter_staff", 200), ("commander", 404), ("admin", 404)):
        assert house.ask(role, "GET", f"{here(house)}/{channel}").status_code == status
    assert "人 patrol" in house.ask("shelter_staff", "GET", f"{here(house)}/{channel}").text


def test_the_api_gives_a_standing_channel_the_same_id_and_takes_none(house: House) -> None:
    document = {"incident_id": house.ids["incident_id"], "name": "本部内", "standing": "hq"}
    first = house.ask("commander", "POST", "/api/v1/channels", document)
    again = house.ask("commander", "POST", "/api/v1/channels", document)
    assert first.status_code in (200, 201) and again.status_code == 200
    assert first.get_json()["id"] == again.get_json()["id"]
    refused = house.ask("commander", "POST", "/api/v1/channels", document | {"id": str(uuid7())})
    assert refused.status_code == 400 or refused.status_code == 422
    alone = house.ask("commander", "POST", "/api/v1/channels", document | {"standing": "direct"})
    assert alone.get_json()["field"] == "members"


def test_the_list_beside_the_chat_is_drawn_anew_alone_and_marks_the_open_channel(house: House) -> None:
    chat, shown = f"/incidents/{house.ids['incident_id']}/chat", house.ids["channel_id"]
    groups = house.ask("patrol", "GET", f"{chat}/groups?open={shown}")
    assert "<html" not in groups.text
    assert groups.text.count('aria-current="page"') == 1


def test_a_reply_stands_under_what_it_answers_and_waits_for_what_is_not_here(house: House) -> None:
    channel, ahead = house.ids["channel_id"], str(uuid7())
    house.made("chat-messages", channel_id=channel, text="先に届いた返事", reply_to=ahead)
    page = f"{here(house)}/{channel}"
    assert "返信先はまだ届いていません" in house.ask("patrol", "GET", page).text
    document = {"id": ahead, "channel_id": channel, "text": "あとから届いた問い"}
    assert house.ask("commander", "POST", "/api/v1/chat-messages", document).status_code == 201
    text = house.ask("patrol", "GET", page).text
    assert "返信先はまだ届いていません" not in text and text.count("あとから届いた問い") >= 2
    assert "あとから届いた問い" in house.ask("patrol", "GET", f"{page}?reply_to={ahead}").text
    assert send(house, "patrol", channel, text="見ました", _reply_to=ahead).status_code == 303
    assert said(house, channel)[-1] == "見ました"


def test_a_reply_to_what_was_said_elsewhere_is_refused_and_shows_nothing_of_it(house: House) -> None:
    elsewhere = house.made("chat-messages", channel_id=house.ids["hidden"], text="よその秘密")
    answer = send(house, "patrol", house.ids["channel_id"], text="返事", _reply_to=elsewhere)
    assert answer.status_code == 422 and "よその秘密" not in answer.text
    house.made("chat-messages", channel_id=house.ids["channel_id"], text="API からの返事", reply_to=elsewhere)
    assert "よその秘密" not in house.ask("patrol", "GET", f"{here(house)}/{house.ids['channel_id']}").text


def test_a_message_that_is_too_long_is_refused_in_one_sentence_and_kept(house: House) -> None:
    channel, text = house.ids["channel_id"], "水" * (TEXT_CHARS_MAX + 1)
    before = said(house, channel)
    answer = send(house, "patrol", channel, text=text)
    assert answer.status_code == 422 and "2,000文字までです(いま2,001文字)" in answer.text and text in answer.text
    assert said(house, channel) == before


@pytest.mark.parametrize("text", ["👨‍👩‍👧‍👦🌊" * 20, "א\u202eabc\u2066", "<script>alert(1)</script>"])
def test_any_text_is_kept_and_turns_nothing_around_itself(house: House, text: str) -> None:
    channel = house.ids["channel_id"]
    assert send(house, "patrol", channel, text=text).status_code == 303
    assert said(house, channel)[-1] == text
    page = house.ask("patrol", "GET", f"{here(house)}/{channel}").text
    assert "\u202e" not in page and "\u2066" not in page and "<script>alert" not in page


def test_what_is_sent_twice_is_one_message_and_two_texts_are_two(house: House) -> None:
    channel, drawn = house.ids["channel_id"], str(uuid7())
    before = len(said(house, channel))
    for text in ("一度だけ", "一度だけ", "了解"):
        assert send(house, "patrol", channel, text=text, _id=drawn).status_code == 303
    assert said(house, channel)[before:] == ["一度だけ", "了解"]
    assert uuid.UUID(drawn)


def test_a_photo_goes_with_a_message_and_into_the_report_that_is_made_of_it(house: House) -> None:
    channel, photo = house.ids["channel_id"], house.ids["sha256"]
    assert send(house, "patrol", channel, attachments=photo).status_code == 303
    sent = chat_messages.latest(house.node.reader(), channel)[-1]
    assert (sent["text"], sent["attachments"]) == ("写真・声を送りました", [photo])
    assert 'alt="写真を大きく見る"' in house.ask("viewer", "GET", f"{here(house)}/{channel}").text
    base = f"/incidents/{house.ids['incident_id']}"
    form = house.ask("commander", "GET", f"{base}/damage-reports/new?message={sent.id}").text
    assert f'name="attachments" value="{photo}"' in form and "写真・声を送りました" in form


def test_a_file_that_is_none_of_this_node_is_refused_and_the_text_stays(house: House) -> None:
    answer = send(house, "patrol", house.ids["channel_id"], text="これです", attachments="ab" * 32)
    assert answer.status_code == 422 and "これです" in answer.text


def test_a_message_says_how_many_of_whom_have_read_it_by_name(house: House) -> None:
    channel = house.ids["channel_id"]
    sent = house.made("chat-messages", channel_id=channel, text="全員へ")
    page = f"{here(house)}/{channel}"
    assert "既読 0/" in house.ask("commander", "GET", page).text
    shown = re.search(r'data-upto="(\d+)" data-shown="([^"]+)"', house.ask("patrol", "GET", page).text)
    assert shown is not None
    form = {"upto": shown[1], "shown": shown[2]}
    assert house.ask("patrol", "POST", f"{page}/reads", form).status_code == 204
    assert "既読 1/" in house.ask("commander", "GET", page).text
    names = house.ask("commander", "GET", f"{page}/messages/{sent}").text
    assert "読んだ人 1/" in names and names.index("人 patrol") < names.index("人 viewer")
    for wrong in ({"upto": "x"}, {"upto": "1", "shown": "zz:1"}, {"upto": "1", "shown": "aa"}):
        assert house.ask("patrol", "POST", f"{page}/reads", wrong).status_code == 422


def test_a_position_goes_with_its_own_tap_and_into_the_report_that_is_made_of_it(house: House) -> None:
    channel, place = house.ids["channel_id"], {"lon": "137.2", "lat": "33.5", "accuracy_m": "12"}
    assert send(house, "patrol", channel, phrase="現在地を送りました", text="書きかけ", **place).status_code == 303
    assert send(house, "patrol", channel, text="別の話", **place).status_code == 303
    other, told = chat_messages.latest(house.node.reader(), channel)[-1:-3:-1]
    assert (told["text"], told["location"], told["accuracy_m"]) == ("現在地を送りました", [137.2, 33.5], 12.0)
    assert (other["text"], other["location"]) == ("別の話", None)
    page = house.ask("commander", "GET", f"{here(house)}/{channel}").text
    assert "/map?at=137.200000,33.500000,17&amp;within=12" in page.replace("%2C", ",") and "±12 m" in page
    form = house.ask(
        "patrol", "GET", f"/incidents/{house.ids['incident_id']}/damage-reports/new?message={told.id}"
    ).text
    for name, value in (("lon", "137.2"), ("lat", "33.5"), ("accuracy_m", "12.0"), ("location_source", "gps")):
        assert f'name="{name}" value="{value}"' in form


@pytest.mark.parametrize("place", [{"lon": "x", "lat": "33"}, {"lon": "", "lat": ""}, {}])
def test_a_device_that_knows_no_place_sends_the_words_alone(house: House, place: dict[str, str]) -> None:
    channel = house.ids["channel_id"]
    assert send(house, "patrol", channel, phrase="現在地を送りました", **place).status_code == 303
    assert chat_messages.latest(house.node.reader(), channel)[-1]["location"] is None


def test_a_place_that_is_not_on_the_earth_is_refused_and_nothing_is_written(house: House) -> None:
    channel, before = house.ids["channel_id"], len(said(house, house.ids["channel_id"]))
    assert send(house, "patrol", channel, phrase="現在地を送りました", lon="200", lat="33").status_code == 422
    assert len(said(house, channel)) == before
