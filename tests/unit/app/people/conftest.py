"""Accounts of a hub and of an enrolled terminal, with a cheap verifier and a clock that is moved by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from app import birth, verifier
from app.accounts import Accounts
from app.config import Settings
from app.node import Node
from app.records import nodes as node_records
from app.store import envelope
from app.store.folder import DataFolder
from app.store.keys import read_keys
from sync import signing
from sync.certificate import Certificate
from sync.log_reader import LogReader
from sync.oplog import Segment
from sync.signing import SigningKey

PASSPHRASE, OTHER = "灯火と番小屋と川", "橋の下の三つの舟"


@dataclass
class Hands:
    """A monotonic clock that stands until it is moved."""

    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(verifier, "_hash", cheap.hash)
    monkeypatch.setattr(verifier, "NOBODY", cheap.hash("nobody knows this one"))


@pytest.fixture(autouse=True)
def _standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes only where a test moves it: no code of 30 seconds changes in the middle of one."""
    now = Node.wall()
    monkeypatch.setattr(Node, "wall", staticmethod(lambda: now))


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture(scope="session")
def mould(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub and a tablet with `field` alone that it has enrolled, made once; each test works on a copy."""
    folder = tmp_path_factory.mktemp("mould")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(envelope, "MEMORY_KIB", 64)
        hub, tablet = (_made(folder / role, role) for role in ("hub", "terminal"))
        _enrol(hub, tablet)
        for node in (hub, tablet):
            node.close()
    return folder


@pytest.fixture
def opened(mould: Path, tmp_path: Path) -> Iterator[Callable[[str], Node]]:
    """Nothing runs between the nodes; ``carry`` is their link."""
    nodes: list[Node] = []

    def open_one(role: str) -> Node:
        home = tmp_path / role
        shutil.copytree(mould / role, home)
        nodes.append(_open(home))
        return nodes[-1]

    yield open_one
    for node in nodes:
        node.close()


@pytest.fixture
def hub(opened: Callable[[str], Node]) -> Node:
    return opened("hub")


@pytest.fixture
def terminal(opened: Callable[[str], Node]) -> Node:
    return opened("terminal")


@pytest.fixture
def accounts(hub: Node, hands: Hands) -> Accounts:
    return Accounts(hub, hands)


def _made(home: Path, role: str) -> Node:
    birth.make_node(DataFolder(home), role, role, Settings(home, ballast_mb=0), None)
    return _open(home)


def _open(home: Path) -> Node:
    folder = DataFolder(home)
    return Node.open(folder, read_keys(folder.keys, None), Settings(home, ballast_mb=0))


def _enrol(hub: Node, tablet: Node) -> None:
    keys, issuer = SigningKey(tablet.keys.signing_seed), hub.certificate
    assert issuer is not None and hub.root_public is not None
    held = Certificate.make(
        SigningKey(hub.keys.signing_seed), issuer, root=signing.root_fingerprint(hub.root_public), public=keys.public,
        sealing=signing.sealing_public(tablet.keys.sealing_seed), name="第一避難所", label="T01",
        capabilities=frozenset({"field"}), issued_ms=hub.clock(), serial=b"\x01" * 16,
    )  # fmt: skip
    tablet.adopt_certificate(held.encode(), hub.root_public, "http://127.0.0.1:1")
    hub.write([node_records.enrolled(tablet.node_id, "第一避難所", "T01", "terminal", ["field"])], None)
    carry(hub, tablet)


def held_by(node: Node) -> list[Segment]:
    """All that a node holds, as a link would send it."""
    reader, sent, cursors = LogReader(node.reader()), dict[bytes, int](), dict[int, int]()
    found: list[Segment] = []
    while more := reader.next_segments(sent, cursors, ops_max=10_000, bytes_max=1 << 30):
        found += more
    return found


def carry(source: Node, target: Node, order: Callable[[list[Segment]], list[Segment]] = list) -> None:
    """What a link brings, in the order that is wanted."""
    for segment in order(held_by(source)):
        target.writer.call(lambda replica, one=segment: replica.receive([one], None))
