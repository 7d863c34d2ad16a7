"""The terminal's side of the enrolment: what it asks with, and what it keeps of the answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from app import enrol_wire
from app.enrol import enrol, give_up, go_on, waiting
from app.enrol_codes import CODE_MS, make_code
from app.enrol_door import Door
from app.enrol_extras import Row
from app.enrol_link import Link
from app.enrol_requests import request_of
from app.errors import AppError, CommandFailed, Conflict
from app.node import Node
from sync.enrolment import EXTRA_BYTES_MAX
from tests.unit.app.conftest import Clock, OpenNode

HUB_URL = "http://hub.test"
PERSON = "01890000-0000-7000-8000-000000000001"
Answers = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def joined(hub: Node, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The wire between a terminal and the hub's door, as JSON text; ``changing`` alters an answer on the way."""

    def join(rows: Sequence[Row] = (), changing: Answers = lambda answer: answer) -> None:
        door = Door(hub, rows)

        def fetch(url: str, document: dict[str, Any] | None) -> Any:
            said = door.hello() if document is None else door.request(json.loads(json.dumps(document)))
            return changing(json.loads(json.dumps(said)))

        monkeypatch.setattr(enrol_wire, "fetch", fetch)

    return join


def test_a_terminal_asks_with_its_rows_and_adopts_what_was_answered(
    hub: Node, open_node: OpenNode, joined: Callable[..., None]
) -> None:
    terminal, adopted = open_node("terminal"), []

    def adopt(node: Any, root_public: bytes, answered: bytes) -> None:
        assert node is terminal and root_public == hub.root_public and not node.enrolled
        adopted.append(answered)

    def answer(node: Any, certificate: Any, asked: bytes | None) -> bytes | None:
        return b"leaf for " + asked if asked else None

    rows = (Row("tls", lambda node: b"a key", answer, adopt), Row("none", lambda node: None, answer, adopt))
    joined((*rows, Row("newer", lambda node: None, lambda *_: bytes(EXTRA_BYTES_MAX - 100), adopt)))
    assert enrol(terminal, HUB_URL, make_code(hub).code, rows)["label"] == "T01"
    assert adopted == [b"leaf for a key"] and terminal.enrolled


def test_a_terminal_that_refuses_what_was_answered_is_not_enrolled_and_may_ask_again(
    hub: Node, open_node: OpenNode, joined: Callable[..., None]
) -> None:
    terminal, code = open_node("terminal"), make_code(hub).code

    def refuse(*_: Any) -> None:
        raise Conflict("bad_leaf", "the leaf is for another key", "Tell whoever keeps the hub.")

    joined((Row("tls", lambda node: b"", lambda *_: b"leaf", refuse),))
    with pytest.raises(Conflict):
        enrol(terminal, HUB_URL, code, (Row("tls", lambda node: b"", lambda *_: None, refuse),))
    assert not terminal.enrolled
    assert enrol(terminal, HUB_URL, code, (Row("tls", lambda node: b"", lambda *_: None, lambda *_: None),))
    assert terminal.enrolled


CHANGED = [
    ({"version": 1}, "other_version"),
    ({"version": None}, "other_version"),
    ({"extra": {"tls": "00"}}, "bad_proof"),
    ({"extra": {}}, "bad_proof"),
    ({"extra": {"tls": "00" * 8193}}, "extra_too_large"),
    ({"extra": None}, "wrong_type"),
]


def test_an_answer_that_was_changed_on_the_way_is_refused(
    hub: Node, open_node: OpenNode, joined: Callable[..., None]
) -> None:
    terminal = open_node("terminal")
    rows = (Row("tls", lambda node: b"", lambda *_: b"leaf", lambda *_: None),)
    for changed, code in CHANGED:
        joined(rows, lambda answer, changed=changed: {**answer, **changed})
        with pytest.raises(AppError) as caught:
            enrol(terminal, HUB_URL, make_code(hub).code, rows)
        assert caught.value.code == code and not terminal.enrolled


# -- where a person at the hub decides --------------------------------------------------------------


@pytest.fixture
def wired(hub: Node, monkeypatch: pytest.MonkeyPatch) -> Door:
    """The hub's door, reached by JSON alone."""
    door = Door(hub, ())

    def fetch(url: str, document: dict[str, Any] | None) -> Any:
        path = url.removeprefix(f"{HUB_URL}/enrol/v1/")
        if path == url:
            raise CommandFailed("hub_unreachable", f"{url} does not answer", "Try another.")
        try:
            said = door.hello() if document is None else getattr(door, path)(json.loads(json.dumps(document)))
        except AppError as error:
            raise CommandFailed(error.code, error.message, error.hint) from error
        return json.loads(json.dumps(said))

    monkeypatch.setattr(enrol_wire, "fetch", fetch)
    return door


def test_a_terminal_waits_with_the_digits_of_the_hub_until_somebody_said_yes(
    hub: Node, open_node: OpenNode, wired: Door
) -> None:
    terminal, made = open_node("terminal"), make_code(hub, approval=True)
    told = enrol(terminal, HUB_URL, made.code, ())
    shown = request_of(hub, made.id)
    assert told == {"state": "waiting", "short_code": shown.short_code, "hub_url": HUB_URL}
    assert go_on(terminal, ()) == told and not terminal.enrolled
    wired.approve(made.id, shown.short_code, PERSON)
    assert go_on(terminal, ())["label"] == "T01"
    assert terminal.enrolled and waiting(terminal) is None


def test_a_link_tries_the_addresses_one_by_one(hub: Node, open_node: OpenNode, wired: Door) -> None:
    terminal, made = open_node("terminal"), make_code(hub)
    link = Link(("http://elsewhere.test", HUB_URL), made.code).text()
    assert enrol(terminal, None, link, ())["hub_url"] == HUB_URL


@pytest.mark.parametrize(("decide", "code"), [("refuse", "refused"), ("late", "approval_expired")])
def test_a_terminal_that_is_not_let_in_says_so_and_can_begin_anew(
    hub: Node, open_node: OpenNode, wired: Door, decide: str, code: str
) -> None:
    terminal, made = open_node("terminal"), make_code(hub, approval=True)
    enrol(terminal, HUB_URL, made.code, ())
    if decide == "refuse":
        wired.refuse(made.id, PERSON)
    else:
        Clock(hub).advance(CODE_MS + 1)
    with pytest.raises(CommandFailed) as caught:
        go_on(terminal, ())
    assert caught.value.code == code and waiting(terminal) is None and not terminal.enrolled
    assert enrol(terminal, HUB_URL, make_code(hub).code, ())["state"] == "enrolled"


def test_a_lost_answer_is_asked_for_again_with_the_same_share(
    hub: Node, open_node: OpenNode, wired: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal, made, reach = open_node("terminal"), make_code(hub, approval=True), enrol_wire.fetch

    def lose(url: str, document: Any) -> Any:
        answer = reach(url, document)
        if url.endswith("/request"):
            raise CommandFailed("hub_unreachable", "the answer was lost", "Again.")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(enrol_wire, "fetch", lose)
        with pytest.raises(CommandFailed):
            enrol(terminal, HUB_URL, made.code, ())
    assert enrol(terminal, HUB_URL, made.code, ())["short_code"] == request_of(hub, made.id).short_code


def test_a_hub_in_between_cannot_choose_the_digits_once_the_terminal_has_told_its_share(
    hub: Node, open_node: OpenNode, wired: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal, made = open_node("terminal"), make_code(hub, approval=True)
    digits, reach = enrol(terminal, HUB_URL, made.code, ())["short_code"], enrol_wire.fetch

    def other_share(url: str, document: Any) -> Any:
        return {**reach(url, document), "share": "00" * 32}

    monkeypatch.setattr(enrol_wire, "fetch", other_share)
    assert go_on(terminal, ())["short_code"] == digits
    give_up(terminal)
    with pytest.raises(CommandFailed) as caught:
        enrol(terminal, HUB_URL, make_code(hub, approval=True).code, ())
    assert caught.value.code == "bad_proof" and not waiting_digits(terminal)


def waiting_digits(terminal: Node) -> str:
    kept = waiting(terminal)
    return kept.short_code if kept else ""
