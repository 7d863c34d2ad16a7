"""Who comes in over TLS: every address and every socket asks for a leaf of the city, but the doors for strangers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.accounts import Accounts
from app.errors import AppError
from app.factory import create_app
from app.node import Node
from app.pki import authority, leaf, peer
from app.tls import desk, door, gate, held
from app.tls.gate import Seen
from sync import signing
from tests.unit.app.conftest import Clock, OpenNode
from tests.unit.app.tls_nodes import certificate_for, enrolled, let_in, nodes

YEAR_MS = 366 * 86_400_000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node, Any]]:
    """A hub, a tablet of its, and the hub's application: as they are before anybody is thrown out."""
    with nodes(tmp_path_factory.mktemp("house"), "hub", "terminal") as (hub, tablet):
        yield hub, enrolled(hub, tablet), create_app(hub)[0]


@pytest.fixture
def hub(house: tuple[Node, Node, Any]) -> Node:
    return house[0]


@pytest.fixture
def tablet(house: tuple[Node, Node, Any]) -> Node:
    return house[1]


@pytest.fixture
def application(house: tuple[Node, Node, Any]) -> Any:
    return house[2]


@pytest.fixture
def browser(application: Any) -> Iterator[FlaskClient]:
    with application.test_client() as client:
        yield client


@pytest.fixture
def strict(open_node: OpenNode) -> Iterator[tuple[Node, FlaskClient]]:
    """A hub of its own, for who is thrown out."""
    hub = open_node("hub")
    with create_app(hub)[0].test_client() as client:
        yield hub, client


def over(hub: Node, theirs: bytes | None) -> dict[str, Any]:
    return {gate.KEY: Seen(hub.tls.held.leaf, theirs)}


def test_a_stranger_finds_the_doors_for_strangers_and_no_other_address(hub: Node, application: Any) -> None:
    with application.test_client() as client:
        for rule in application.url_map.iter_rules():
            method = "GET" if "GET" in rule.methods else "POST"
            path = rule.rule.replace("<", "").replace(">", "").replace(":", "")
            answer = client.open(path, method=method, environ_overrides=over(hub, None))
            may = rule.endpoint in gate.STRANGERS_MAY
            assert (answer.status_code == 403) != may or (may and b"certificate_" not in answer.data), rule
        unknown = client.get("/no-such-address", environ_overrides=over(hub, None))
        assert unknown.status_code == 403


def test_every_door_for_strangers_is_one_that_there_is(application: Any) -> None:
    assert {rule.endpoint for rule in application.url_map.iter_rules()} >= gate.STRANGERS_MAY


def test_a_stranger_is_told_what_is_missing_and_nothing_about_this_node(hub: Node, browser: FlaskClient) -> None:
    page = browser.get("/incidents", environ_overrides=over(hub, None))
    assert "市の証明書が入っていません" in page.text and hub.name not in page.text
    assert 'class="nav' not in page.text and "csrf" not in page.text and "<form" not in page.text
    problem = browser.get("/api/v1/status", environ_overrides=over(hub, None)).get_json()
    assert problem["code"] == "certificate_needed" and "enrol" in problem["hint"]


def test_a_leaf_of_the_city_comes_as_far_as_the_login(hub: Node, tablet: Node, browser: FlaskClient) -> None:
    answer = browser.get("/incidents", environ_overrides=over(hub, tablet.tls.held.leaf))
    assert answer.status_code == 302 and answer.headers["Location"].startswith("/login")


def test_in_clear_on_loopback_there_is_no_gate(browser: FlaskClient) -> None:
    assert browser.get("/incidents").status_code == 302


@pytest.mark.parametrize("path", ["/socket.io/?EIO=4&transport=websocket", "/socket.io", "/socket.io/x"])
def test_a_socket_without_a_leaf_is_refused_before_it_is_one(path: str, hub: Node, browser: FlaskClient) -> None:
    answer = browser.get(path, environ_overrides=over(hub, None))
    assert (answer.status_code, answer.get_json()["code"]) == (403, "certificate_needed")


def test_an_ended_leaf_a_revoked_device_and_a_withdrawn_browser_are_out_at_once(
    strict: tuple[Node, FlaskClient], open_node: OpenNode
) -> None:
    hub, browser = strict
    node = enrolled(hub, open_node("terminal"))
    made = desk.issue(hub, "本部 1号機")
    with_key = leaf_of_browser(hub, made["serial"])
    assert gate.fault_of(hub, Seen(hub.tls.held.leaf, with_key)) is None
    found = Accounts(hub).sessions
    begun = [found.start("a person", peer=hashlib.sha256(leaf).hexdigest()) for leaf in (with_key, b"another")]
    desk.withdraw(hub, made["serial"])
    assert browser.get("/login", environ_overrides=over(hub, with_key)).status_code == 403
    assert [found.find(token) is None for token in begun] == [True, False], "who is logged in with it is not"
    with pytest.raises(AppError):
        desk.withdraw(hub, made["serial"])
    hub.revoke(node.node_id, None)
    answer = browser.get("/api/v1/status", environ_overrides=over(hub, node.tls.held.leaf))
    assert answer.get_json()["code"] == "certificate_revoked"
    other = enrolled(hub, open_node("terminal"), "T02")
    Clock(hub).advance(2 * YEAR_MS)
    answer = browser.get("/api/v1/status", environ_overrides=over(hub, other.tls.held.leaf))
    assert answer.get_json()["code"] == "certificate_ended" and "pki renew" in answer.get_json()["hint"]


def leaf_of_browser(hub: Node, serial: str) -> bytes:
    row = hub.reader().execute("SELECT leaf FROM tls_leaves WHERE serial = ?", (serial,)).fetchone()
    return bytes(row[0])


def test_what_is_no_leaf_is_refused_with_words(hub: Node, browser: FlaskClient) -> None:
    for theirs in (hub.tls.held.issuing, hub.tls.held.authority, b"\x30", bytes(10_000)):
        seen = Seen(hub.tls.held.leaf, theirs)
        fault = gate.fault_of(hub, seen)
        assert fault is not None and fault.code == "certificate_unknown"


def test_a_browsers_leaf_names_no_node_so_it_opens_no_link(hub: Node) -> None:
    made = desk.issue(hub, "本部 2号機")
    assert gate.node_at(Seen(hub.tls.held.leaf, leaf_of_browser(hub, made["serial"]))) is None


# -- the door where a device gets its leaf ------------------------------------------------------------


def request_of(node: Node) -> dict[str, Any]:
    request = node.tls.request()
    signature = signing.SigningKey(node.keys.signing_seed).sign(door.renewal_message(request))
    assert node.certificate is not None
    return {
        "version": 1,
        "certificate": node.certificate.encode().hex(),
        "request": request.hex(),
        "signature": signature.hex(),
    }


def test_a_device_that_an_older_release_enrolled_gets_a_leaf_with_its_device_key(
    strict: tuple[Node, FlaskClient], open_node: OpenNode
) -> None:
    hub, browser = strict
    node = let_in(hub, open_node("terminal"))
    answer = browser.post("/enrol/v1/tls", json=request_of(node), environ_overrides=over(hub, None))
    assert answer.status_code == 200
    told = {name: bytes.fromhex(answer.get_json()[name]) for name in ("authority", "endorsement", "leaf", "above")}
    node.tls.adopt(node.root_public or b"", told["authority"], told["endorsement"], (told["leaf"], told["above"]))
    assert peer.read(node.tls.held.leaf).names == {"t01.tomoshibi.internal"}
    (row,) = desk.show(hub)["given"]
    assert (row["kind"], row["name"], row["node_id"]) == ("node", "T01", node.node_id)


def hostile_requests(hub: Node, node: Node, other: Node) -> dict[str, tuple[dict[str, Any], str]]:
    good = request_of(node)
    of_other = request_of(other)
    strange = certificate_for(other, node, "T01") if other.certificate else None
    assert strange is not None
    return {
        "another's request under this signature": ({**good, "request": of_other["request"]}, "bad_signature"),
        "another's certificate": ({**good, "certificate": of_other["certificate"]}, "bad_certificate"),
        "a certificate of this device by another city": (
            {**good, "certificate": strange.encode().hex()},
            "bad_certificate",
        ),
        "no signature": ({**good, "signature": "00" * 64}, "bad_signature"),
        "no hexadecimal": ({**good, "signature": "もも"}, "bad_request"),
        "a number": ({**good, "request": 7}, "bad_request"),
        "another version": ({**good, "version": 9}, "bad_request"),
        "nothing": ({}, "bad_request"),
    }


def test_the_door_gives_a_leaf_to_nobody_else(strict: tuple[Node, FlaskClient], open_node: OpenNode) -> None:
    hub, browser = strict
    node = let_in(hub, open_node("terminal"))
    other = open_node("hub")  # of another city
    for name, (document, code) in hostile_requests(hub, node, other).items():
        answer = browser.post("/enrol/v1/tls", json=document, environ_overrides=over(hub, None))
        assert 400 <= answer.status_code < 500, name
        assert answer.get_json()["code"] == code, name
    hub.revoke(node.node_id, None)
    refused = browser.post("/enrol/v1/tls", json=request_of(node), environ_overrides=over(hub, None))
    assert (refused.status_code, refused.get_json()["code"]) == (403, "revoked")
    assert desk.show(hub)["given"] == []


def test_a_signed_request_that_holds_no_key_is_refused(hub: Node, tablet: Node, browser: FlaskClient) -> None:
    signature = signing.SigningKey(tablet.keys.signing_seed).sign(door.renewal_message(b"no request"))
    document = {**request_of(tablet), "request": b"no request".hex(), "signature": signature.hex()}
    answer = browser.post("/enrol/v1/tls", json=document, environ_overrides=over(hub, None))
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_tls_request")


def test_a_node_that_issues_nothing_says_what_is_to_be_done(tablet: Node) -> None:
    with pytest.raises(AppError) as caught:
        door.renew(tablet, request_of(tablet))
    assert caught.value.code == "no_tls_authority" and "pki init" in caught.value.hint


def test_the_desk_shows_exports_and_renews(hub: Node) -> None:
    shown = desk.show(hub)
    assert shown["issues"] and shown["authority"] == authority.fingerprint(hub.tls.held.authority).hex()
    assert desk.export(hub, "pem")["fingerprint"] == shown["authority"]
    assert desk.renew(hub)["leaf"]["serial"] != shown["leaf"]["serial"]
    assert leaf.HUB_NAME in shown["leaf"]["names"]
    empty = held.Held()
    assert (empty.own, empty.chain, empty.issuer) == (None, None, None)
