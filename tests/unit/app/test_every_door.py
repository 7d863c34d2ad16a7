"""Every address of a node × seven kinds of people: what the table of permissions says is what happens.

And what is hidden from somebody answers exactly as what does not exist.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator

import pytest
from uuid6 import uuid7
from werkzeug.test import TestResponse

from app import permissions
from tests.house import EVERYBODY, ROLES, House, built, doors, path_of

FORM_TOKEN = r"[\w-]{30,}\.[\w-]+\.[\w-]+"  # signed anew for each page


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


@pytest.mark.parametrize("role", EVERYBODY)
def test_every_door_is_open_to_whom_the_table_names_and_shut_to_the_others(house: House, role: str | None) -> None:
    wrong, asked = [], 0
    for method, rule, mark in doors(house.app):
        answer = house.ask(role, method, path_of(house, rule), {})
        asked += 1
        if (told := _misjudged(mark, role, answer, _is_own(mark))) is not None:
            wrong.append(f"{method} {rule}: {answer.status_code}, {told}")
        answer.close()
    assert wrong == []
    assert asked >= 90


def _is_own(mark: tuple[str, str] | None) -> bool:
    """Whether a door that is open for one's own only leads to something of one's own here."""
    return mark not in (("channels", "edit"), ("damage-reports", "remove"))


def _misjudged(mark: tuple[str, str] | None, role: str | None, answer: TestResponse, own: bool) -> str | None:
    """What is wrong with an answer; every record of the house was made by its commander."""
    status = answer.status_code
    if status >= 500:
        return "it failed"
    if mark is None:
        return "it declares nothing"
    if mark == permissions.PUBLIC:
        return "it is public" if status == 403 else None
    if role is None:
        to_login = status == 302 and answer.headers["Location"].startswith("/login")
        return None if to_login or status == 401 else "nobody is logged in"
    collection, action = mark
    if permissions.allowed(role, action, collection, own=own or role == "commander"):  # type: ignore[arg-type]
        return "the table allows it" if status in (401, 403) else None
    return None if status == 403 else "the table refuses it"


@pytest.mark.parametrize(("role", "status"), [("patrol", 200), ("shelter_staff", 403), ("viewer", 403), ("admin", 200)])
def test_what_is_ones_own_only_its_maker_and_hq_may_edit(house: House, role: str, status: int) -> None:
    document = {"id": str(uuid7()), "incident_id": house.ids["incident_id"], "name": "巡回の部屋"}
    assert house.ask("patrol", "POST", "/api/v1/channels", document).status_code == 201
    answer = house.app.test_client().patch(
        f"/api/v1/channels/{document['id']}", json={"name": "巡回3班の部屋"},
        headers={"Authorization": f"Bearer {house.tokens[role]}", "If-Match": "*"},
    )  # fmt: skip
    assert answer.status_code == status


@pytest.mark.parametrize("role", [role for role in ROLES if role != "commander"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/channels/{}"),
        ("PATCH", "/api/v1/channels/{}"),
        ("GET", "/api/v1/channels/{}/history"),
        ("GET", "/api/v1/delivery/{}"),
        ("GET", "/incidents/{incident}/chat/{}"),
        ("GET", "/incidents/{incident}/chat/{}/messages"),
        ("POST", "/incidents/{incident}/chat/{}/messages"),
        ("POST", "/incidents/{incident}/chat/{}/reads"),
    ],
)
def test_what_is_hidden_answers_as_what_does_not_exist(house: House, role: str, method: str, path: str) -> None:
    hidden, nothing = house.ids["hidden"], str(uuid.UUID(int=uuid7().int))
    told = [
        house.ask(role, method, path.format(name, incident=house.ids["incident_id"]), {"text": "x"})
        for name in (hidden, nothing)
    ]
    bodies = [re.sub(rf"{hidden}|{nothing}|{FORM_TOKEN}", "…", answer.text) for answer in told]
    assert told[0].status_code == told[1].status_code in (403, 404)
    assert bodies[0] == bodies[1]
    assert "幹部だけ" not in bodies[0] and "ここだけの話" not in bodies[0]


@pytest.mark.parametrize("role", [None, *(role for role in ROLES if role != "commander")])
def test_what_is_hidden_is_in_no_answer_whatever_is_asked(house: House, role: str | None) -> None:
    told = ("幹部だけ", "ここだけの話", house.ids["hidden"], house.ids["hidden file"])
    asked = [path_of(house, rule) for method, rule, _ in doors(house.app) if method == "GET"]
    asked += [f"{path}?incident_id={house.ids['incident_id']}" for path in asked if path.startswith("/api/v1/")]
    assert len(asked) > 60
    assert (
        house.ids["hidden file"] in house.ask("commander", "GET", "/api/v1/chat-messages").text
    )  # there is something to find
    found = []
    for path in asked:
        answer = house.ask(role, "GET", path)
        data = answer.data
        answer.close()
        found += [(path, word) for word in told if word.encode() in data or json.dumps(word)[1:-1].encode() in data]
    assert found == []
