"""The enrolment door: a code lets one device in, once, within fifteen minutes, and nobody guesses one."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from app import enrol_codes, enrol_door
from app.enrol_codes import CODE_MS, make_code
from app.enrol_door import VERSION, Door
from app.enrol_extras import Row, from_wire, to_wire
from app.errors import AppError, Conflict, Forbidden
from app.node import Node
from app.queries import nodes
from sync import signing
from sync.certificate import Certificate
from sync.enrolment import Code, Transcript, commitment_to
from sync.signing import SigningKey
from tests.unit.app.conftest import Clock, OpenNode


def ask(
    door: Door, code: Code, key: SigningKey, extra: dict[str, bytes] | None = None
) -> tuple[dict[str, Any], Transcript]:
    """A device's request, after a hello of its own."""
    hello = door.hello()
    said = Transcript(
        bytes.fromhex(hello["root_public"]),
        bytes.fromhex(hello["issuer"]),
        bytes.fromhex(hello["issuer_nonce"]),
        secrets.token_bytes(16),
        key.public,
        signing.sealing_public(b"\x05" * 32),
        "巡回A",
        extra or {},
        commitment_to(b"\x07" * 32),
    )
    document = {
        "version": VERSION,
        "issuer_nonce": said.issuer_nonce.hex(),
        "device_nonce": said.device_nonce.hex(),
        "public": said.public.hex(),
        "sealing": said.sealing.hex(),
        "name": said.name,
        "extra": to_wire(said.extra),
        "commitment": said.commitment.hex(),
        "signature": key.sign(said.device_message()).hex(),
        "proof": said.request_proof(code.secret).hex(),
    }
    return document, said


def checked(said: Transcript, code: Code, answer: dict[str, Any]) -> Certificate:
    certificate, proof = bytes.fromhex(answer["certificate"]), bytes.fromhex(answer["proof"])
    return said.check_answer(code.secret, certificate, from_wire(answer), proof)


@pytest.fixture
def door(hub: Node) -> Door:
    return Door(hub)


@pytest.fixture
def code(hub: Node) -> Code:
    return Code.parse(make_code(hub).code)


def refusal(door: Door, document: Any) -> AppError:
    before = door.node.replica.vector
    with pytest.raises(AppError) as caught:
        door.request(document)
    assert 400 <= caught.value.status < 500 and caught.value.hint
    assert door.node.replica.vector == before, "nothing was written"
    return caught.value


def test_a_code_lets_a_device_in_and_its_name_is_known(door: Door, code: Code) -> None:
    key = SigningKey.generate()
    document, said = ask(door, code, key)
    answer = door.request(document)
    given = checked(said, code, answer)
    assert (given.label, given.capabilities, given.name) == ("T01", frozenset({"field"}), "巡回A")
    record = nodes.get(door.node.reader(), given.node_id.hex())
    assert record is not None and (record["label"], record["role"]) == ("T01", "terminal")


def test_the_next_device_gets_the_next_label(door: Door, hub: Node) -> None:
    for label in ("T01", "T02"):
        code, key = Code.parse(make_code(hub).code), SigningKey.generate()
        door.request(ask(door, code, key)[0])
        record = nodes.get(hub.reader(), signing.node_id_of(key.public).hex())
        assert record is not None and record["label"] == label


def test_a_code_works_once(door: Door, code: Code) -> None:
    door.request(ask(door, code, SigningKey.generate())[0])
    assert refusal(door, ask(door, code, SigningKey.generate())[0]).code == "code_used"


def test_a_device_whose_answer_was_lost_gets_the_same_certificate_again(door: Door, code: Code) -> None:
    key = SigningKey.generate()
    first = door.request(ask(door, code, key)[0])
    again = door.request(ask(door, code, key)[0])
    assert again["certificate"] == first["certificate"]


def test_a_code_expires(door: Door, code: Code, hub: Node) -> None:
    Clock(hub).advance(CODE_MS + 1)
    assert refusal(door, ask(door, code, SigningKey.generate())[0]).code == "code_expired"


def test_a_wrong_code_is_refused_and_after_ten_the_door_waits(door: Door, code: Code, hub: Node) -> None:
    wrong = Code(code.fingerprint, b"\x00" * 10)
    for _ in range(10):
        assert refusal(door, ask(door, wrong, SigningKey.generate())[0]).code == "code_wrong"
    assert refusal(door, ask(door, wrong, SigningKey.generate())[0]).code == "too_many_tries"
    Clock(hub).advance(60_001)
    assert door.request(ask(door, code, SigningKey.generate())[0])


def test_a_request_cannot_be_sent_twice(door: Door, code: Code) -> None:
    document, _ = ask(door, code, SigningKey.generate())
    door.request(document)
    assert refusal(door, document).code == "nonce_unknown"


def test_a_device_cannot_name_a_key_that_it_does_not_hold(door: Door, code: Code) -> None:
    document, said = ask(door, code, SigningKey.generate())
    forged = SigningKey.generate().sign(said.device_message()).hex()
    assert refusal(door, {**document, "signature": forged}).code == "bad_proof"


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 1},
        {"version": VERSION + 1},
        {"version": "2"},
        {"extra": None},
        {"extra": []},
        {"extra": {"a": 7}},
        {"extra": {"a": "0"}},
        {"extra": {"A": "00"}},
        {"extra": {"a": "00" * 8193}},
        {"extra": {"a": "00"}},
        {"issuer_nonce": "zz"},
        {"public": "00" * 31},
        {"name": ""},
        {"name": "a" * 101},
        {"name": 7},
        {"name": "\ud800"},
        {"proof": None},
        {"signature": ["00"]},
    ],
)
def test_what_is_no_request_is_refused(door: Door, code: Code, changed: dict[str, Any]) -> None:
    document, _ = ask(door, code, SigningKey.generate())
    refusal(door, {**document, **changed})


@pytest.mark.parametrize("document", [None, [], "x", 7, {}])
def test_what_is_no_document_is_refused(door: Door, document: Any) -> None:
    refusal(door, document)


def test_hellos_are_forgotten_before_they_fill_the_memory(door: Door, code: Code) -> None:
    document, _ = ask(door, code, SigningKey.generate())
    for _ in range(enrol_door.NONCES_MAX):
        door.hello()
    assert len(door._nonces) == enrol_door.NONCES_MAX
    assert refusal(door, document).code == "nonce_unknown"


def test_no_more_codes_are_open_than_can_be_watched(hub: Node) -> None:
    for _ in range(enrol_codes.CODES_MAX):
        make_code(hub)
    with pytest.raises(AppError) as caught:
        make_code(hub)
    assert caught.value.code == "too_many_codes"


def test_a_terminal_enrols_nobody(open_node: OpenNode) -> None:
    terminal = open_node("terminal")
    with pytest.raises(Forbidden):
        make_code(terminal)
    with pytest.raises(Forbidden):
        Door(terminal).hello()


# -- what rides along ------------------------------------------------------------------------------


def test_what_rides_along_is_answered_row_by_row_and_the_unknown_is_left(hub: Node, code: Code) -> None:
    told: list[tuple[str, bytes | None]] = []

    def answer(node: Any, certificate: Certificate, asked: bytes | None) -> bytes | None:
        assert node is hub and nodes.get(node.reader(), certificate.node_id.hex()) is None
        told.append((certificate.label, asked))
        return b"leaf for " + asked if asked else b"for everyone"

    rows = (row("tls", answer), row("city", answer), row("quiet", lambda *_: None))
    door = Door(hub, rows)
    document, said = ask(door, code, SigningKey.generate(), {"tls": b"my key", "newer": b"?"})
    answered = door.request(document)
    assert from_wire(answered) == {"tls": b"leaf for my key", "city": b"for everyone"}
    assert checked(said, code, answered).label == "T01"
    assert told == [("T01", b"my key"), ("T01", None)]


def test_the_device_that_asks_again_is_answered_as_before(hub: Node, code: Code) -> None:
    door, key = Door(hub, (row("tls", lambda *_: secrets.token_bytes(8)),)), SigningKey.generate()
    first = door.request(ask(door, code, key)[0])
    document, said = ask(door, code, key)
    again = door.request(document)
    assert again["extra"] == first["extra"] and checked(said, code, again)


def test_a_row_that_refuses_leaves_the_code_unused(hub: Node, code: Code) -> None:
    def refuse(*_: Any) -> bytes | None:
        raise Conflict("no_leaf", "the request does not hold", "Ask again.")

    key = SigningKey.generate()
    strict = Door(hub, (row("tls", refuse),))
    assert refusal(strict, ask(strict, code, key)[0]).code == "no_leaf"
    door = Door(hub)
    assert door.request(ask(door, code, key)[0])


def row(name: str, answer: Callable[[Any, Certificate, bytes | None], bytes | None]) -> Row:
    return Row(name, lambda node: None, answer, lambda node, root, answered: None)
