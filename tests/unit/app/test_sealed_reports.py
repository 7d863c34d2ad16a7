"""Callers and casualties of a report: written on a tablet, opened at HQ alone, each opening written down, and shredded.

Real nodes and their pages, without processes: what one holds is handed to the other.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from uuid6 import uuid7

from app import audit, birth, verifier
from app.accounts import Accounts
from app.backups.make import make
from app.backups.restore import restore
from app.config import Settings
from app.doctor import examine
from app.factory import create_app
from app.node import Node
from app.queries import drafts, grants, sealed_reads
from app.records import nodes as node_records
from app.sealing import HEARD_OUT_MS
from app.store import engine, envelope
from app.store.envelope import as_passphrase
from app.store.folder import DataFolder
from app.store.keys import read_keys
from sync import signing
from sync.certificate import Certificate
from sync.errors import StoreFull
from sync.log_reader import LogReader
from sync.signing import SigningKey
from tests.photos import photo

CALLER, PHONE, HURT = "戸田花子カナリア", "090-0000-4649", "負傷者カナリア太郎"
SECRET = as_passphrase(b"a secret of the test")
TYPED = {"caller_name": CALLER, "caller_phone": PHONE, "casualty_names": HURT}
PASSPHRASE = "a-long-enough-passphrase"


@dataclass
class House:
    """A node with its pages and a person of each role that the test asks as."""

    node: Node
    app: Any
    ids: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def browser(self, role: str) -> FlaskClient:
        client: FlaskClient = self.app.test_client()
        with client.session_transaction() as session:
            session["token"] = self.app.extensions["accounts"].open_session(self.ids[role])
        return client

    def api(self, role: str, method: str, path: str, document: Any = None, **headers: str) -> Any:
        told = {"Authorization": f"Bearer {self.tokens[role]}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.app.test_client().open(f"/api/v1/{path}", method=method, json=document, headers=told)


def opened(folder: DataFolder, role: str, name: str) -> Node:
    settings = Settings(folder.path, ballast_mb=0)
    birth.make_node(folder, role, name, settings, None)
    return Node.open(folder, read_keys(folder.keys, None), settings)


def house(node: Node, *roles: str) -> House:
    app, _ = create_app(node)
    app.config["WTF_CSRF_ENABLED"] = False
    built = House(node, app)
    accounts: Accounts = app.extensions["accounts"]
    for role in roles:
        name = f"{role} {node.label}"
        built.ids[role] = accounts.add_user(name, role, PASSPHRASE).id
        built.tokens[role] = accounts.make_token(name)
    return built


def let_in(hub: Node, terminal: Node) -> None:
    assert hub.root_public is not None
    keys, root = terminal.keys, signing.root_fingerprint(hub.root_public)
    certificate = Certificate.make(
        SigningKey(hub.keys.signing_seed), hub.certificate, root=root,
        public=SigningKey(keys.signing_seed).public, sealing=signing.sealing_public(keys.sealing_seed),
        name="T", label="T01", capabilities=frozenset({"field"}), issued_ms=hub.clock(), serial=secrets.token_bytes(16),
    )  # fmt: skip
    terminal.adopt_certificate(certificate.encode(), hub.root_public, "http://127.0.0.1:9")
    hub.write([node_records.enrolled(terminal.node_id, "T", "T01", "terminal", ["field"])], None)


def hand_over(source: Node, target: Node) -> None:
    """All operations of a node, and the wrapped keys that its target looks for."""
    reader, sent, cursors = LogReader(source.reader()), dict[bytes, int](), dict[int, int]()
    while segments := reader.next_segments(sent, cursors, ops_max=10_000, bytes_max=1 << 24):
        target.writer.call(lambda replica, segments=segments: replica.receive(segments, None))
    for name, _ in target.sealing.wanted():
        if source.blobs.has(name.hex()):
            target.blobs.put(source.blobs.read(name.hex()), "application/octet-stream")
    target.sealing.settle()


def dump(home: Path, key: bytes) -> bytes:
    """Every value of every table of both databases, opened with the node's own key."""
    from app.store.blobs import key_of

    found = b""
    for path, its_key in ((home / "tomoshibi.db", key), (home / "blobs.db", key_of(key))):
        connection = engine.open_connection(path, its_key, readonly=True)
        for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            for row in connection.execute(f"SELECT * FROM {table}").fetchall():
                found += b"\0".join(value if isinstance(value, bytes) else str(value).encode() for value in tuple(row))
        connection.close()
    return found


def canaries(node: Node) -> list[str]:
    held = dump(node.home, node.keys.data_key)
    return [word for word in TYPED.values() if word.encode() in held]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, House]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifier, "make", lambda passphrase: verifier.NOBODY)
        patch.setattr(envelope, "MEMORY_KIB", 64)
        patch.setattr(envelope, "TIME", 1)
        folder = tmp_path_factory.mktemp("city")
        hub = opened(DataFolder(folder / "hub"), "hub", "本部")
        terminal = opened(DataFolder(folder / "terminal"), "terminal", "T")
        let_in(hub, terminal)
        at_hq = house(hub, "admin", "commander", "hq_operator", "viewer")
        made = at_hq.api("commander", "POST", "incidents", {"name": "訓練", "mode": "drill", "kind": "typhoon"})
        at_hq.ids["incident"] = made.get_json()["id"]
        hand_over(hub, terminal)
        on_tablet = house(terminal, "patrol")
        yield at_hq, on_tablet
        hub.close()
        terminal.close()


@pytest.fixture
def report(city: tuple[House, House]) -> str:
    """A report with a caller, filed on the tablet and come to HQ."""
    at_hq, on_tablet = city
    report_id = filed(on_tablet, at_hq.ids["incident"])
    hand_over(on_tablet.node, at_hq.node)
    return report_id


def filed(house: House, incident: str, **typed: str) -> str:
    report_id = str(uuid7())
    form = {"_id": report_id, "category": "flood", **TYPED, **typed}
    answer = house.browser("patrol").post(f"/incidents/{incident}/damage-reports", data=form)
    assert answer.status_code == 303, answer.text
    return report_id


def page(incident: str, report: str, tail: str = "") -> str:
    return f"/incidents/{incident}/damage-reports/{report}{tail}"


def test_the_tablet_that_wrote_it_says_so_and_holds_nothing_of_it_in_clear(
    city: tuple[House, House], report: str
) -> None:
    at_hq, on_tablet = city
    saved = on_tablet.browser("patrol").get(page(at_hq.ids["incident"], report, "/saved"))
    assert "封をして保存しました" in saved.text
    shown = on_tablet.browser("patrol").get(page(at_hq.ids["incident"], report))
    assert "本部だけが読めます" in shown.text and CALLER not in shown.text
    assert on_tablet.browser("patrol").get(page(at_hq.ids["incident"], report, "/people")).status_code == 403
    assert canaries(on_tablet.node) == []


def test_hq_opens_it_on_a_page_of_its_own_and_that_is_written_down(city: tuple[House, House], report: str) -> None:
    at_hq, _ = city
    incident, commander = at_hq.ids["incident"], at_hq.browser("commander")
    assert CALLER not in commander.get(page(incident, report)).text
    shown = commander.get(page(incident, report, "/people"))
    assert all(word in shown.text for word in TYPED.values())
    (entry,) = [read for read in sealed_reads.listed(at_hq.node.reader(), incident) if read["record"] == report]
    assert (entry.author, entry.node, entry["page"]) == (at_hq.ids["commander"], at_hq.node.node_id, "show")
    listed = at_hq.browser("admin").get(f"/incidents/{incident}/sealed-reads")
    assert "commander" in listed.text and CALLER not in listed.text


@pytest.mark.parametrize("role", ["admin", "viewer"])
def test_who_may_not_read_it_finds_it_nowhere(city: tuple[House, House], report: str, role: str) -> None:
    at_hq, _ = city
    incident = at_hq.ids["incident"]
    assert at_hq.browser(role).get(page(incident, report, "/people")).status_code == 403
    assert at_hq.api(role, "GET", f"damage-reports/{report}?include=sealed").status_code == 403


def test_no_list_history_search_or_map_carries_it(city: tuple[House, House], report: str) -> None:
    at_hq, _ = city
    incident, commander = at_hq.ids["incident"], at_hq.browser("commander")
    base = f"/incidents/{incident}"
    pages = [
        base,
        f"{base}/damage-reports",
        f"{base}/damage-reports?words={CALLER}",
        f"{base}/map",
        f"{base}/conflicts",
    ]
    pages += [page(incident, report), page(incident, report, "/edit"), "/sync"]
    for path in pages:
        assert HURT not in commander.get(path).text, path
    for path in ("damage-reports", f"damage-reports/{report}", f"damage-reports/{report}/history", "conflicts"):
        assert HURT not in at_hq.api("commander", "GET", path).text, path
    assert at_hq.api("commander", "GET", "damage-report-people").status_code == 404


def test_the_api_writes_it_shows_it_only_where_asked_and_adds_where_it_could_not_be_read(
    city: tuple[House, House],
) -> None:
    at_hq, on_tablet = city
    document = {"incident_id": at_hq.ids["incident"], "category": "flood", "summary": "冠水", "caller_name": "一郎"}
    made = on_tablet.api("patrol", "POST", "damage-reports", document)
    assert made.status_code == 201 and "一郎" not in made.text
    path = f"damage-reports/{made.get_json()['id']}"
    assert on_tablet.api("patrol", "GET", f"{path}?include=sealed").status_code == 403
    changed = on_tablet.api("patrol", "PATCH", path, {"caller_name": "二郎"}, If_Match=made.headers["ETag"])
    assert changed.status_code == 200, changed.text
    hand_over(on_tablet.node, at_hq.node)
    shown = at_hq.api("commander", "GET", f"{path}?include=sealed").get_json()
    assert shown["caller_name"] == "二郎" and shown["casualty_names"] is None
    scope = bytes.fromhex(at_hq.node.reader().execute("SELECT scope FROM damage_report_people").fetchone()[0])
    record = made.get_json()["id"]
    heads = at_hq.node.heads("damage-report-people", scope, record)["caller_name"]
    assert {head["value"] for head in heads} == {"一郎", "二郎"}
    etag = at_hq.api("commander", "GET", path).headers["ETag"]
    assert at_hq.api("commander", "PATCH", path, {"caller_name": "三郎"}, If_Match=etag).status_code == 200
    assert at_hq.node.heads("damage-report-people", scope, record) == {}
    assert at_hq.api("admin", "PATCH", path, {"caller_name": "四郎"}, If_Match=etag).status_code == 403


def test_a_photo_for_hq_alone_lies_everywhere_sealed_and_opens_at_hq(city: tuple[House, House]) -> None:
    at_hq, on_tablet = city
    incident, report_id = at_hq.ids["incident"], str(uuid7())
    form = {"_id": report_id, "category": "flood", "sealed_files": (io.BytesIO(photo(640, 480)), "x.jpg")}
    answer = on_tablet.browser("patrol").post(f"/incidents/{incident}/damage-reports", data=form)
    assert answer.status_code == 303, answer.text
    hand_over(on_tablet.node, at_hq.node)
    commander, path = at_hq.browser("commander"), page(incident, report_id, "/people")
    ((sha256, _, _),) = [
        name.split(" ")
        for name in at_hq.node.elements("damage-report-people", _scope(at_hq), report_id)["photos"][0][2:]
    ]
    assert commander.get(f"{path}/photos/{sha256}").status_code == 404  # its bytes have not come yet
    sealed = on_tablet.node.blobs.read(sha256)
    at_hq.node.blobs.put(sealed, "application/x-tomoshibi-sealed")
    opened_here = commander.get(f"{path}/photos/{sha256}")
    assert opened_here.status_code == 200 and opened_here.mimetype == "image/jpeg"
    assert opened_here.data[:2] == b"\xff\xd8" and opened_here.headers["Cache-Control"] == "no-store"
    assert sha256 in commander.get(path).text
    assert at_hq.browser("admin").get(f"{path}/photos/{sha256}").status_code == 403
    assert at_hq.api("commander", "GET", f"attachments/{sha256}").data[:2] != b"\xff\xd8"
    for node in (at_hq.node, on_tablet.node):
        assert opened_here.data not in dump(node.home, node.keys.data_key) and b"\xff\xd8\xff" not in sealed[:3]


def _scope(at_hq: House) -> bytes:
    row = at_hq.node.reader().execute("SELECT scope FROM damage_reports LIMIT 1").fetchone()
    return bytes.fromhex(row[0])


def test_what_is_changed_on_the_page_replaces_what_stood_there(city: tuple[House, House], report: str) -> None:
    at_hq, _ = city
    commander, path = at_hq.browser("commander"), page(at_hq.ids["incident"], report, "/people")
    drawn = commander.get(path).text
    versions = drawn.split('name="versions" value="')[1].split('"')[0].replace("&#34;", '"')
    form = {"versions": versions, "caller_name": "戸田次郎", "_was_caller_name": CALLER}
    assert commander.post(path, data=form).status_code == 303
    again = commander.get(path).text
    assert "戸田次郎" in again and CALLER not in again and HURT in again and 'class="conflict"' not in again


def test_a_reading_that_cannot_be_written_down_is_not_answered(
    city: tuple[House, House], report: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_hq, _ = city

    def full(*_: Any, **__: Any) -> None:
        raise StoreFull("the disk is full")

    monkeypatch.setattr(at_hq.node, "write", full)
    answer = at_hq.browser("commander").get(page(at_hq.ids["incident"], report, "/people"))
    assert answer.status_code == 503 and "記録できない" in answer.text and CALLER not in answer.text
    told = at_hq.api("commander", "GET", f"damage-reports/{report}?include=sealed")
    assert (told.status_code, told.get_json()["code"]) == (503, "read_not_recorded")


def test_seen_again_within_five_minutes_is_one_entry(
    city: tuple[House, House], report: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_hq, _ = city
    path = f"damage-reports/{report}?include=sealed"

    def entries() -> int:
        listed = sealed_reads.listed(at_hq.node.reader(), at_hq.ids["incident"])
        return sum(read["record"] == report and read.author == at_hq.ids["hq_operator"] for read in listed)

    for _ in range(3):
        assert at_hq.api("hq_operator", "GET", path).status_code == 200
    assert entries() == 1
    now = at_hq.node.clock()
    monkeypatch.setattr(at_hq.node, "clock", lambda: now + audit.AGAIN_MS)
    assert at_hq.api("hq_operator", "GET", path).status_code == 200
    assert entries() == 2


def test_more_than_thirty_records_in_ten_minutes_raise_an_alarm(city: tuple[House, House]) -> None:
    at_hq, on_tablet = city
    incident = at_hq.ids["incident"]
    reports = [filed(on_tablet, incident) for _ in range(sealed_reads.BULK_RECORDS + 1)]
    hand_over(on_tablet.node, at_hq.node)
    for report_id in reports[:-1]:
        at_hq.api("hq_operator", "GET", f"damage-reports/{report_id}?include=sealed")
    before = sealed_reads.alarms(at_hq.node.reader(), incident, at_hq.node.clock())
    records = {
        read["record"]
        for read in sealed_reads.listed(at_hq.node.reader(), incident)
        if read.author == at_hq.ids["hq_operator"]
    }
    assert len(before) == (len(records) > sealed_reads.BULK_RECORDS)
    at_hq.api("hq_operator", "GET", f"damage-reports/{reports[-1]}?include=sealed")
    (alarm,) = sealed_reads.alarms(at_hq.node.reader(), incident, at_hq.node.clock())
    assert alarm.author == at_hq.ids["hq_operator"] and alarm.records > sealed_reads.BULK_RECORDS
    assert (
        "封をした記録が続けて開かれています"
        in at_hq.browser("commander").get(f"/incidents/{incident}/sealed-reads/alarm").text
    )
    assert at_hq.browser("hq_operator").get(f"/incidents/{incident}/sealed-reads/alarm").status_code == 403


def test_a_tablet_that_has_no_key_to_seal_with_says_so_and_keeps_what_was_typed(
    city: tuple[House, House], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, on_tablet = city
    monkeypatch.setattr(on_tablet.node.replica.keyring, "known", {})
    form = {"_id": str(uuid7()), "category": "flood", **TYPED}
    path = f"/incidents/{city[0].ids['incident']}/damage-reports"
    answer = on_tablet.browser("patrol").post(path, data=form)
    assert answer.status_code == 422 and "封をする鍵" in answer.text and CALLER in answer.text
    form |= dict.fromkeys(TYPED, "")
    assert on_tablet.browser("patrol").post(path, data=form).status_code == 303


def test_no_browser_keeps_it_and_the_form_says_who_reads_it(city: tuple[House, House]) -> None:
    at_hq, on_tablet = city
    drawn = on_tablet.browser("patrol").get(f"/incidents/{at_hq.ids['incident']}/damage-reports/new").text
    sealed = drawn.split("data-sealed>")[1].split("</details>")[0]
    assert all(
        f'name="{name}"' in sealed for name in ("caller_name", "caller_phone", "caller_address", "casualty_names")
    )
    refused = at_hq.browser("admin").get(f"/incidents/{at_hq.ids['incident']}/damage-reports/new").text
    assert "data-sealed>" not in refused


def test_after_a_shredding_it_is_nowhere_and_an_older_backup_does_not_bring_it_back(
    city: tuple[House, House], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    at_hq, on_tablet = city
    hub, incident = at_hq.node, at_hq.ids["incident"]
    shredded = filed(on_tablet, incident)
    hand_over(on_tablet.node, hub)
    assert "封をした記録があります" in at_hq.browser("viewer").get(page(incident, shredded)).text
    assert canaries(hub) == list(TYPED.values())
    with_draft = {"caller_name": [CALLER], "summary": ["x"]}
    on_tablet.node.local_write(lambda db: drafts.save(db, on_tablet.ids["patrol"], "f", with_draft, 1))
    backup = tmp_path / "last-week.backup"
    make(hub, backup, SECRET)
    assert hub.sealing.shred("hq", None, "closed") == 1
    hand_over(hub, on_tablet.node)
    hand_over(on_tablet.node, hub)
    (order,) = grants.orders(hub.reader())
    assert set(order.receipts) == {hub.node_id, on_tablet.node.node_id}
    assert canaries(hub) == canaries(on_tablet.node) == []
    kept = drafts.get(on_tablet.node.reader(), on_tablet.ids["patrol"], "f")
    assert kept is not None and list(kept.values) == ["summary"]
    assert hub.digest()["public"] == hub.status()["digest"] == on_tablet.node.digest()["public"]
    assert "封をした記録があります" not in at_hq.browser("viewer").get(page(incident, shredded)).text
    put_back(backup, hub, tmp_path / "elsewhere", beside=None)
    put_back(backup, hub, tmp_path / "here", beside=hub.folder.shredded)
    assert not any(word in caplog.text for word in TYPED.values())


def put_back(backup: Path, hub: Node, home: Path, beside: Path | None) -> None:
    """Restore into a folder, with or without the note of what was shredded: it holds nothing at any moment."""
    folder = DataFolder(home)
    folder.make()
    if beside is not None:
        folder.shredded.write_bytes(beside.read_bytes())
    restore(backup, SECRET, folder, None)
    key = read_keys(folder.keys, None).data_key
    assert not any(word.encode() in dump(home, key) for word in TYPED.values())
    again = Node.open(folder, read_keys(folder.keys, None), Settings(home, ballast_mb=0))
    try:
        assert again.sealing.closed and canaries(again) == []
        if beside is not None:  # nobody was heard, and the note says enough
            again.sealing.open()
            assert canaries(again) == []
        hand_over(hub, again)
        now = again.wall()
        for ms in (0, 0, HEARD_OUT_MS):
            again.wall = lambda ms=ms: now + ms  # type: ignore[method-assign,misc]
            again.sealing.hear(True)
        assert not again.sealing.closed and canaries(again) == []
        assert again.digest()["public"] == hub.digest()["public"]
    finally:
        again.close()


def test_doctor_says_that_a_store_is_closed_and_who_has_not_carried_out_an_order(city: tuple[House, House]) -> None:
    hub = city[0].node

    def said() -> tuple[str, str]:
        (found,) = [finding for finding in examine(hub) if finding.name == "sealed"]
        return found.state, found.text

    assert said()[0] == "ok"
    hub.writer.call(lambda replica: replica.open_again(frozenset(), closed=True), 0)
    assert said() == ("warning", "this store was put back: nothing sealed is opened yet")
    hub.sealing.open()
    hub.sealing.shred("hq", None, "again")
    assert said() == ("warning", "shred orders not carried out yet by: T01")
    hand_over(hub, city[1].node)
    hand_over(city[1].node, hub)
    assert said()[0] == "ok"
