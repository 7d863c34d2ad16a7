"""The pages of notices on one hub: the form, what a screen tells of itself, pinning, and a withdrawal that stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from uuid6 import uuid7

from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("notices"))


def here(house: House, more: str = "") -> str:
    return f"/incidents/{house.ids['incident_id']}/bulletins{more}"


def published(house: House, **more: Any) -> str:
    record, given = str(uuid7()), {"category": "hq", "title": "給水車が来ます", "body": "18時から"} | more
    answer = house.ask("commander", "POST", here(house), {"_id": record, **given})
    assert answer.status_code == 303, answer.text
    return record


def kept(house: House, record: str) -> dict[str, Any]:
    return dict(house.ask("commander", "GET", f"/api/v1/bulletins/{record}").get_json())


def versions(house: House, record: str) -> str:
    page = house.ask("commander", "GET", here(house, f"/{record}")).text
    found = re.search(r'name="versions" value="([^"]*)"', page)
    assert found is not None
    return found[1].replace("&#34;", '"').replace("&quot;", '"')


def withdraw(house: House, record: str, reason: str, seen: str) -> Any:
    return house.ask("commander", "POST", here(house, f"/{record}/withdraw"), {"reason": reason, "versions": seen})


def test_a_notice_is_for_staff_where_nobody_said_more_and_the_same_form_twice_is_one(house: House) -> None:
    record = published(house)
    house.ask("commander", "POST", here(house), {"_id": record, "category": "hq", "title": "給水車が来ます"})
    assert kept(house, record)["audience"] == "internal"
    assert [one["id"] for one in house.ask("viewer", "GET", "/api/v1/bulletins").get_json()["items"]].count(record) == 1


def test_a_photo_of_the_form_stands_on_the_page(house: House) -> None:
    record = published(house, attachments=[house.ids["sha256"]])
    assert kept(house, record)["attachments"] == [house.ids["sha256"]]
    assert f"/attachments/{house.ids['sha256']}" in house.ask("patrol", "GET", here(house, f"/{record}")).text


def test_a_form_without_a_headline_comes_back_with_its_words_and_says_what_is_wrong(house: House) -> None:
    answer = house.ask("commander", "POST", here(house), {"_id": str(uuid7()), "title": " ", "body": "残る言葉"})
    assert answer.status_code == 422
    assert "残る言葉" in answer.text and "見出し:1行で" in answer.text


def test_pinning_asks_nobody_to_read_it_again(house: House) -> None:
    record = published(house)
    form = {"pinned": "yes", "versions": versions(house, record)}
    assert house.ask("commander", "POST", here(house, f"/{record}/pin"), form).status_code == 303
    assert (kept(house, record)["pinned"], kept(house, record)["edition"]) == (True, 1)
    assert "給水車が来ます" in house.ask("patrol", "GET", here(house, "/pinned")).text


def test_a_screen_tells_what_it_showed_and_cannot_tell_of_an_edition_that_is_not_there(house: House) -> None:
    record = published(house)
    for told in (f"{record}.7", f"{record}.1", "nonsense", f"{record}.x"):
        assert house.ask("patrol", "POST", here(house, "/sightings"), {"id": told}).status_code == 204
    seen = house.ask("commander", "GET", f"/api/v1/delivery/{record}").get_json()["recipients"]
    assert {one["name"] for one in seen if one["seen_at"]} == {"人 patrol"}
    assert withdraw(house, record, "時刻がまちがい", versions(house, record)).status_code == 303
    page = house.ask("patrol", "GET", here(house, "?state=unread")).text
    assert f'id="b-{record}"' in page and "取り下げ・未読" in page  # edition 7 was never seen


def test_a_withdrawal_keeps_the_text_and_the_first_one_stands(house: House) -> None:
    record = published(house)
    seen = versions(house, record)
    withdraw(house, record, "", seen)
    assert kept(house, record)["withdrawn_at"] is None  # without a reason it is none
    withdraw(house, record, "時刻がまちがい", seen)
    withdraw(house, record, "ほかの理由", seen)
    found = kept(house, record)
    assert (found["withdrawn_reason"], found["withdrawn_by"]) == ("時刻がまちがい", house.ids["person commander"])
    page = house.ask("viewer", "GET", here(house, f"/{record}")).text
    assert re.search(r'<h1 class="notice-head struck">給水車が来ます', page) and "時刻がまちがい" in page
    assert "給水車が来ます" in house.ask("commander", "GET", here(house, f"/new?like={record}")).text
