"""A hub with a person of each role and something of each kind in it, asked in this process: for tests of every door."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
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


def built(folder: Path) -> Iterator[House]:
    """A furnished hub in this folder, until the generator goes on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifier, "make", lambda passphrase: verifier.NOBODY)
        yield from _built(folder, patch)


def _built(path: Path, patch: pytest.MonkeyPatch) -> Iterator[House]:
    from app import birth
    from app.config import Settings
    from app.store import envelope
    from app.store.folder import DataFolder
    from app.store.keys import read_keys

    patch.setattr(envelope, "MEMORY_KIB", 64)
    folder = DataFolder(path / "hub")
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
    ids["hidden file"] = _photographed(house, 96)
    ids["message_id"] = house.made("chat-messages", channel_id=ids["channel_id"], text="水位が上がっています")
    house.made("chat-messages", channel_id=ids["hidden"], text="ここだけの話", attachments=[ids["hidden file"]])
    ids["instruction_id"] = house.made(
        "instructions", incident_id=incident, text="土のうを積む", recipients=[ids["person patrol"]]
    )
    ids["person_id"] = house.made("staff", name="山田 太郎", from_level="first", phone="090-0000-0001")
    ids["bulletin_id"] = house.made(
        "bulletins", incident_id=incident, title="給水車が来ます", body="18時から", audience="citizens", pinned=True
    )
    ids["muster_id"] = house.made("musters", incident_id=incident, level="first")
    house.made("muster-replies", muster_id=ids["muster_id"], user=ids["person_id"], state="replied_ok")
    ids["meeting_id"] = house.made(
        "hq-meetings", incident_id=incident, meeting_no=1, held_at="2019-10-12T20:00:00+09:00", attendees=["chief"]
    )
    ids["decision_id"] = house.made("hq-meeting-decisions", hq_meeting_id=ids["meeting_id"], text="避難所を開ける")
    ids["team_id"] = house.made("teams", name="第1班")
    ids["note_id"] = house.made("handover-notes", incident_id=incident, text="あとをお願いします")
    ids["aside_id"] = house.made(
        "set-asides", incident_id=incident, rule="rescue_not_needed", about=ids["report_id"], facts="x", because="済み"
    )
    ids["phrase_id"] = house.made("report-phrases", text="道路が冠水", category="flood")
    ids["shelter_id"] = house.made("shelters", name="葦原小学校")
    ids["patrol_id"] = house.made(
        "patrols", incident_id=incident, name="左岸", started_at="2019-10-12T20:00:00+09:00", route=[[136.0, 31.5]]
    )
    house.made("patrol-tracks", patrol_id=ids["patrol_id"], points=[[136.0, 31.5, "2019-10-12T20:01:00+09:00", 8]])
    ids["point_id"] = house.made(
        "patrol-points",
        incident_id=incident,
        patrol_id=ids["patrol_id"],
        status="safe",
        location={"type": "Point", "coordinates": [136.0, 31.5]},
    )
    ids["code_id"] = make_code(house.node, approval=True).id


def _photographed(house: House, width: int = 64) -> str:
    answer = house.app.test_client().post(
        "/api/v1/attachments",
        data={"file": (io.BytesIO(photo(width, 48)), "x.jpg")},
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
        "version": "0", "form": "report", "kind": "damage-reports", "filename": "x", "token": "x",
        "envelope_id": str(uuid7()),
        "node_id": str(uuid.UUID(hex=house.node.node_id)),
        "record_id": house.ids.get(_noun_of(rule), house.ids["report_id"]),
    }  # fmt: skip
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: house.ids.get(found[1]) or named[found[1]], rule)


def _noun_of(rule: str) -> str:
    parts = rule.split("/")
    return {"channels": "channel_id", "incidents": "incident_id", "shelters": "shelter_id", "users": "person viewer",
            "damage-reports": "report_id", "instructions": "instruction_id", "patrols": "patrol_id",
            "report-phrases": "phrase_id", "staff": "person_id", "musters": "muster_id",
            "bulletins": "bulletin_id", "hq-meetings": "meeting_id", "hq-meeting-decisions": "decision_id",
            }.get(parts[3] if len(parts) > 3 else "", "")  # fmt: skip
