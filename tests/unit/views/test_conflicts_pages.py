"""Values that were written apart, of every kind: in the inbox, on the record, settled in one tap."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from app import catalog, records
from sync.operation import REMOVE, Change
from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


def split(house: House, path: str, *fields: dict[str, Any]) -> None:
    """Write each as somebody who saw what stands there now, and nothing of the others."""
    seen = house.ask("commander", "GET", f"/api/v1/{path}").headers["ETag"]
    for form in fields:
        headers = {"Authorization": f"Bearer {house.tokens['commander']}", "If-Match": seen}
        assert house.app.test_client().patch(f"/api/v1/{path}", json=form, headers=headers).status_code == 200


def inbox(house: House, role: str = "commander") -> str:
    return house.ask(role, "GET", f"/incidents/{house.ids['incident_id']}/conflicts").text


def forms(page: str, record_id: str) -> list[tuple[str, dict[str, str]]]:
    """(address, fields) of each button that settles something of this record."""
    found = []
    for address, body in re.findall(r'<form method="post" action="([^"]+)">(.*?)</form>', page, re.S):
        if address.endswith(record_id):
            fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', body))
            found.append((address, {name: value.replace("&#34;", '"') for name, value in fields.items()}))
    return found


def tap(house: House, address: str, said: dict[str, str], role: str = "commander") -> int:
    return house.ask(role, "POST", address, said).status_code


def field(house: House, path: str, name: str) -> tuple[Any, int]:
    shown = house.ask("commander", "GET", f"/api/v1/{path}").get_json()
    return shown[name], shown["conflicts"]


def test_the_dangerous_value_is_shown_until_one_tap_settles_it(house: House) -> None:
    report = house.ids["report_id"]
    split(house, f"damage-reports/{report}", {"passability": "impassable"}, {"passability": "passable"})
    assert field(house, f"damage-reports/{report}", "passability") == ("impassable", 1)
    page, blocked = inbox(house), catalog.table("passabilities").get("impassable")
    assert blocked is not None
    assert "「通行」の値が2つあります" in page
    assert "決まるまで危険側を使います" in page
    assert page.index("いま表示している値") < page.index(blocked.word) < page.index("もう一つの値")
    buttons = forms(page, report)
    assert [said["value"] for _, said in buttons] == ['"impassable"', '"passable"']
    # The strip on the report itself has the same buttons, and brings back to the report.
    own = house.ask("commander", "GET", f"/incidents/{house.ids['incident_id']}/damage-reports/{report}").text
    assert [said["value"] for _, said in forms(own, report)][:2] == ['"impassable"', '"passable"']
    assert tap(house, *buttons[1]) == 303
    assert field(house, f"damage-reports/{report}", "passability") == ("passable", 0)
    assert "「通行」の値が" not in inbox(house)


def test_whoever_wrote_since_the_page_was_drawn_keeps_a_value(house: House) -> None:
    report = house.ids["report_id"]
    split(house, f"damage-reports/{report}", {"urgency": "green"}, {"urgency": "white"})
    buttons = forms(inbox(house), report)
    split(house, f"damage-reports/{report}", {"urgency": "red"})
    assert tap(house, *buttons[0]) == 303
    assert field(house, f"damage-reports/{report}", "urgency") == ("red", 1)
    assert tap(house, *forms(inbox(house), report)[0]) == 303


@pytest.mark.parametrize(
    ("collection", "id_name", "name", "one", "other", "word"),
    [
        ("instructions", "instruction_id", "priority", "normal", "urgent", "優先度"),
        ("shelters", "shelter_id", "capacity", 100, 200, "収容人数"),
        ("incidents", "incident_id", "phase", "応急", "復旧", "段階"),
        ("channels", "channel_id", "name", "全体1", "全体2", "名前"),
        ("users", "user_id", "name", "別の人1", "別の人2", "名前"),
    ],
)
def test_a_conflict_of_any_kind_is_named_in_words_and_settled_the_same_way(
    house: House, collection: str, id_name: str, name: str, one: Any, other: Any, word: str
) -> None:
    path = f"{collection}/{house.ids[id_name]}"
    role = "admin" if collection == "users" else "commander"
    seen = house.ask(role, "GET", f"/api/v1/{path}").headers["ETag"]
    for value in (one, other):
        headers = {"Authorization": f"Bearer {house.tokens[role]}", "If-Match": seen}
        answer = house.app.test_client().patch(f"/api/v1/{path}", json={name: value}, headers=headers)
        assert answer.status_code == 200, answer.text
    page = inbox(house, role)
    assert f"「{word}」の値が2つあります" in page
    buttons = forms(page, house.ids[id_name])
    assert len(buttons) == 2
    assert tap(house, *buttons[1], role=role) == 303
    assert field(house, path, name)[1] == 0
    assert forms(inbox(house, role), house.ids[id_name]) == []


def test_taken_back_by_one_while_another_wrote_on_is_shown_and_decided(house: House) -> None:
    for value, stays in (("false", True), ("true", False)):
        report = house.made("damage-reports", incident_id=house.ids["incident_id"], category="tree", summary="倒木")
        scope = records.scope_of("drill", house.ids["incident_id"])
        seen = house.node.versions("damage-reports", scope, report)
        split(house, f"damage-reports/{report}", {"summary": "倒木、二本"})
        house.node.write([Change("damage-reports", uuid.UUID(report).bytes, scope, {}, REMOVE, seen, "present")], None)
        assert "「取り消し」の値が2つあります" in inbox(house)
        chosen = next(button for button in forms(inbox(house), report) if button[1]["value"] == value)
        assert tap(house, *chosen) == 303
        answer = house.ask("commander", "GET", f"/api/v1/damage-reports/{report}")
        assert answer.status_code == (200 if stays else 404)
        assert forms(inbox(house), report) == []


def test_who_may_not_edit_the_kind_sees_both_values_and_settles_nothing(house: House) -> None:
    shelter = house.ids["shelter_id"]
    split(house, f"shelters/{shelter}", {"note": "裏門"}, {"note": "正門"})
    address, said = forms(inbox(house), shelter)[0]
    for role in ("patrol", "viewer"):
        page = inbox(house, role)
        assert "裏門" in page and "正門" in page
        assert forms(page, shelter) == []
        assert tap(house, address, said, role) == 403
    assert tap(house, address, said) == 303


def test_what_nobody_settles_here_is_not_found_and_no_field_is_wrong_input(house: House) -> None:
    base, report = f"/incidents/{house.ids['incident_id']}/conflicts", house.ids["report_id"]
    assert tap(house, f"{base}/grants/{report}", {}) == 404
    assert tap(house, f"{base}/head-counts/{report}", {}) == 404
    assert tap(house, f"{base}/damage-reports/{house.ids['shelter_id']}", {}) == 404
    versions = house.ask("commander", "GET", f"/api/v1/damage-reports/{report}").headers["ETag"]
    for wrong in ({"field": "number", "value": '"x"'}, {"field": "urgency", "value": "{"}, {"field": "", "value": "1"}):
        assert tap(house, f"{base}/damage-reports/{report}", {**wrong, "versions": versions}) == 422


def test_the_front_page_and_the_menu_count_them(house: House) -> None:
    shelter = house.ids["shelter_id"]
    split(house, f"shelters/{shelter}", {"phone": "1"}, {"phone": "2"})
    front = house.ask("commander", "GET", f"/incidents/{house.ids['incident_id']}").text
    assert "食い違い 1件" in front
    assert "避難所 葦原小学校" in front
    assert tap(house, *forms(inbox(house), shelter)[0]) == 303
