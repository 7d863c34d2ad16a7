"""A hub that is not the city's gets a TLS handshake and no byte more, whatever it shows."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from app.node import Node
from app.pki import authority, files, leaf, peer
from app.pki.authority import Authority
from app.tls import contexts, dial, held
from app.tls.dial import Dialler
from app.tls.held import Held
from sync.errors import LineRefused
from tests.unit.app import false_hubs
from tests.unit.app.conftest import OpenNode
from tests.unit.app.false_hubs import FalseHub, false_hub, showing
from tests.unit.app.tls_nodes import enrolled, let_in, nodes


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    with nodes(tmp_path_factory.mktemp("city"), "hub", "terminal") as (hub, tablet):
        yield hub, enrolled(hub, tablet)


@pytest.fixture
def hub(city: tuple[Node, Node]) -> Node:
    return city[0]


@pytest.fixture
def tablet(city: tuple[Node, Node]) -> Node:
    return city[1]


@dataclass(frozen=True)
class Case:
    code: str
    shown: Held


def cases(hub: Node, tablet: Node) -> dict[str, Case]:
    own, now = hub.tls.held, hub.wall()
    issuer = own.issuer
    assert issuer is not None
    hub_id = hub.replica.identity.node_id
    elsewhere = held.of_root(os.urandom(32), hub_id).renewed(hub_id, "H1", (), now, hub=True)
    key = authority.new_key()
    posing = leaf.issue_node(issuer, key.public_key(), os.urandom(16), "T66", now, hub=True)
    browser = leaf.issue_browser(issuer, key.public_key(), leaf.HUB_NAME, bytes(16), now)
    by_a_leaf = Authority(peer.load(tablet.tls.held.leaf), tablet.tls.held.private)
    signed_below = leaf.issue_node(by_a_leaf, key.public_key(), hub_id, "H1", now, hub=True)
    bare = replace(own, key=authority.key_bytes(key))
    return {
        "another city's authority": Case("hub_other", elsewhere),
        "a tablet's own leaf": Case("hub_not", tablet.tls.held),
        "the hub's name on another node": Case("hub_not", replace(bare, leaf=posing)),
        "a browser's": Case("hub_other", replace(bare, leaf=browser)),
        "one that a tablet signed": Case("hub_other", replace(bare, leaf=signed_below, above=tablet.tls.held.leaf)),
        "an ended leaf of the hub": Case("hub_ended", own.renewed(hub_id, "H1", (), now - 401 * 86_400_000, hub=True)),
    }


NAMES = (
    "another city's authority",
    "a tablet's own leaf",
    "the hub's name on another node",
    "a browser's",
    "one that a tablet signed",
    "an ended leaf of the hub",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_hub_that_shows_the_wrong_leaf_hears_nothing(name: str, hub: Node, tablet: Node) -> None:
    case = cases(hub, tablet)[name]
    with false_hub(showing(case.shown)) as false, pytest.raises(LineRefused) as caught:
        dial.connect(tablet, false.url)
    assert (caught.value.code, false.calls, bytes(false.heard)) == (case.code, 1, b"")
    assert caught.value.hint


def test_the_cases_are_all_tried(hub: Node, tablet: Node) -> None:
    assert tuple(cases(hub, tablet)) == NAMES


@pytest.mark.parametrize("talk", [false_hubs.garbling, false_hubs.closing, false_hubs.clear_words])
def test_who_speaks_no_tls_hears_nothing(talk: object, tablet: Node) -> None:
    with false_hub(talk) as false, pytest.raises(OSError):  # type: ignore[arg-type]
        dial.connect(tablet, false.url)
    assert (false.calls, bytes(false.heard)) == (1, b"")


def test_who_never_finishes_the_handshake_holds_nobody(tablet: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "HANDSHAKE_S_MAX", 0.3)

    def dripping(hub: FalseHub, connection: object) -> None:
        for _ in range(50):
            connection.sendall(b"\x16")  # type: ignore[attr-defined]
            time.sleep(0.05)

    with false_hub(dripping) as false, pytest.raises(OSError):
        dial.connect(tablet, false.url)


def test_the_true_hub_is_called_and_both_ends_name_the_channel_alike(hub: Node, tablet: Node) -> None:
    seen: list[bytes] = []

    def talk(false: FalseHub, connection: object) -> None:
        context = contexts.serving(hub.tls.held)
        with context.wrap_socket(connection, server_side=True) as line:  # type: ignore[arg-type]
            seen.append(line.getpeercert(binary_form=True) or b"")
            false.heard += line.recv(100)

    with false_hub(talk) as true:
        line = Dialler(tablet).dial(true.url)
        assert line is not None
        line.socket.sendall(b"hello")
        line.socket.close()
    assert line.peer == hub.replica.identity.node_id
    assert seen == [tablet.tls.held.leaf]
    assert line.channel == peer.channel_of(hub.tls.held.leaf, seen[0])


def test_a_revoked_hub_hears_nothing_from_who_knows_of_it(
    hub: Node, tablet: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tablet.replica, "is_revoked", lambda node: node == hub.replica.identity.node_id)
    with false_hub(showing(hub.tls.held)) as false, pytest.raises(LineRefused) as caught:
        dial.connect(tablet, false.url)
    assert (caught.value.code, bytes(false.heard)) == ("hub_revoked", b"")


def test_a_tablet_whose_clock_is_ten_years_ahead_still_calls_the_hub_that_it_met_before(
    hub: Node, tablet: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    ten_years = 3_653 * 86_400_000
    monkeypatch.setattr(Node, "wall", staticmethod(lambda: time.time_ns() // 1_000_000 + ten_years))
    with false_hub(showing(hub.tls.held)) as true:
        with pytest.raises(LineRefused) as caught:
            dial.connect(tablet, true.url)
        assert caught.value.code == "hub_ended" and "clock" in caught.value.hint
        tablet.tls.keep_offset(-ten_years)
        tablet.local_write(lambda connection: None)  # the writer's jobs are in order
        connection, who = dial.connect(tablet, true.url)
        connection.close()
    assert who == hub.replica.identity.node_id
    monkeypatch.undo()
    tablet.tls.keep_offset(0)


def test_an_address_in_clear_needs_no_line(tablet: Node) -> None:
    assert Dialler(tablet).dial("http://127.0.0.1:1") is None


def test_a_hub_of_a_city_with_an_authority_of_its_own_is_called_by_its_address(
    hub: Node, tablet: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, now = hub.tls.held, hub.wall()
    shown = own.renewed(hub.replica.identity.node_id, "H1", ("127.0.0.1",), now, hub=False)
    file = tablet.folder.path / "city.pem"
    file.write_bytes(files.pem(own.authority))
    monkeypatch.setattr(tablet, "settings", replace(tablet.settings, hub_ca=file))
    with false_hub(showing(shown)) as true:
        connection, who = dial.connect(tablet, true.url)
        connection.close()
        assert who is None, "such a certificate names no node: the hello alone does"
    with false_hub(showing(own.renewed(hub.replica.identity.node_id, "H1", ("192.0.2.7",), now, hub=False))) as other:
        with pytest.raises(LineRefused):
            dial.connect(tablet, other.url)
        assert bytes(other.heard) == b""


def test_a_tablet_that_cannot_get_a_leaf_says_what_the_hub_lacks(hub: Node, open_node: OpenNode) -> None:
    node = let_in(hub, open_node("terminal"))

    def old_release(false: FalseHub, connection: object) -> None:
        context = contexts.serving(hub.tls.held)
        with context.wrap_socket(connection, server_side=True) as line:  # type: ignore[arg-type]
            line.recv(65_536)
            body = b'{"code": "not_found", "detail": "Not found", "hint": "Check the address."}'
            line.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with false_hub(old_release) as old, pytest.raises(LineRefused) as caught:
        Dialler(node).dial(old.url)
    assert "pki init" in caught.value.hint and caught.value.code == "no_leaf"
