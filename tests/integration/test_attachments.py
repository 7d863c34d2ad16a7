# ruff: noqa: F811 - the fixtures are those of test_api
"""Photos and voice memos over HTTP on a real hub: what is taken, what is refused, what a record may name."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import pytest
import uuid6

from app.errors import Invalid
from app.intake import receive
from app.queries import drafts, row
from app.queries.row import Where
from tests import photos
from tests.integration.test_api import Hub, drill, hub  # noqa: F401


def send(hub: Hub, data: bytes, name: str = "写真.jpg", role: str = "patrol", declared: str = "image/jpeg") -> Any:
    head = f'--X\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {declared}\r\n\r\n'
    body = head.encode() + data + b"\r\n--X--\r\n"
    return hub.ask("POST", "/api/v1/attachments", role, data=body, content_type="multipart/form-data; boundary=X")


def descriptions(hub: Hub, sha256: str) -> list[Any]:
    where = Where().also("sha256 = ?", sha256)
    return row.select(hub.node.reader(), row.kind_of("attachments"), where)


# -- what is taken -------------------------------------------------------------------------------


def test_a_photo_is_kept_made_anew_and_read_back_by_its_hash(hub: Hub) -> None:
    data = photos.photo(position=(139.67, 35.81))
    made = send(hub, data)
    assert made.status_code == 201, made.text
    assert set(made.json) == {"sha256", "size", "media_type"}
    shown = hub.ask("GET", made.headers["Location"], "viewer")
    assert shown.status_code == 200 and len(shown.data) == made.json["size"]
    assert shown.mimetype == "image/jpeg" == made.json["media_type"]
    assert photos.CANARY not in shown.data and b"Exif" not in shown.data
    assert shown.headers["ETag"] == f'"{made.json["sha256"]}"'
    assert shown.headers["Content-Disposition"] == "attachment"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown.headers["Content-Security-Policy"]


def test_the_same_file_again_is_200_with_the_same_hash(hub: Hub) -> None:
    data = photos.photo(seed=2)
    first, second = send(hub, data), send(hub, data, name="copy.png")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json == second.json


def test_a_payload_behind_the_end_of_a_jpeg_is_gone(hub: Hub) -> None:
    tail = b"<script>CANARY-behind-the-end</script>"
    made = send(hub, photos.photo(seed=3) + tail)
    facts = describing(hub, made.json["sha256"])
    for name in ("sha256", "view", "thumb"):
        kept = hub.node.blobs.read(facts[name])
        assert b"CANARY" not in kept and b"script" not in kept


def describing(hub: Hub, sha256: str) -> dict[str, Any]:
    from app.intake import naming

    facts = naming.facts_of(hub.node.reader(), sha256)
    assert facts is not None
    return facts


def test_a_name_with_dots_and_a_turned_direction_means_nothing(hub: Hub) -> None:
    data = photos.photo(seed=4)
    answers = [
        send(hub, data, name=name, declared="text/html") for name in ("../../etc/passwd", "gpj.\u202ephp.exe", "x")
    ]
    assert {answer.status_code for answer in answers} == {200, 201}
    assert len({answer.json["sha256"] for answer in answers}) == 1


def test_parts_of_a_file_are_read_by_range(hub: Hub) -> None:
    made = send(hub, photos.voice(), "memo.webm")
    assert made.status_code == 201 and made.json["media_type"] == "audio/webm"
    path, size = made.headers["Location"], made.json["size"]
    whole = hub.ask("GET", path).data
    part = hub.ask("GET", path, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.data) == (206, whole[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{size}"
    last = hub.ask("GET", path, headers={"Range": "bytes=-50"})
    assert (last.status_code, last.data) == (206, whole[-50:])
    assert hub.ask("GET", path, headers={"Range": f"bytes={size}-"}).status_code == 416
    assert hub.ask("GET", path, headers={"If-None-Match": f'"{made.json["sha256"]}"'}).status_code == 304


# -- what is refused -----------------------------------------------------------------------------

REFUSED = {
    "svg": (photos.SVG, 415, "svg_refused"),
    "gif": (photos.GIF, 415, "gif_refused"),
    "html": (photos.HTML, 415, "html_refused"),
    "pdf": (photos.PDF, 415, "pdf_refused"),
    "text": (b"hello", 415, "unknown_file"),
    "empty": (b"", 422, "empty_file"),
    "bomb": (photos.bomb(), 422, "too_many_pixels"),
    "truncated": (photos.photo()[:20_000], 422, "broken_file"),
    "only a head": (b"\xff\xd8\xff\xe0", 422, "broken_file"),
    "html dressed as jpeg": (b"\xff\xd8\xff" + photos.HTML, 422, "broken_file"),
    "long voice": (photos.voice(65), 422, "voice_too_long"),
    "broken voice": (photos.voice()[:300], 422, "broken_file"),
    "video": (photos.video(), 415, "video_refused"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_photo_gets_one_clear_error_and_keeps_nothing(hub: Hub, name: str) -> None:
    data, status, code = REFUSED[name]
    before = hub.operations(), noted(hub), hub.node.blobs.count()
    answer = send(hub, data)
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert answer.json["field"] == "file" and answer.json["hint"]
    assert (hub.operations(), noted(hub), hub.node.blobs.count()) == before


def noted(hub: Hub) -> int:
    return int(hub.node.reader().execute("SELECT count(*) FROM attachment_facts").fetchone()[0])


def test_more_than_12_mb_is_413_before_it_is_read(hub: Hub) -> None:
    data = b"\xff\xd8\xff" + b"\0" * (12 << 20)
    answer = send(hub, data)
    assert (answer.status_code, answer.json["code"]) == (413, "file_too_large")
    assert send(hub, data + b"\0" * (1 << 20)).json["code"] == "file_too_large"
    other = hub.ask("POST", "/api/v1/incidents", data=b"x" * (2 << 20), content_type="application/json")
    assert other.status_code == 413


def test_a_body_that_is_no_form_and_a_form_without_a_file_are_refused(hub: Hub) -> None:
    bare = hub.ask("POST", "/api/v1/attachments", data=photos.photo(), content_type="image/jpeg")
    assert (bare.status_code, bare.json["code"]) == (415, "not_multipart")
    empty = hub.ask("POST", "/api/v1/attachments", data={"x": "1"}, content_type="multipart/form-data")
    assert (empty.status_code, empty.json["code"]) == (422, "required")
    assert send(hub, photos.photo(), role="viewer").status_code == 403
    assert hub.ask("POST", "/api/v1/attachments", None, data=b"").status_code == 401


def test_a_hash_that_nobody_named_is_404_and_one_that_is_no_hash_422(hub: Hub) -> None:
    assert hub.ask("GET", f"/api/v1/attachments/{'0' * 64}").json["code"] == "not_found"
    assert hub.ask("GET", "/api/v1/attachments/..%2f..%2fetc").status_code in (404, 422)


def test_a_reader_that_is_killed_leaves_a_clear_error_and_nothing_kept(
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = []
    real = receive.child.subprocess.Popen

    def spawn(*arguments: Any, **options: Any) -> Any:
        process = real(*arguments, **options)
        began.append(process)
        os.kill(process.pid, signal.SIGKILL)
        return process

    before = noted(hub)
    monkeypatch.setattr(receive.child.subprocess, "Popen", spawn)
    answer = send(hub, photos.photo(seed=5))
    assert began and (answer.status_code, answer.json["code"]) == (422, "file_not_read")
    assert noted(hub) == before


def test_no_more_than_two_readers_run_at_once_and_a_crowd_is_sent_away(
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    door = receive.Intake(hub.node)
    running, most, go, two = set[int](), [0], threading.Event(), threading.Semaphore(0)

    def made(*_: Any) -> dict[str, Any]:
        running.add(threading.get_ident())
        most[0] = max(most[0], len(running))
        two.release()
        go.wait(20)
        running.discard(threading.get_ident())
        raise Invalid("broken_file", "no picture")

    monkeypatch.setattr(receive, "_made", made)

    def one() -> None:
        with pytest.raises(Invalid):
            door.take(photos.photo(40, 30))

    crowd = [threading.Thread(target=one) for _ in range(receive.CHILDREN_MAX + receive.WAITING_MAX)]
    for thread in crowd:
        thread.start()
    assert two.acquire(timeout=20) and two.acquire(timeout=20)
    while door._inside < len(crowd):
        go.wait(0.01)
    with pytest.raises(receive.StoreUnavailable) as refused:
        door.take(photos.photo(40, 30))
    assert refused.value.code == "intake_busy"
    go.set()
    for thread in crowd:
        thread.join(20)
    assert most[0] == receive.CHILDREN_MAX


# -- what a record may name ----------------------------------------------------------------------


def test_a_report_names_photos_and_each_is_described_beside_it(hub: Hub, drill: str) -> None:
    sha256 = send(hub, photos.photo(seed=6, position=(139.67, 35.81))).json["sha256"]
    body = {"incident_id": drill, "category": "flood", "summary": "冠水", "attachments": [sha256]}
    made = hub.post("damage-reports", body, "patrol")
    assert made.json["attachments"] == [sha256]
    [told] = descriptions(hub, sha256)
    assert told["exif_location"] == [139.67, 35.81] and told["taken_at"] == 1570881427000
    assert (told["width"], told["height"], told.incident_id) == (1200, 900, drill)
    assert hub.node.blobs.has(told["view"]) and hub.node.blobs.has(told["thumb"])


def test_a_photo_is_described_once_a_scope_also_when_two_records_name_it(hub: Hub, drill: str) -> None:
    sha256 = send(hub, photos.photo(seed=7)).json["sha256"]
    body = {"incident_id": drill, "category": "flood", "summary": "冠水", "attachments": [sha256]}
    hub.post("damage-reports", body)
    before = hub.operations()
    hub.post("damage-reports", body)
    assert hub.operations() == before + 1
    other = hub.post("incidents", {"name": "別の訓練", "mode": "drill", "kind": "flood"}).json["id"]
    hub.post("damage-reports", {**body, "incident_id": other})
    assert {told.incident_id for told in descriptions(hub, sha256)} == {drill, other}


def test_the_same_report_with_photos_posted_again_is_200(hub: Hub, drill: str) -> None:
    sha256 = send(hub, photos.photo(seed=8)).json["sha256"]
    body = {
        "id": str(uuid6.uuid7()),
        "incident_id": drill,
        "category": "flood",
        "summary": "冠水",
        "attachments": [sha256],
    }
    hub.post("damage-reports", body)
    before = hub.operations()
    hub.post("damage-reports", body, wanted=200)
    assert hub.operations() == before


@pytest.mark.parametrize("collection", ["damage-reports", "chat-messages", "patrol-points"])
def test_a_file_that_nobody_sent_is_422_and_changes_nothing(hub: Hub, drill: str, collection: str) -> None:
    body = bodies(hub, drill)[collection]
    before = hub.operations()
    refused = hub.post(collection, {**body, "attachments": ["0" * 64]}, "hq_operator", wanted=422)
    assert (refused.json["code"], refused.json["field"]) == ("unknown_attachment", "attachments")
    assert hub.operations() == before
    sha256 = send(hub, photos.photo(seed=9)).json["sha256"]
    assert hub.post(collection, {**body, "attachments": [sha256]}).json["attachments"] == [sha256]


def bodies(hub: Hub, drill: str) -> dict[str, dict[str, Any]]:
    channel = hub.post("channels", {"incident_id": drill, "name": "写真"}).json["id"]
    return {
        "damage-reports": {"incident_id": drill, "category": "flood", "summary": "冠水"},
        "chat-messages": {"channel_id": channel, "text": "写真です"},
        "patrol-points": {"incident_id": drill, "status": "caution"},
    }


def test_photos_are_added_and_taken_off_by_patch(hub: Hub, drill: str) -> None:
    first, second = (send(hub, photos.photo(seed=seed)).json["sha256"] for seed in (10, 11))
    body = {"incident_id": drill, "category": "flood", "summary": "冠水", "attachments": [first]}
    made = hub.post("damage-reports", body)
    path, seen = f"/api/v1/damage-reports/{made.json['id']}", made.headers["ETag"]
    both = hub.ask("PATCH", path, json={"attachments": [first, second]}, headers={"If-Match": seen})
    assert both.status_code == 200 and set(both.json["attachments"]) == {first, second}
    one = hub.ask("PATCH", path, json={"attachments": [second]}, headers={"If-Match": both.headers["ETag"]})
    assert one.json["attachments"] == [second]
    unknown = hub.ask("PATCH", path, json={"attachments": ["0" * 64]}, headers={"If-Match": one.headers["ETag"]})
    assert (unknown.status_code, unknown.json["code"]) == (422, "unknown_attachment")


# -- what nobody names ---------------------------------------------------------------------------


def test_a_file_that_was_never_sent_is_let_go_after_three_days_but_not_one_of_a_draft(
    hub: Hub, drill: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, drafted, named = (send(hub, photos.photo(300, 200, seed=seed)).json["sha256"] for seed in (20, 21, 22))
    report = {"incident_id": drill, "category": "flood", "summary": "冠水", "attachments": [named]}
    hub.post("damage-reports", report)
    values = {"_id": ["none"], "attachments": [drafted]}
    hub.node.local_write(lambda connection: drafts.save(connection, hub.people["patrol"], "form", values, 1))
    door = receive.Intake(hub.node)
    assert door.sweep() == 0 and hub.node.blobs.has(alone)
    later = hub.node.clock() + receive.UNNAMED_MS_MAX + 60_000
    monkeypatch.setattr(hub.node, "clock", lambda: later)
    door.sweep()
    assert [hub.node.blobs.has(sha256) for sha256 in (alone, drafted, named)] == [False, True, True]
    hub.post("damage-reports", {**report, "attachments": [drafted]})
    hub.post("damage-reports", {**report, "attachments": [alone]}, wanted=422)


def test_pages_take_files_and_drafts_only_from_somebody_who_is_logged_in(hub: Hub) -> None:
    before = noted(hub)
    form = f"{uuid6.uuid7()}:report"
    for path in ("/attachments", f"/drafts/{form}"):
        assert hub.client.post(path, data=b"x", content_type="application/json").status_code == 401
    assert hub.client.get(f"/attachments/{'0' * 64}").status_code == 302
    assert noted(hub) == before and drafts.get(hub.node.reader(), hub.people["patrol"], form) is None
