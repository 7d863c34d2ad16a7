"""A node's attachments: in a file of their own, made when missing, never a reason not to open the log."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from app import doctor
from app.config import Settings
from app.node import Node
from app.store import engine
from app.store.blobs import key_of
from app.store.errors import WrongKey
from sync.errors import StoreFailed
from sync.operation import CITY
from tests.unit.app.conftest import OpenNode


def reopened(node: Node) -> Node:
    node.close()
    return Node.open(node.folder, node.keys, Settings(node.folder.path, ballast_mb=0))


def test_a_file_is_kept_over_a_restart(hub: Node) -> None:
    sha256 = hub.blobs.put(b"photo", "image/jpeg")
    again = reopened(hub)
    assert again.blobs.read(sha256) == b"photo" and again.blobs.state(sha256).at_hub
    again.close()


def test_nothing_of_a_file_lies_in_clear(hub: Node) -> None:
    hub.blobs.put(b"a very telling photo " * 5000, "image/jpeg")
    for path in hub.home.iterdir():
        if path.is_file():
            assert b"telling" not in path.read_bytes(), path.name
    assert stat.S_IMODE(hub.folder.blobs.stat().st_mode) == 0o600
    with pytest.raises(WrongKey):
        engine.open_connection(hub.folder.blobs, hub.keys.data_key)
    assert key_of(hub.keys.data_key) != hub.keys.data_key


def test_commits_are_synced_and_kept_in_a_log(hub: Node) -> None:
    connection = hub.blobs._reader()
    assert engine.pragma(connection, "synchronous") == 2 and engine.pragma(connection, "journal_mode") == "wal"  # type: ignore[arg-type]


def test_a_missing_file_is_made_anew(hub: Node) -> None:
    sha256 = hub.blobs.put(b"photo", "image/jpeg")
    hub.close()
    for path in hub.home.glob("blobs.*"):
        path.unlink()
    again = Node.open(hub.folder, hub.keys, hub.settings)
    assert not again.blobs.has(sha256) and again.blobs.fault == ""
    again.blobs.put(b"photo", "image/jpeg")
    again.close()


@pytest.mark.parametrize("damage", [b"", b"this is no database" * 1000])
def test_a_damaged_file_does_not_keep_the_log_shut(hub: Node, damage: bytes) -> None:
    hub.close()
    path: Path = hub.folder.blobs
    path.with_name("blobs.db-wal").unlink(missing_ok=True)
    path.write_bytes(damage)
    again = Node.open(hub.folder, hub.keys, hub.settings)
    assert again.status()["node_id"]
    if damage:
        assert not again.blobs.has("ab" * 32) and "cannot be read" in again.blobs.fault
        with pytest.raises(StoreFailed):
            again.blobs.put(b"photo", "image/jpeg")
        assert finding(again).state == "wrong" and "cannot be read" in finding(again).text
    again.close()


def finding(node: Node) -> doctor.Finding:
    return doctor._blobs(node)


def test_doctor_says_what_is_held_and_what_is_wrong(hub: Node) -> None:
    hub.blobs.put(os.urandom(300_000), "image/jpeg")
    assert finding(hub).state == "ok" and finding(hub).text.startswith("1 files")
    hub.close()
    data = bytearray(hub.folder.blobs.read_bytes())
    data[-5000] ^= 1
    hub.folder.blobs.write_bytes(data)
    again = Node.open(hub.folder, hub.keys, hub.settings)
    assert again.blobs.fault == "" and finding(again).state == "wrong"
    again.close()


def test_who_watches_the_node_is_told(open_node: OpenNode) -> None:
    node, told, came = open_node("terminal"), [], threading.Event()

    def tell(changed: list[tuple[str, bytes, str]]) -> None:
        told.extend(changed)
        if changed:  # the opening itself may be told of a moment later
            came.set()

    node.subscribe(tell)
    sha256 = node.blobs.put(b"photo", "image/jpeg")
    assert came.wait(5)
    assert told == [("blobs", CITY, sha256)]
