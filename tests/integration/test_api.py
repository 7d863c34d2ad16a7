"""The HTTP API against a real hub: its own store, log and tables, through the app that `serve` would run."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uuid6
from flask.testing import FlaskClient

from app import birth, permissions
from app.api.collection import new_id
from app.config import Settings
from app.factory import create_app
from app.node import Node
from app.records import etag
from app.store.folder import DataFolder
from app.store.keys import read_keys
from sync.errors import StoreFull

ROLES = ("admin", "commander", "hq_operator", "shelter_staff", "patrol", "viewer")


@dataclass
class Hub:
    """A hub in this process, with a person and a token of each role."""

    node: Node
    client: FlaskClient
    tokens: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, role: str | None = "hq_operator", **given: Any) -> Any:
        headers = given.pop("headers", {})
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        return self.client.open(path, method=method, headers=headers, **given)

    def post(self, collection: str, body: Any, role: str = "hq_operator", wanted: int = 201) -> Any:
        answer = self.ask("POST", f"/api/v1/{collection}", role, json=body)
        assert answer.status_code == wanted, answer.text
        return answer

    def operations(self) -> int:
        return int(self.node.reader().execute("SELECT count(*) FROM op").fetchone()[0])


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    home = tmp_path_factory.mktemp("hub")
    settings, folder = Settings(home=home, ballast_mb=0), DataFolder(home)
    birth.make_node(folder, "hub", "本部", settings, None)
    with folder.lock():
        node = Node.open(folder, read_keys(folder.keys, None), settings)
        app, _ = create_app(node)
        found = Hub(node, app.test_client())
        for role in ROLES:
            accounts = app.extensions["accounts"]
            found.people[role] = accounts.add_user(f"{role} の人", role, None).id
            found.tokens[role] = accounts.make_token(f"{role} の人")
        yield found
        node.close()


@pytest.fixture(scope="module")
def drill(hub: Hub) -> str:
    return str(hub.post("incidents", {"name": "訓練", "mode": "drill", "kind": "flood"}).json["id"])


@pytest.fixture(scope="module")
def channel(hub: Hub, drill: str) -> str:
    return str(hub.post("channels", {"incident_id": drill, "name": "全体"}).json["id"])


@pytest.fixture
def report(hub: Hub, drill: str) -> Any:
    return hub.post("damage-reports", {"incident_id": drill, "category": "road", "summary": "橋の前が冠水"}, "patrol")


FULL = {
    "category": "flood",
    "summary": "アンダーパスが冠水",
    "description": "車が1台止まっている",
    "urgency": "red",
    "certainty": "seen",
    "location": {"type": "Point", "coordinates": [139.67, 35.81]},
    "accuracy_m": 12.5,
    "address": "柳橋2丁目",
    "found_at": "2019-10-12T20:57:07+09:00",
    "passability": "impassable",
    "water_depth_cm": 80,
    "rescue_needed": True,
    "casualties": "suspected",
}


# -- what works ----------------------------------------------------------------------------------


def test_a_report_comes_back_as_it_was_posted_with_what_the_node_adds(hub: Hub, drill: str) -> None:
    made = hub.post("damage-reports", {"incident_id": drill, **FULL}, "patrol")
    shown = hub.ask("GET", f"/api/v1/damage-reports/{made.json['id']}")
    assert shown.json == made.json
    assert {name: made.json[name] for name in FULL} == FULL
    assert made.json["incident_id"] == drill
    assert (made.json["author"], made.json["node"]) == (hub.people["patrol"], hub.node.node_id)
    assert made.json["number"].startswith("H1-") and made.json["reporter_role"] == "patrol"
    assert made.json["created_at"].endswith("+09:00")
    assert made.headers["ETag"] == shown.headers["ETag"]
    assert made.headers["Location"].endswith(f"/api/v1/damage-reports/{made.json['id']}")


def test_the_same_id_and_content_again_is_200_and_no_second_record(hub: Hub, drill: str) -> None:
    body = {"id": str(uuid6.uuid7()), "incident_id": drill, **FULL}
    first = hub.post("damage-reports", body, "patrol")
    before = hub.operations()
    again = hub.post("damage-reports", body, "commander", wanted=200)
    assert again.json == first.json
    assert hub.operations() == before


def test_the_same_thing_after_somebody_edited_it_is_still_the_same_posting(hub: Hub, drill: str) -> None:
    body = {"id": str(uuid6.uuid7()), "incident_id": drill, "category": "tree", "summary": "倒木"}
    made = hub.post("damage-reports", body)
    path = f"/api/v1/damage-reports/{body['id']}"
    hub.ask("PATCH", path, json={"summary": "倒木2本"}, headers={"If-Match": made.headers["ETag"]})
    assert hub.post("damage-reports", body, wanted=200).json["summary"] == "倒木2本"


@pytest.mark.parametrize("changes", [{"summary": "別のこと"}, {"urgency": "white"}, {"urgency": None}])
def test_the_same_id_with_other_content_is_409(hub: Hub, drill: str, changes: dict[str, Any]) -> None:
    body = {"id": str(uuid6.uuid7()), "incident_id": drill, **FULL}
    hub.post("damage-reports", body)
    before = hub.operations()
    refused = hub.post("damage-reports", {**body, **changes}, wanted=409)
    assert (refused.json["code"], refused.json["field"]) == ("id_in_use", "id")
    assert hub.operations() == before


def test_the_same_id_in_another_incident_is_409(hub: Hub, drill: str) -> None:
    body = {"id": str(uuid6.uuid7()), "incident_id": drill, **FULL}
    hub.post("damage-reports", body)
    other = hub.post("incidents", {"name": "別", "mode": "test", "kind": "other"}).json["id"]
    assert hub.post("damage-reports", {**body, "incident_id": other}, wanted=409).json["code"] == "id_in_use"


def test_two_windows_that_save_the_same_field_both_keep_their_value(hub: Hub, report: Any) -> None:
    path, seen = f"/api/v1/damage-reports/{report.json['id']}", {"If-Match": report.headers["ETag"]}
    first = hub.ask("PATCH", path, json={"passability": "passable"}, headers=dict(seen))
    second = hub.ask("PATCH", path, json={"passability": "impassable"}, headers=dict(seen))
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json["passability"] == "impassable"  # the more dangerous one is shown
    assert second.json["conflicts"] == 1
    found = [
        item for item in hub.ask("GET", "/api/v1/conflicts").json["items"] if item["record_id"] == report.json["id"]
    ]
    assert [(item["collection"], item["field"], item["shown"]) for item in found] == [
        ("damage-reports", "passability", "impassable")
    ]
    assert {value["value"] for value in found[0]["values"]} == {"passable", "impassable"}
    settled = hub.ask("PATCH", path, json={"passability": "one_lane"}, headers={"If-Match": second.headers["ETag"]})
    assert (settled.json["passability"], settled.json["conflicts"]) == ("one_lane", 0)


def test_a_star_replaces_whatever_is_shown(hub: Hub, report: Any) -> None:
    path = f"/api/v1/damage-reports/{report.json['id']}"
    hub.ask("PATCH", path, json={"urgency": "red"}, headers={"If-Match": report.headers["ETag"]})
    answer = hub.ask("PATCH", path, json={"urgency": "green"}, headers={"If-Match": "*"})
    assert (answer.json["urgency"], answer.json["conflicts"]) == ("green", 0)


def test_a_field_is_emptied_by_null(hub: Hub, report: Any) -> None:
    path = f"/api/v1/damage-reports/{report.json['id']}"
    hub.ask("PATCH", path, json={"address": "柳橋"}, headers={"If-Match": "*"})
    answer = hub.ask("PATCH", path, json={"address": None}, headers={"If-Match": "*"})
    assert answer.json["address"] is None


def test_the_history_shows_every_operation_oldest_first(hub: Hub, report: Any) -> None:
    path = f"/api/v1/damage-reports/{report.json['id']}"
    hub.ask("PATCH", path, "commander", json={"found_at": FULL["found_at"]}, headers={"If-Match": "*"})
    lines = hub.ask("GET", f"{path}/history").json["items"]
    assert [line["author"] for line in lines] == [hub.people["patrol"], hub.people["commander"]]
    assert lines[0]["fields"]["summary"] == "橋の前が冠水"
    assert lines[1]["fields"] == {"found_at": FULL["found_at"]}
    assert all(line["counts"] and line["at"].endswith("+09:00") for line in lines)


def test_the_history_tells_who_wrote_without_having_looked(hub: Hub, report: Any) -> None:
    path = f"/api/v1/damage-reports/{report.json['id']}"
    hub.ask("PATCH", path, json={"urgency": "red"}, headers={"If-Match": report.headers["ETag"]})
    hub.ask("PATCH", path, json={"urgency": "green"}, headers={"If-Match": "*"})
    lines = hub.ask("GET", f"{path}/history").json["items"]
    assert [line["overwrites"] for line in lines] == [False, False, True]
    assert lines[2]["fields"] == {"urgency": "green"}


def test_a_message_takes_its_incident_from_the_channel(hub: Hub, drill: str, channel: str) -> None:
    made = hub.post("chat-messages", {"channel_id": channel, "text": "了解"}, "shelter_staff")
    assert made.json["incident_id"] == drill
    listed = hub.ask("GET", f"/api/v1/chat-messages?channel_id={channel}").json["items"]
    assert made.json in listed


def test_messages_are_listed_newest_first_and_page_by_page(hub: Hub, drill: str) -> None:
    channel = hub.post("channels", {"incident_id": drill, "name": "ページ"}).json["id"]
    for number in range(7):
        hub.post("chat-messages", {"channel_id": channel, "text": f"{number}"})
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        page = hub.ask("GET", f"/api/v1/chat-messages?channel_id={channel}&limit=3{cursor}").json
        seen += [item["text"] for item in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == list("6543210")
    assert page["next_cursor"] is None


def test_a_channel_with_members_is_for_its_members(hub: Hub, drill: str) -> None:
    members = [hub.people["commander"]]
    closed = hub.post("channels", {"incident_id": drill, "name": "本部だけ", "members": members}, "commander").json[
        "id"
    ]
    message = hub.post("chat-messages", {"channel_id": closed, "text": "内密"}, "commander").json["id"]
    for path in (f"channels/{closed}", f"chat-messages/{message}", f"delivery/{message}"):
        assert hub.ask("GET", f"/api/v1/{path}", "commander").status_code == 200
        assert hub.ask("GET", f"/api/v1/{path}", "viewer").status_code == 404
    assert "内密" not in hub.ask("GET", "/api/v1/chat-messages?limit=500", "viewer").text
    refused = hub.post("chat-messages", {"channel_id": closed, "text": "x"}, "patrol", wanted=422)
    assert refused.json["code"] == "unknown_channel"


def test_members_of_a_channel_come_and_go(hub: Hub, drill: str) -> None:
    one, two = hub.people["patrol"], hub.people["admin"]
    made = hub.post("channels", {"incident_id": drill, "name": "班", "members": [one]}, "patrol")
    path = f"/api/v1/channels/{made.json['id']}"
    changed = hub.ask("PATCH", path, "patrol", json={"members": [one, two]}, headers={"If-Match": made.headers["ETag"]})
    assert set(changed.json["members"]) == {one, two}
    left = hub.ask("PATCH", path, "patrol", json={"members": [two]}, headers={"If-Match": "*"})
    assert left.json["members"] == [two]


def test_the_filters_of_a_list(hub: Hub) -> None:
    incident = hub.post("incidents", {"name": "絞り込み", "mode": "test", "kind": "flood"}).json["id"]
    near = hub.post("damage-reports", {"incident_id": incident, **FULL}).json
    done = {"incident_id": incident, "category": "road", "summary": "済", "response_status": "done"}
    far = hub.post("damage-reports", done).json
    path = f"/api/v1/damage-reports?incident_id={incident}"

    def ids(query: str) -> list[str]:
        return [item["id"] for item in hub.ask("GET", path + query).json["items"]]

    assert ids("") == [far["id"], near["id"]]
    assert ids("&status=open") == [near["id"]]
    assert ids("&status=done,accepted") == [far["id"]]
    assert ids("&bbox=139,35,140,36") == [near["id"]]
    assert set(ids("&since=" + near["created_at"])) == {near["id"], far["id"]}  # also with the + unescaped
    assert ids("&since=2099-01-01T00:00:00Z") == []


def test_totals_say_as_of_when_and_keep_unknown_apart_from_zero(hub: Hub) -> None:
    incident = hub.post("incidents", {"name": "合計", "mode": "test", "kind": "flood"}).json["id"]
    hub.post("damage-reports", {"incident_id": incident, **FULL})
    shelter = hub.post("shelters", {"name": "第一小"}).json["id"]
    opening = {"incident_id": incident, "shelter_id": shelter, "opening_status": "open"}
    hub.post("shelter-openings", opening, "shelter_staff")
    hub.post("patrol-points", {"incident_id": incident, "status": "caution"}, "patrol")
    found = hub.ask("GET", f"/api/v1/totals?incident_id={incident}", "viewer").json
    assert found["people"]["value"] is None and found["people"]["as_of"].endswith("+09:00")
    assert found["damage_reports"] == {"open": 1, "in_progress": 0, "done": 0}
    assert found["shelters"]["open"] == 1
    assert found["patrols"] == {"safe": 0, "caution": 1, "cleared": 0}


def test_delivery_tells_what_is_proved(hub: Hub, report: Any) -> None:
    found = hub.ask("GET", f"/api/v1/delivery/{report.json['id']}").json
    assert found["record_id"] == report.json["id"]
    assert found["recipients"][0]["saved_at"] and found["recipients"][0]["hub_at"]
    assert found["recipients"][0]["seen_at"] is None


def test_an_incident_is_opened_now_closed_and_opened_again(hub: Hub) -> None:
    made = hub.post("incidents", {"name": "台風", "mode": "real", "kind": "typhoon"})
    assert made.json["opened_at"] and made.json["closed_at"] is None
    path = f"/api/v1/incidents/{made.json['id']}"
    closing = {"closed_at": "2026-01-01T00:00:00Z", "phase": "終結"}
    closed = hub.ask("PATCH", path, json=closing, headers={"If-Match": made.headers["ETag"]})
    assert closed.json["closed_at"] == "2026-01-01T09:00:00+09:00"
    again = hub.ask("PATCH", path, json={"closed_at": None}, headers={"If-Match": closed.headers["ETag"]})
    assert again.json["closed_at"] is None


def test_a_drill_is_never_joined_with_the_real_thing(hub: Hub, drill: str) -> None:
    body = {"name": "本番", "mode": "real", "kind": "flood", "same_as": drill}
    assert hub.post("incidents", body, wanted=422).json["code"] == "other_mode"


def test_the_node_says_what_it_knows(hub: Hub) -> None:
    assert hub.ask("GET", "/healthz", None).json == {"ok": True}
    status = hub.ask("GET", "/api/v1/status", "viewer").json
    assert (status["node_id"], status["role"], status["unsent"]) == (hub.node.node_id, "hub", 0)
    assert {"hub", "vector", "digest", "conflicts", "quarantined", "awaited", "clock_offset_ms"} < set(status)
    nodes = hub.ask("GET", "/api/v1/nodes").json["items"]
    assert [node["label"] for node in nodes] == ["H1"]


def test_the_description_is_public_and_names_every_route(hub: Hub) -> None:
    document = hub.ask("GET", "/api/openapi.json", None).json
    for rule in hub.client.application.url_map.iter_rules():
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.openapi":
            path = rule.rule.replace("<", "{").replace(">", "}")
            methods = {method.lower() for method in rule.methods or ()} - {"head", "options"}
            assert methods <= set(document["paths"][path]), path


def test_every_route_of_the_api_has_a_row_of_the_table(hub: Hub) -> None:
    assert [line for line in permissions.undeclared_routes(hub.client.application) if "(api." in line] == []


# -- who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "collection", "body", "status"),
    [
        ("viewer", "damage-reports", {"category": "road", "summary": "x"}, 403),
        ("viewer", "chat-messages", {"text": "x"}, 403),
        ("patrol", "damage-reports", {"category": "road", "summary": "x"}, 201),
        ("patrol", "teams", {"name": "x"}, 403),
        ("patrol", "users", {"name": "x", "role": "admin"}, 403),
        ("commander", "users", {"name": "x", "role": "admin"}, 403),
        ("admin", "users", {"name": "新しい人", "role": "patrol"}, 201),
        ("hq_operator", "teams", {"name": "第1班"}, 201),
        ("viewer", "incidents", {"name": "x", "mode": "real", "kind": "flood"}, 403),
    ],
)
def test_a_role_may_do_what_its_row_says(
    hub: Hub, drill: str, role: str, collection: str, body: dict[str, Any], status: int
) -> None:
    if collection in ("damage-reports", "chat-messages"):
        body = {"incident_id": drill, **body}
    before = hub.operations()
    answer = hub.ask("POST", f"/api/v1/{collection}", role, json=body)
    assert answer.status_code == status, answer.text
    assert (hub.operations() > before) == (status == 201)


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x", "Basic x", "Bearer é", "Bearer " + "x" * 5_000, "x"])
def test_without_a_token_that_is_known_nothing_is_told(hub: Hub, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = hub.ask("GET", "/api/v1/incidents", None, headers=headers)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_channel_is_changed_by_its_maker_or_by_hq(hub: Hub, drill: str) -> None:
    made = hub.post("channels", {"incident_id": drill, "name": "巡回"}, "patrol").json["id"]
    path, star = f"/api/v1/channels/{made}", {"If-Match": "*"}
    assert hub.ask("PATCH", path, "shelter_staff", json={"name": "x"}, headers=dict(star)).status_code == 403
    assert hub.ask("PATCH", path, "patrol", json={"name": "巡回班"}, headers=dict(star)).status_code == 200
    assert hub.ask("PATCH", path, "commander", json={"name": "巡回1"}, headers=dict(star)).status_code == 200


# -- bad input: a 4xx problem, and nothing has changed ----------------------------------------------


def good(drill: str, **changes: Any) -> dict[str, Any]:
    return {"incident_id": drill, "category": "road", "summary": "x", **changes}


BAD_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"category": None}, "required", "category"),
    ({"category": "volcano"}, "unknown_code", "category"),
    ({"summary": None}, "required", "summary"),
    ({"summary": ""}, "empty", "summary"),
    ({"summary": "x" * 201}, "too_long", "summary"),
    ({"summary": "a\0b"}, "bad_text", "summary"),
    ({"summary": "\ud800"}, "bad_text", "summary"),
    ({"summary": 5}, "wrong_type", "summary"),
    ({"description": "水" * 2_001}, "too_long", "description"),
    ({"found_at": "2019-10-12T20:57:07"}, "bad_time", "found_at"),
    ({"found_at": "9999-12-31T23:59:59Z"}, "bad_time", "found_at"),
    ({"found_at": "0001-01-01T00:00:00+14:00"}, "bad_time", "found_at"),
    ({"found_at": 1570881427000}, "bad_time", "found_at"),
    ({"location": {"type": "Point", "coordinates": [200, 35]}}, "bad_position", "location"),
    ({"location": [139, 35]}, "bad_position", "location"),
    ({"water_depth_cm": 10**30}, "out_of_range", "water_depth_cm"),
    ({"water_depth_cm": -1}, "out_of_range", "water_depth_cm"),
    ({"water_depth_cm": 1.5}, "wrong_type", "water_depth_cm"),
    ({"accuracy_m": float("nan")}, "out_of_range", "accuracy_m"),
    ({"accuracy_m": float("inf")}, "out_of_range", "accuracy_m"),
    ({"rescue_needed": "yes"}, "wrong_type", "rescue_needed"),
    ({"number": "H1-0001"}, "read_only", "number"),
    ({"author": None}, "read_only", "author"),
    ({"created_at": "2019-10-12T20:57:07Z"}, "read_only", "created_at"),
    ({"colour": "red"}, "unknown_field", "colour"),
    ({"attachments": ["a" * 64]}, "unknown_attachment", "attachments"),
    ({"same_as": "01920000-0000-7000-8000-000000000009"}, "unknown_report", "same_as"),
    ({"team": "第1班"}, "bad_id", "team"),
    ({"id": "x"}, "bad_id", "id"),
    ({"id": None}, "bad_id", "id"),
    ({"id": "f47ac10b-58cc-4372-a567-0e02b2c3d479"}, "bad_id", "id"),
    ({"incident_id": None}, "required", "incident_id"),
    ({"incident_id": "x"}, "bad_id", "incident_id"),
    ({"incident_id": "01920000-0000-7000-8000-000000000009"}, "unknown_incident", "incident_id"),
]


@pytest.mark.parametrize(("changes", "code", "wrong"), BAD_FIELDS)
def test_a_wrong_value_is_422_and_names_its_field(
    hub: Hub, drill: str, changes: dict[str, Any], code: str, wrong: str
) -> None:
    before = hub.operations()
    answer = hub.ask(
        "POST",
        "/api/v1/damage-reports",
        data=json.dumps(good(drill, **changes)),
        content_type="application/json",
    )
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), answer.text
    assert (answer.json["code"], answer.json["field"], answer.json["status"]) == (code, wrong, 422)
    assert answer.json["hint"] and answer.json["title"] and answer.json["type"] and answer.json["detail"]
    assert hub.operations() == before


BAD_BODIES: list[tuple[bytes, str, int]] = [
    (b"", "application/json", 400),
    (b"{", "application/json", 400),
    (b"\xff\xfe", "application/json", 400),
    (b"[]", "application/json", 400),
    (b"null", "application/json", 400),
    (b"summary=x", "application/x-www-form-urlencoded", 415),
    (b"{}", "text/plain", 415),
    (b'{"summary": "a", "summary": "b"}', "application/json", 422),
    (b'{"accuracy_m": 1e400}', "application/json", 422),
    (b'{"water_depth_cm": 1000000000000000000000000000000}', "application/json", 422),
    (b"[" * 100_000, "application/json", 413),
    (b"[" * 60_000, "application/json", 422),
    (b'{"a":' * 10_000, "application/json", 422),
    (b'{"summary": "' + b"x" * 70_000 + b'"}', "application/json", 413),
    (b'{"summary": "\\ud800"}', "application/json", 422),
    (b'{"\\u0000": 1}', "application/json", 422),
    (b'{"__proto__": 1}', "application/json", 422),
]


@pytest.mark.parametrize(("body", "media_type", "status"), BAD_BODIES)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_body_that_is_no_form_is_a_4xx_problem(
    hub: Hub, drill: str, report: Any, method: str, body: bytes, media_type: str, status: int
) -> None:
    path = "/api/v1/damage-reports" + (f"/{report.json['id']}" if method == "PATCH" else "")
    before = hub.operations()
    answer = hub.ask(method, path, data=body, content_type=media_type, headers={"If-Match": "*"})
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    assert answer.json["code"] and answer.json["hint"]
    assert hub.operations() == before


STRANGER = etag.make_etag([(b"s" * 16, 1)])


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 428),
        ("", 428),
        ("junk", 400),
        ('W/"abc"', 400),
        ('"a", "b"', 400),
        ('"junk"', 412),
        (STRANGER, 412),
        ('"' + "A" * 9_000 + '"', 412),
    ],
)
def test_an_if_match_that_is_none_of_the_records_changes_nothing(
    hub: Hub, report: Any, header: str | None, status: int
) -> None:
    before = hub.operations()
    headers = {} if header is None else {"If-Match": header}
    answer = hub.ask("PATCH", f"/api/v1/damage-reports/{report.json['id']}", json={"urgency": "red"}, headers=headers)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert hub.operations() == before


def test_the_etag_of_another_record_is_412(hub: Hub, report: Any, drill: str) -> None:
    other = hub.post("damage-reports", good(drill))
    path = f"/api/v1/damage-reports/{report.json['id']}"
    answer = hub.ask("PATCH", path, json={"urgency": "red"}, headers={"If-Match": other.headers["ETag"]})
    assert answer.status_code == 412


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "nothing_to_change"),
        ({"id": "01920000-0000-7000-8000-000000000009"}, "unknown_field"),
        ({"incident_id": "01920000-0000-7000-8000-000000000009"}, "unknown_field"),
        ({"summary": None}, "required"),
        ({"node": "x"}, "read_only"),
    ],
)
def test_an_edit_that_cannot_be_is_422(hub: Hub, report: Any, body: dict[str, Any], code: str) -> None:
    path = f"/api/v1/damage-reports/{report.json['id']}"
    answer = hub.ask("PATCH", path, json=body, headers={"If-Match": "*"})
    assert (answer.status_code, answer.json["code"]) == (422, code)


@pytest.mark.parametrize(
    "query",
    [
        "limit=501",
        "limit=0",
        "limit=x",
        "limit=1&limit=2",
        "cursor=junk",
        "cursor=%00",
        "cursor=%ed%a0%80",
        "cursor=" + "A" * 5_000,
        "since=yesterday",
        "since=2019-10-12T00:00:00",
        "since=99999-01-01T00:00:00Z",
        "bbox=1,2,3",
        "bbox=nan,0,1,1",
        "status=asleep",
        "status=",
        "incident_id=x",
        "incident_id=%00",
        "colour=red",
    ],
)
def test_a_query_that_cannot_be_is_422(hub: Hub, query: str) -> None:
    answer = hub.ask("GET", f"/api/v1/damage-reports?{query}")
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), answer.text
    assert answer.json["field"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v2/incidents", 404),
        ("GET", "/api/v1/damage-reports/x", 404),
        ("GET", "/api/v1/damage-reports/01920000-0000-7000-8000-000000000009", 404),
        ("GET", "/api/v1/damage-reports/%00", 404),
        ("GET", "/api/v1/damage-reports/01920000-0000-7000-8000-000000000009/history", 404),
        ("GET", "/api/v1/delivery/x", 404),
        ("GET", "/api/v1/damage-reports?incident_id=01920000-0000-7000-8000-000000000009", 404),
        ("GET", "/api/v1/totals", 422),
        ("GET", "/api/v1/totals?incident_id=01920000-0000-7000-8000-000000000009", 404),
        ("DELETE", "/api/v1/incidents", 405),
        ("PUT", "/api/v1/damage-reports/01920000-0000-7000-8000-000000000009", 405),
        ("POST", "/api/v1/status", 405),
        ("POST", "/api/v1/nodes", 405),
        ("PATCH", "/api/v1/damage-reports/x", 404),
    ],
)
def test_a_wrong_address_is_a_problem_too(hub: Hub, method: str, path: str, status: int) -> None:
    answer = hub.ask(method, path, json={} if method in ("POST", "PATCH", "PUT") else None)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    if status == 405:
        assert "GET" in answer.headers["Allow"]


def test_an_entry_of_a_ledger_is_never_changed(hub: Hub, channel: str) -> None:
    made = hub.post("chat-messages", {"channel_id": channel, "text": "了解"}).json["id"]
    answer = hub.ask("PATCH", f"/api/v1/chat-messages/{made}", json={"text": "x"}, headers={"If-Match": "*"})
    assert answer.status_code == 405


def test_a_message_of_a_channel_of_another_incident_is_refused(hub: Hub, channel: str) -> None:
    other = hub.post("incidents", {"name": "別", "mode": "test", "kind": "other"}).json["id"]
    body = {"incident_id": other, "channel_id": channel, "text": "x"}
    assert hub.post("chat-messages", body, wanted=422).json["code"] == "wrong_incident"


def test_a_name_that_somebody_has_is_409(hub: Hub) -> None:
    hub.post("users", {"name": "鈴木", "role": "patrol"}, "admin")
    assert hub.post("users", {"name": "鈴木", "role": "viewer"}, "admin", wanted=409).json["code"] == "name_taken"


def test_a_full_disk_is_said_with_a_hint(hub: Hub, drill: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise StoreFull("the disk is full")

    monkeypatch.setattr(hub.node, "write", full)
    answer = hub.ask("POST", "/api/v1/damage-reports", json=good(drill))
    assert (answer.status_code, answer.json["code"]) == (409, "store_full")
    assert "disk" in answer.json["hint"]


def test_a_terminal_that_is_not_enrolled_writes_nothing(tmp_path: Path) -> None:
    settings, folder = Settings(home=tmp_path / "t", ballast_mb=0), DataFolder(tmp_path / "t")
    birth.make_node(folder, "terminal", "T", settings, None)
    node = Node.open(folder, read_keys(folder.keys, None), settings)
    try:
        app, _ = create_app(node)
        assert app.test_client().get("/healthz").json == {"ok": True}
        assert app.test_client().post("/api/v1/incidents", json={}).status_code == 401
        assert node.reader().execute("SELECT count(*) FROM op").fetchone()[0] == 0
    finally:
        node.close()


@pytest.mark.parametrize(
    ("collection", "body", "status"),
    [
        ("teams", {"name": "第9班"}, 403),
        ("shelters", {"name": "第九小"}, 403),
        ("users", {"name": "端末の人", "role": "patrol"}, 201),
        ("incidents", {"name": "孤立中", "mode": "real", "kind": "flood"}, 201),
    ],
)
def test_a_field_device_refuses_what_no_other_node_would_count(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, collection: str, body: dict[str, Any], status: int
) -> None:
    held = hub.node.certificate
    assert held is not None
    field_only = dataclasses.replace(held, capabilities=("field",))
    monkeypatch.setattr(Node, "certificate", property(lambda node: field_only))
    before = hub.operations()
    answer = hub.ask("POST", f"/api/v1/{collection}", "admin", json=body)
    assert answer.status_code == status, answer.text
    if status == 403:
        assert answer.json["code"] == "device_not_capable"
        assert hub.operations() == before


def test_ids_made_here_are_of_version_7_and_of_the_time_handed_in() -> None:
    made = new_id(1_570_881_427_000)
    assert made.version == 7
    assert made.int >> 80 == 1_570_881_427_000
    assert len({new_id(0) for _ in itertools.repeat(None, 100)}) == 100
