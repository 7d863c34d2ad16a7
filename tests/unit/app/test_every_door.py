"""Every address of a node × seven kinds of people: what the table of permissions says is what happens.

And what is hidden from somebody answers exactly as what does not exist.
"""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask.testing import FlaskClient
from uuid6 import uuid7
from werkzeug.test import TestResponse

from app import catalog, permissions, verifier
from app.accounts import Accounts
from app.enrol_codes import make_code
from app.factory import create_app
from app.node import Node
from tests.photos import photo

ROLES = tuple(catalog.table("roles").codes)
EVERYBODY = (None, *ROLES)
FORM_TOKEN = r"[\w-]{30,}\.[\w-]+\.[\w-]+"  # signed anew for each page
WRITES = {"POST", "PATCH", "PUT", "DELETE"}


@dataclass
class House:
    """A hub with something of each kind in it, and a person of each role."""

    node: Node
    app: Any
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def browser(self, role: str | None) -> FlaskClient:
        client: FlaskClient = self.app.test_client()
        if role:
            with client.session_transaction() as session:
                session["token"] = self.app.extensions["accounts"].open_session(self.ids[f"person {role}"])
        return client

    def ask(self, role: str | None, method: str, path: str, document: Any = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role and path.startswith("/api/") else {}
        client = self.app.test_client() if path.startswith("/api/") else self.browser(role)
        if path.startswith("/api/"):
            return client.open(path, method=method, json=document if method in WRITES else None, headers=headers)
        return client.open(path, method=method, data=document if method in WRITES else None, headers=headers)

    def made(self, collection: str, **document: Any) -> str:
        answer = self.ask("commander", "POST", f"/api/v1/{collection}", {"id": str(uuid7()), **document})
        assert answer.status_code == 201, answer.text
        return str(answer.get_json()["id"])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifier, "make", lambda passphrase: verifier.NOBODY)
        yield from _built(tmp_path_factory, patch)


def _built(tmp_path_factory: pytest.TempPathFactory, patch: pytest.MonkeyPatch) -> Iterator[House]:
    from app import birth
    from app.config import Settings
    from app.store import envelope
    from app.store.folder import DataFolder
    from app.store.keys import read_keys

    patch.setattr(envelope, "MEMORY_KIB", 64)
    folder = DataFolder(tmp_path_factory.mktemp("house") / "hub")
    settings = Settings(folder.path, ballast_mb=0)
    birth.make_node(folder, "hub", "本部", settings, None)
    node = Node.open(folder, read_keys(folder.keys, None), settings)
    app, _ = create_app(node)
    app.config["WTF_CSRF_ENABLED"] = False
    built = House(node, app)
    accounts: Accounts = app.extensions["accounts"]
    for role in ROLES:
        added = accounts.add_user(f"人 {role}", role, "a-long-enough-passphrase")
        built.tokens[role] = accounts.make_token(f"人 {role}")
        built.ids[f"person {role}"] = added.id
    built.ids["user_id"] = accounts.add_user("別の人", "viewer", None).id
    _furnish(built)
    yield built
    node.close()


def _furnish(house: House) -> None:
    ids = house.ids
    ids["incident_id"] = incident = house.made("incidents", name="訓練の台風", mode="drill", kind="typhoon")
    ids["sha256"] = _photographed(house)
    ids["report_id"] = house.made(
        "damage-reports", incident_id=incident, category="flood", summary="冠水", attachments=[ids["sha256"]]
    )
    ids["channel_id"] = house.made("channels", incident_id=incident, name="全体")
    ids["hidden"] = house.made("channels", incident_id=incident, name="幹部だけ", members=[ids["person commander"]])
    house.made("chat-messages", channel_id=ids["hidden"], text="ここだけの話")
    ids["shelter_id"] = house.made("shelters", name="葦原小学校")
    ids["point_id"] = house.made(
        "patrol-points", incident_id=incident, status="safe", location={"type": "Point", "coordinates": [136.0, 31.5]}
    )

    ids["code_id"] = make_code(house.node, approval=True).id


def _photographed(house: House) -> str:
    answer = house.app.test_client().post(
        "/api/v1/attachments",
        data={"file": (io.BytesIO(photo(64, 48)), "x.jpg")},
        headers={"Authorization": f"Bearer {house.tokens['commander']}"},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["sha256"])


def doors(app: Any) -> list[tuple[str, str, tuple[str, str] | None]]:
    """(method, rule, mark) of every address but the static files."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.rpartition(".")[2] != "static":
            mark = permissions.mark_of(app.view_functions[rule.endpoint])
            found += [(method, rule.rule, mark) for method in sorted(rule.methods - {"HEAD", "OPTIONS"})]
    return sorted(found)


def path_of(house: House, rule: str) -> str:
    """The address with the ids of what is there."""
    named = {
        "version": "0", "form": "report", "filename": "x", "envelope_id": str(uuid7()),
        "node_id": str(uuid.UUID(hex=house.node.node_id)),
        "record_id": house.ids.get(_noun_of(rule), house.ids["report_id"]),
    }  # fmt: skip
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: house.ids.get(found[1]) or named[found[1]], rule)


def _noun_of(rule: str) -> str:
    parts = rule.split("/")
    return {"channels": "channel_id", "incidents": "incident_id", "shelters": "shelter_id", "users": "person viewer",
            "damage-reports": "report_id"}.get(parts[3] if len(parts) > 3 else "", "")  # fmt: skip


def test_every_door_is_open_to_whom_the_table_names_and_shut_to_the_others(house: House) -> None:
    wrong, asked = [], 0
    for method, rule, mark in doors(house.app):
        for role in EVERYBODY:
            answer = house.ask(role, method, path_of(house, rule), {})
            asked += 1
            if (told := _misjudged(mark, role, answer, _is_own(mark))) is not None:
                wrong.append(f"{method} {rule} as {role}: {answer.status_code}, {told}")
            answer.close()
    assert wrong == []
    assert asked >= 7 * 90


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


@pytest.mark.parametrize("role", [role for role in ROLES if role != "commander"])
def test_what_is_hidden_is_in_no_list_and_no_page(house: House, role: str) -> None:
    incident = house.ids["incident_id"]
    paths = ("", "/chat", "/feed", "/waiting", "/counts", "/menu", "/conflicts", "/map/data")
    addresses = [f"/incidents/{incident}{path}" for path in paths] + [
        f"/api/v1/channels?incident_id={incident}", f"/api/v1/chat-messages?incident_id={incident}",
        f"/api/v1/conflicts?incident_id={incident}",
    ]  # fmt: skip
    for address in addresses:
        text = house.ask(role, "GET", address).text
        assert "幹部だけ" not in text and "ここだけの話" not in text and house.ids["hidden"] not in text, address
