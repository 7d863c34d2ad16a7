"""Instructions and their answers over the API of one hub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from uuid6 import uuid7
from werkzeug.test import TestResponse

from app import birth, verifier
from app.config import Settings
from app.factory import create_app
from app.node import Node
from app.store import envelope
from app.store.folder import DataFolder
from app.store.keys import read_keys


@dataclass
class Api:
    app: Any
    tokens: dict[str, str]
    ids: dict[str, str]

    def ask(self, who: str, method: str, path: str, document: Any = None, **headers: str) -> TestResponse:
        given = {"Authorization": f"Bearer {self.tokens[who]}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        client = self.app.test_client()
        answer: TestResponse = client.open(f"/api/v1/{path}", method=method, json=document, headers=given)
        return answer

    def made(self, who: str, path: str, **document: Any) -> dict[str, Any]:
        answer = self.ask(who, "POST", path, {"id": str(uuid7()), **document})
        assert answer.status_code == 201, answer.text
        return dict(answer.get_json())

    def rungs(self, instruction: str) -> dict[str, dict[str, Any]]:
        found = self.ask("commander", "GET", f"delivery/{instruction}").get_json()["recipients"]
        return {one["recipient"]: one for one in found}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifier, "make", lambda passphrase: verifier.NOBODY)
        patch.setattr(envelope, "MEMORY_KIB", 64)
        folder = DataFolder(tmp_path_factory.mktemp("orders") / "hub")
        settings = Settings(folder.path, ballast_mb=0)
        birth.make_node(folder, "hub", "本部", settings, None)
        node = Node.open(folder, read_keys(folder.keys, None), settings)
        app, _ = create_app(node)
        people = app.extensions["accounts"]
        ids = {
            role: people.add_user(role, role, "a-long-enough-passphrase").id
            for role in ("commander", "patrol", "viewer")
        }
        built = Api(app, {role: people.make_token(role) for role in ids}, ids)
        incident = built.made("commander", "incidents", name="訓練", mode="drill", kind="flood")["id"]
        ids["incident"], ids["team"] = incident, built.made("commander", "teams", name="巡回3班")["id"]
        yield built
        node.close()


def given(api: Api, *recipients: str, **more: Any) -> dict[str, Any]:
    named = [api.ids[name] for name in recipients]
    return api.made(
        "commander", "instructions", incident_id=api.ids["incident"], text="土のうを積む", recipients=named, **more
    )


def test_an_instruction_has_a_number_and_its_recipients_rungs(api: Api) -> None:
    made = given(api, "patrol", "team", priority="urgent")
    assert made["number"] == "H1-0001"
    assert made["priority"] == "urgent"
    rungs = api.rungs(made["id"])
    assert set(rungs) == {api.ids["patrol"], api.ids["team"]}
    assert rungs[api.ids["patrol"]]["saved_at"] and rungs[api.ids["patrol"]]["hub_at"]
    assert rungs[api.ids["patrol"]]["ack_at"] is None


def test_an_answer_moves_the_rung_and_gives_its_reason(api: Api) -> None:
    made = given(api, "patrol")
    api.made("patrol", "instruction-replies", instruction_id=made["id"], state="ack")
    api.made("patrol", "instruction-replies", instruction_id=made["id"], state="cannot", reason="道が通れない")
    rung = api.rungs(made["id"])[api.ids["patrol"]]
    assert rung["ack_at"] and rung["cannot_at"] and rung["reason"] == "道が通れない"
    assert rung["done_at"] is None


def test_who_gives_instructions_writes_down_what_was_said_by_voice(api: Api) -> None:
    made = given(api, "team")
    document = {"instruction_id": made["id"], "state": "ack", "on_behalf_of": api.ids["team"], "means": "radio"}
    assert api.ask("patrol", "POST", "instruction-replies", document).status_code == 403
    api.made("commander", "instruction-replies", **document)
    assert api.rungs(made["id"])[api.ids["team"]]["ack_at"]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"recipients": []}, "required"),
        ({"recipients": [str(uuid7())]}, "unknown_recipient"),
        ({"text": "x" * 10_000}, "too_long"),
        ({"priority": "at once"}, "unknown_code"),
        ({"text": ""}, "empty"),
        ({"recipients": "patrol"}, "wrong_type"),
    ],
)
def test_a_wrong_instruction_is_refused_and_writes_nothing(api: Api, document: Any, code: str) -> None:
    before = api.ask("commander", "GET", "instructions?limit=500").get_json()["items"]
    right = {"incident_id": api.ids["incident"], "text": "x", "recipients": [api.ids["patrol"]]}
    answer = api.ask("commander", "POST", "instructions", right | document)
    assert (answer.status_code, answer.get_json()["code"]) == (422, code)
    assert answer.get_json()["hint"]
    assert api.ask("commander", "GET", "instructions?limit=500").get_json()["items"] == before


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"state": "cannot"}, "required"),
        ({"state": "seen"}, "unknown_code"),
        ({"instruction_id": str(uuid7())}, "unknown_instruction"),
        ({"on_behalf_of": str(uuid7())}, "not_a_recipient"),
    ],
)
def test_a_wrong_answer_is_refused(api: Api, document: Any, code: str) -> None:
    made = given(api, "patrol")
    answer = api.ask(
        "commander", "POST", "instruction-replies", {"instruction_id": made["id"], "state": "ack"} | document
    )
    assert (answer.status_code, answer.get_json()["code"]) == (422, code)


def test_texts_of_every_direction_and_emoji_come_back_as_they_were_sent(api: Api) -> None:
    text = "🚒 至急\u202e逆\u202c אבג 葛\U000e0100城市"
    made = api.made(
        "commander", "instructions", incident_id=api.ids["incident"], text=text, recipients=[api.ids["patrol"]]
    )
    assert api.ask("viewer", "GET", f"instructions/{made['id']}").get_json()["text"] == text


def test_an_answer_to_one_that_was_withdrawn_is_kept_and_asks_nobody(api: Api) -> None:
    made = given(api, "patrol")
    answer = api.ask(
        "commander", "PATCH", f"instructions/{made['id']}", {"withdrawn_at": "2019-10-12T21:00:00+09:00"}, If_Match="*"
    )
    assert answer.status_code == 200
    reply = api.made("patrol", "instruction-replies", instruction_id=made["id"], state="ack")
    assert api.ask("viewer", "GET", f"instruction-replies/{reply['id']}").status_code == 200


def test_an_answer_is_taken_back_by_whoever_gave_it_and_both_stay(api: Api) -> None:
    made = given(api, "patrol")
    slip = api.made("patrol", "instruction-replies", instruction_id=made["id"], state="done")
    back = {"instruction_id": made["id"], "state": "taken_back", "takes_back": slip["id"]}
    refused = api.ask("commander", "POST", "instruction-replies", back)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_own_answer")
    for half in ({"state": "taken_back"}, {"takes_back": slip["id"]}):
        answer = api.ask("patrol", "POST", "instruction-replies", {**back, "state": "ack", "takes_back": None} | half)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "required")
    assert api.rungs(made["id"])[api.ids["patrol"]]["done_at"]
    api.made("patrol", "instruction-replies", **back)
    assert api.rungs(made["id"])[api.ids["patrol"]]["done_at"] is None
    listed = api.ask("viewer", "GET", f"instruction-replies?instruction_id={made['id']}").get_json()["items"]
    assert {one["state"] for one in listed} == {"done", "taken_back"}
    assert api.ask("patrol", "POST", "instruction-replies", back).status_code == 422  # once


def test_a_taking_back_that_is_sent_again_is_the_same(api: Api) -> None:
    made = given(api, "patrol")
    slip = api.made("patrol", "instruction-replies", instruction_id=made["id"], state="done")
    back = {"id": str(uuid7()), "instruction_id": made["id"], "state": "taken_back", "takes_back": slip["id"]}
    assert [api.ask("patrol", "POST", "instruction-replies", back).status_code for _ in range(2)] == [201, 200]


def test_an_answer_is_never_changed(api: Api) -> None:
    made = given(api, "patrol")
    reply = api.made("patrol", "instruction-replies", instruction_id=made["id"], state="ack")
    assert (
        api.ask("patrol", "PATCH", f"instruction-replies/{reply['id']}", {"state": "done"}, If_Match="*").status_code
        == 405
    )


def test_the_chronicle_is_corrected_by_a_line_that_is_here(api: Api) -> None:
    line = api.made("commander", "chronicle", incident_id=api.ids["incident"], text="市長が到着", source="phone")
    right = api.made(
        "commander", "chronicle", incident_id=api.ids["incident"], text="副市長が到着", corrects=line["id"]
    )
    assert right["corrects"] == line["id"]
    document = {"incident_id": api.ids["incident"], "text": "x", "corrects": str(uuid7())}
    assert api.ask("commander", "POST", "chronicle", document).get_json()["code"] == "unknown_line"


def test_a_text_of_a_hundred_thousand_characters_is_refused_in_words(api: Api) -> None:
    document = {"incident_id": api.ids["incident"], "text": "水" * 100_000, "recipients": [api.ids["patrol"]]}
    answer = api.ask("commander", "POST", "instructions", document)
    assert answer.status_code == 413
    assert answer.get_json()["hint"]
