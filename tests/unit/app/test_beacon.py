"""A terminal that was started again and waits for its PIN says so to its hub, and can say nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import socket
import ssl
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import beacon, birth
from app.config import Settings
from app.factory import create_app
from app.locked_peers import SILENT_MS, LockedPeers
from app.node import Node
from app.queries import nodes
from app.records import nodes as node_records
from app.store.folder import DataFolder
from app.store.keys import read_keys
from app.tls import contexts, held
from app.tls.held import Held
from sync.signing import SigningKey
from tests.unit.app.tls_nodes import enrolled

Said = dict[str, Any]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node, FlaskClient]]:
    """A hub and a terminal as after `enrol`: known by name, its beacon's key told. All tests share it."""
    opened = []
    for role in ("hub", "terminal"):
        folder = DataFolder(tmp_path_factory.mktemp(role))
        settings = Settings(folder.path, ballast_mb=0)
        birth.make_node(folder, role, role, settings, None)
        opened.append(Node.open(folder, read_keys(folder.keys, None), settings))
    hub, node = opened
    public = beacon.ask(node)
    enrolled(hub, node)
    assert node.certificate is not None
    beacon.answer(hub, node.certificate, public)
    hub.write([node_records.enrolled(node.node_id, "巡回A", "T01", "terminal", ["field"])], None)
    yield hub, node, create_app(hub)[0].test_client()
    for one in opened:
        one.close()


@pytest.fixture
def hub(city: tuple[Node, Node, FlaskClient]) -> Node:
    """As after a restart: it remembers nothing but its store."""
    city[0].links.locked = LockedPeers(city[0])
    return city[0]


@pytest.fixture
def terminal(city: tuple[Node, Node, FlaskClient]) -> Node:
    return city[1]


@pytest.fixture
def browser(city: tuple[Node, Node, FlaskClient]) -> FlaskClient:
    return city[2]


@pytest.fixture
def wall(hub: Node, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    now = [1_000_000]
    monkeypatch.setattr(hub, "wall", lambda: now[0])
    return now


def locked(node: Node) -> beacon.Held:
    """One more start of a locked node."""
    held = beacon.started(node.folder.beacon)
    assert held is not None
    return held


def beat(browser: FlaskClient, said: Said) -> None:
    answer = browser.post("/enrol/v1/locked", json=said)
    assert (answer.status_code, answer.data) == (204, b"")


def waiting(hub: Node) -> list[tuple[str, int]]:
    return [(one["label"], one["locked_since_at"]) for one in hub.status()["locked"]]


def test_hq_sees_who_waits_to_be_unlocked_and_since_when(
    hub: Node, terminal: Node, browser: FlaskClient, wall: list[int]
) -> None:
    assert waiting(hub) == []
    start = locked(terminal)
    beat(browser, beacon.document(start, 1))
    wall[0] += 30_000
    beat(browser, beacon.document(start, 2))
    assert waiting(hub) == [("T01", 1_000_000)]
    device = next(found for found in nodes.devices(hub) if found.node_id == terminal.node_id)
    assert (device.state, device.locked_since_ms) == ("locked", 1_000_000)


def test_who_falls_silent_is_shown_no_longer(
    hub: Node, terminal: Node, browser: FlaskClient, wall: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(browser, beacon.document(locked(terminal), 1))
    told: list[bool] = []
    monkeypatch.setattr(hub, "tell_links_changed", lambda: told.append(True))
    wall[0] += SILENT_MS + 1
    hub.links.locked.watch()
    hub.links.locked.watch()
    assert waiting(hub) == [] and told == [True], "the pages are told, once"


def test_a_beat_is_heard_once_and_never_an_older_one(
    hub: Node, terminal: Node, browser: FlaskClient, wall: list[int]
) -> None:
    start = locked(terminal)
    first, second = beacon.document(start, 1), beacon.document(start, 2)
    beat(browser, second)
    wall[0] += SILENT_MS + 1
    for replayed in (first, second):
        beat(browser, replayed)
    assert waiting(hub) == []


def test_a_beat_of_an_earlier_start_is_not_heard_by_a_hub_that_was_started_since(
    hub: Node, terminal: Node, wall: list[int]
) -> None:
    old = beacon.document(locked(terminal), 9)
    hub.links.locked.hear(beacon.document(locked(terminal), 1))
    again = LockedPeers(hub)
    again.hear(old)
    peer = {"node_id": terminal.node_id, "state": "down", "last_contact_at": None}
    assert again.since(peer) is None
    again.hear(beacon.document(locked(terminal), 1))
    assert again.since(peer) == wall[0]


def test_who_was_heard_over_a_link_since_is_not_shown_as_locked(hub: Node, terminal: Node, wall: list[int]) -> None:
    hub.links.locked.hear(beacon.document(locked(terminal), 1))
    peer = {"node_id": terminal.node_id, "state": "down", "last_contact_at": None}
    assert hub.links.locked.since(peer) == wall[0]
    assert hub.links.locked.since({**peer, "state": "connected"}) is None
    assert hub.links.locked.since({**peer, "last_contact_at": wall[0]}) is None


@pytest.mark.parametrize("what", ["another key", "another node", "a changed count", "an unknown node"])
def test_a_forged_beat_moves_nothing_and_is_answered_like_a_true_one(
    hub: Node, terminal: Node, browser: FlaskClient, what: str
) -> None:
    start, other = locked(terminal), os.urandom(32).hex()
    said = beacon.document(start, 1)
    forged = {
        "another key": beacon.document(replace(start, seed=other), 1),
        "another node": {**said, "node": hub.node_id},
        "a changed count": {**said, "number": 2},
        "an unknown node": beacon.document(beacon.Held(os.urandom(16).hex(), other, starts=1), 1),
    }
    beat(browser, forged[what])
    assert waiting(hub) == []
    beat(browser, said)
    assert [label for label, _ in waiting(hub)] == ["T01"], "the true one is heard all the same"


def test_a_revoked_device_is_not_heard(
    hub: Node, terminal: Node, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub.replica, "is_revoked", lambda node: node.hex() == terminal.node_id)
    beat(browser, beacon.document(locked(terminal), 1))
    assert waiting(hub) == []


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2}, {"node": "zz"}, {"node": "00"}, {"start": -1}, {"start": 1 << 63}, {"number": True},
        {"number": "1"}, {"signature": "00"}, {"signature": None},
    ],
)  # fmt: skip
def test_what_is_no_beat_is_refused_with_words(terminal: Node, browser: FlaskClient, change: Said) -> None:
    said = beacon.document(locked(terminal), 1) | change
    answer = browser.post("/enrol/v1/locked", json=said)
    assert 400 <= answer.status_code < 500 and answer.get_json()["code"]


def test_a_beat_writes_to_the_hubs_store_only_when_a_start_is_new(hub: Node, terminal: Node) -> None:
    start = locked(terminal)
    hub.links.locked.hear(beacon.document(start, 1))
    connection = hub.replica.connection
    before = connection.total_changes
    for number in range(2, 20):
        hub.links.locked.hear(beacon.document(start, number))
    assert connection.total_changes == before


def test_the_file_is_its_owners_and_tells_nothing_of_the_city_but_its_address(terminal: Node) -> None:
    beacon.keep(terminal)
    path = terminal.folder.beacon
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 or os.name == "nt"
    kept = json.loads(path.read_text())["held"]
    assert set(kept) == {"node", "seed", "starts", "hub_url", "authority"}
    assert kept["hub_url"] == "https://127.0.0.1:1" and kept["authority"] == terminal.tls.held.authority.hex()
    keys = terminal.keys
    assert SigningKey(bytes.fromhex(kept["seed"])).public != SigningKey(keys.signing_seed).public


def test_a_device_that_asks_again_names_the_same_key(terminal: Node) -> None:
    assert beacon.ask(terminal) == beacon.ask(terminal)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"held": {}}', b"\xff" * 100, b"[" * 20_000])
def test_a_damaged_file_keeps_nobody_from_starting(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "beacon.json").write_bytes(content)
    assert beacon.started(tmp_path / "beacon.json") is None


def test_each_start_counts_on_durably(terminal: Node) -> None:
    first = locked(terminal).starts
    assert [locked(terminal).starts for _ in range(2)] == [first + 1, first + 2]


# -- the call -----------------------------------------------------------------------------------


class Listener:
    """Whoever answers on the hub's address, once; what it could read is kept."""

    def __init__(self, held: Held) -> None:
        self._context = contexts.serving(held)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._socket.getsockname()[1]}"
        self.read = b""
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        plain, _ = self._socket.accept()
        with plain, contextlib.suppress(OSError), self._context.wrap_socket(plain, server_side=True) as connection:
            while b"}" not in self.read:
                self.read += connection.recv(4096) or b"}"
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    def close(self) -> bytes:
        self._thread.join()
        self._socket.close()
        return self.read


def test_the_hub_hears_the_call_over_tls(hub: Node, terminal: Node) -> None:
    beacon.keep(terminal)
    there = Listener(hub.tls.held)
    said = beacon.document(locked(terminal), 1)
    beacon.call(replace(locked(terminal), hub_url=there.url), terminal.settings, said)
    assert json.loads(there.close().partition(b"\r\n\r\n")[2]) == said


@pytest.mark.parametrize("who", ["another city's hub", "a terminal of the city"])
def test_who_poses_as_the_hub_hears_no_byte(hub: Node, terminal: Node, who: str) -> None:
    beacon.keep(terminal)
    other = held.of_root(os.urandom(32), os.urandom(16)).renewed(os.urandom(16), "H1", (), 1, hub=True)
    there = Listener(other if who == "another city's hub" else terminal.tls.held)
    called = replace(locked(terminal), hub_url=there.url)
    with pytest.raises(ssl.SSLError):
        beacon.call(called, terminal.settings, beacon.document(called, 1))
    assert there.close() == b""


def test_without_the_citys_authority_nobody_is_called(terminal: Node) -> None:
    there = socket.create_server(("127.0.0.1", 0))
    url = f"https://127.0.0.1:{there.getsockname()[1]}"
    called = replace(locked(terminal), hub_url=url, authority="")
    with pytest.raises(OSError, match="authority is not known"):
        beacon.call(called, terminal.settings, beacon.document(called, 1))
    there.close()


def test_it_beats_at_once_and_again_until_it_is_stopped(terminal: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    beacon.keep(terminal)
    said: queue.Queue[Said] = queue.Queue()
    monkeypatch.setattr(beacon, "EVERY_S", 0.0)
    monkeypatch.setattr(beacon, "call", lambda held, settings, document: said.put(document))
    beating = beacon.Beating(terminal.folder, terminal.settings)
    beating.start()
    assert [said.get(timeout=30)["number"] for _ in range(3)] == [1, 2, 3]
    beating.stop()


def test_a_file_of_another_node_goes(terminal: Node) -> None:
    path = terminal.folder.beacon
    own = path.read_bytes()
    path.write_bytes(own.replace(terminal.node_id.encode(), b"00" * 16))
    beacon.keep(terminal)
    assert not path.exists()
    path.write_bytes(own)
