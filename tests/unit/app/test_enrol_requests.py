"""A code of a page is no approval: the device waits, both sides show six digits, and a person decides."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from app import birth, enrol_codes, enrol_requests
from app.config import Settings
from app.enrol_codes import CODE_MS, MadeCode, make_code
from app.enrol_door import VERSION, Door
from app.enrol_extras import from_wire
from app.enrol_requests import request_of
from app.errors import AppError
from app.node import Node
from app.queries import nodes
from app.store import envelope
from app.store.folder import DataFolder
from app.store.keys import read_keys
from sync import signing
from sync.enrolment import Code, Transcript, commitment_to, reveal_proof
from sync.operation import CITY
from sync.signing import SigningKey
from tests.unit.app.conftest import Clock

PERSON = "01890000-0000-7000-8000-000000000001"


class Device:
    """A tablet at the door, in clear steps; ``said`` is its newest request."""

    def __init__(self, door: Door, code: Code, name: str = "巡回A") -> None:
        self.door, self.code, self.name = door, code, name
        self.key, self.revealed = SigningKey.generate(), secrets.token_bytes(32)

    @property
    def node_id(self) -> str:
        return signing.node_id_of(self.key.public).hex()

    def ask(self) -> dict[str, Any]:
        hello = self.door.hello()
        self.said = said = Transcript(
            bytes.fromhex(hello["root_public"]),
            bytes.fromhex(hello["issuer"]),
            bytes.fromhex(hello["issuer_nonce"]),
            secrets.token_bytes(16),
            self.key.public,
            signing.sealing_public(b"\x05" * 32),
            self.name,
            {},
            commitment_to(self.revealed),
        )
        named = ("issuer_nonce", "device_nonce", "public", "sealing", "commitment")
        answer = self.door.request(
            {
                **{name: getattr(said, name).hex() for name in named},
                "version": VERSION,
                "name": said.name,
                "extra": {},
                "signature": self.key.sign(said.device_message()).hex(),
                "proof": said.request_proof(self.code.secret).hex(),
            }
        )
        self.share = bytes.fromhex(answer.get("share", ""))
        if self.share:
            said.check_waiting(self.code.secret, self.share, bytes.fromhex(answer["proof"]))
        return answer

    def poll(self, **changed: Any) -> dict[str, Any]:
        proof = reveal_proof(self.code.secret, self.key.public, self.revealed).hex()
        document = {"version": VERSION, "public": self.key.public.hex(), "reveal": self.revealed.hex(), "proof": proof}
        return self.door.answer({**document, **changed})

    @property
    def digits(self) -> str:
        return self.said.short_code(self.revealed, self.share)

    def check(self, answer: dict[str, Any]) -> str:
        certificate, proof = bytes.fromhex(answer["certificate"]), bytes.fromhex(answer["proof"])
        return self.said.check_answer(self.code.secret, certificate, from_wire(answer), proof).label


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One hub for all: each test has a code and a device of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(envelope, "MEMORY_KIB", 64)
        folder = DataFolder(tmp_path_factory.mktemp("requests") / "hub")
        settings = Settings(folder.path, ballast_mb=0)
        birth.make_node(folder, "hub", "本部", settings, None)
        node = Node.open(folder, read_keys(folder.keys, None), settings)
    yield node
    node.close()


@pytest.fixture
def hub(city: Node) -> Iterator[Node]:
    city.local_write(lambda connection: connection.execute("DELETE FROM enrol_codes WHERE used_at IS NULL"))
    yield city
    city.correct_clock(0)


@pytest.fixture
def door(hub: Node) -> Door:
    return Door(hub)


@pytest.fixture
def made(hub: Node) -> MadeCode:
    return make_code(hub, author=PERSON, approval=True)


@pytest.fixture
def device(door: Door, made: MadeCode) -> Device:
    return Device(door, Code.parse(made.code))


def refused(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(AppError) as caught:
        call(*arguments, **named)
    assert 400 <= caught.value.status < 500 and caught.value.hint
    return caught.value.code


def test_a_device_waits_until_a_person_has_compared_the_digits(
    door: Door, device: Device, made: MadeCode, hub: Node
) -> None:
    assert request_of(hub, made.id).state == "open"
    before = hub.replica.vector
    assert device.ask()["state"] == "waiting"
    assert request_of(hub, made.id).state == "asked"
    assert device.poll() == {"version": VERSION, "state": "waiting"}
    shown = request_of(hub, made.id)
    assert (shown.state, shown.name, shown.short_code) == ("shown", "巡回A", device.digits)
    assert hub.replica.vector == before and nodes.get(hub.reader(), device.node_id) is None
    assert door.approve(made.id, shown.short_code, PERSON) == device.node_id
    assert device.check(device.poll()).startswith("T")
    assert request_of(hub, made.id).state == "approved"
    history = hub.history("nodes", CITY, nodes.get(hub.reader(), device.node_id).id)  # type: ignore[union-attr]
    assert [entry["author"] for entry in history] == [PERSON], "who approved stands in the log"


def test_a_repeated_request_shows_the_same_digits_and_gets_the_same_answer(
    door: Door, device: Device, made: MadeCode
) -> None:
    device.ask()
    first = device.digits
    device.ask()
    assert device.digits == first and device.poll()["state"] == "waiting"
    door.approve(made.id, first, PERSON)
    given = device.check(device.poll())
    assert device.check(device.poll()) == device.check(device.ask()) == given


def test_a_device_cannot_try_for_other_digits_under_one_code(device: Device) -> None:
    device.ask()
    device.revealed = secrets.token_bytes(32)
    assert refused(device.ask) == "code_used"
    assert refused(device.poll) == "bad_reveal"


def test_two_devices_with_one_code_are_not_both_let_in(door: Door, device: Device, made: MadeCode) -> None:
    device.ask()
    second = Device(door, device.code, "偽物")
    assert refused(second.ask) == "code_used"
    assert refused(second.poll) == "not_asked"
    device.poll()
    door.approve(made.id, device.digits, PERSON)
    assert refused(second.ask) == "code_used" and refused(second.poll) == "not_asked"


def test_other_digits_than_were_shown_approve_nobody(door: Door, device: Device, made: MadeCode, hub: Node) -> None:
    device.ask()
    assert refused(door.approve, made.id, "", PERSON) == "not_shown"
    device.poll()
    other = f"{(int(device.digits) + 1) % 1_000_000:06d}"
    assert refused(door.approve, made.id, other, PERSON) == "other_digits"
    assert device.poll()["state"] == "waiting" and nodes.get(hub.reader(), device.node_id) is None


def test_a_no_leaves_nothing_and_the_code_opens_nothing_more(
    door: Door, device: Device, made: MadeCode, hub: Node
) -> None:
    before = hub.replica.vector
    device.ask()
    device.poll()
    door.refuse(made.id, PERSON)
    assert refused(device.poll) == refused(device.ask) == "refused"
    assert refused(door.approve, made.id, device.digits, PERSON) == "not_shown"
    assert hub.replica.vector == before and request_of(hub, made.id).state == "refused"


def test_a_yes_after_the_time_is_over_lets_nobody_in(door: Door, device: Device, made: MadeCode, hub: Node) -> None:
    device.ask()
    device.poll()
    Clock(hub).advance(CODE_MS + 1)
    assert refused(door.approve, made.id, device.digits, PERSON) == "approval_expired"
    assert refused(device.poll) == "approval_expired" and request_of(hub, made.id).state == "expired"


def test_a_code_that_nobody_used_in_time_is_over(device: Device, made: MadeCode, hub: Node) -> None:
    Clock(hub).advance(CODE_MS + 1)
    assert refused(device.ask) == "code_expired" and request_of(hub, made.id).state == "expired"


def test_two_taps_on_yes_make_one_device(door: Door, device: Device, made: MadeCode, hub: Node) -> None:
    before = len(nodes.listed(hub.reader()))
    device.ask()
    device.poll()
    door.approve(made.id, device.digits, PERSON)
    assert refused(door.approve, made.id, device.digits, PERSON) == "not_shown"
    assert len(nodes.listed(hub.reader())) == before + 1


def test_a_hub_that_was_started_again_still_knows_who_waits(device: Device, made: MadeCode, hub: Node) -> None:
    device.ask()
    device.door = Door(hub)
    assert device.poll()["state"] == "waiting" and request_of(hub, made.id).short_code == device.digits


@pytest.mark.parametrize("changed", [{"version": 1}, {"reveal": "00"}, {"public": None}, {"proof": "00" * 32}])
def test_what_is_no_question_for_an_answer_is_refused(device: Device, changed: dict[str, Any]) -> None:
    device.ask()
    refused(device.poll, **changed)


def test_a_hundred_thousand_wrong_codes_open_nothing_and_fill_nothing(door: Door, device: Device, hub: Node) -> None:
    wrong = Device(door, Code(device.code.fingerprint, b"\x00" * 10))
    told = [refused(wrong.ask) for _ in range(10)]
    assert set(told) == {"code_wrong"}
    document: dict[str, Any] = {"version": VERSION}
    for _ in range(100_000):
        with pytest.raises(AppError) as caught:
            door.request(document)
    assert caught.value.code == "too_many_tries" and len(door._wrong) == 10
    Clock(hub).advance(60_001)
    assert device.ask()["state"] == "waiting"


def test_old_requests_are_swept_when_a_code_is_made(device: Device, made: MadeCode, hub: Node) -> None:
    device.ask()
    Clock(hub).advance(enrol_codes.CODES_KEPT_MS + CODE_MS + 1)
    make_code(hub)
    assert hub.reader().execute("SELECT count(*) FROM enrol_requests").fetchone()[0] == 0
    assert refused(request_of, hub, made.id) == "unknown_code"


@pytest.mark.parametrize("code_id", ["", "zz", "00" * 8, "0" * 15, "é" * 16])
def test_a_code_that_was_never_made_is_not_found(hub: Node, code_id: str) -> None:
    assert refused(enrol_requests.request_of, hub, code_id) == "unknown_code"
    with pytest.raises(AppError):
        enrol_requests.refuse(hub, code_id, PERSON)
