"""The terminal's side of the enrolment: what it asks with, and what it keeps of the answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from app import enrol as terminal_side
from app.enrol import enrol
from app.enrol_door import Door, make_code
from app.enrol_extras import Row
from app.errors import AppError, Conflict
from app.node import Node
from sync.enrolment import EXTRA_BYTES_MAX
from tests.unit.app.conftest import OpenNode

HUB_URL = "http://hub.test"
Answers = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def joined(hub: Node, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The wire between a terminal and the hub's door, as JSON text; ``changing`` alters an answer on the way."""

    def join(rows: Sequence[Row] = (), changing: Answers = lambda answer: answer) -> None:
        door = Door(hub, rows)

        def fetch(url: str, document: dict[str, Any] | None) -> Any:
            said = door.hello() if document is None else door.request(json.loads(json.dumps(document)))
            return changing(json.loads(json.dumps(said)))

        monkeypatch.setattr(terminal_side, "_fetch", fetch)

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


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"version": 1}, "other_version"),
        ({"version": None}, "other_version"),
        ({"extra": {"tls": "00"}}, "bad_proof"),
        ({"extra": {}}, "bad_proof"),
        ({"extra": {"tls": "00" * 8193}}, "extra_too_large"),
        ({"extra": None}, "wrong_type"),
    ],
)
def test_an_answer_that_was_changed_on_the_way_is_refused(
    hub: Node, open_node: OpenNode, joined: Callable[..., None], changed: dict[str, Any], code: str
) -> None:
    terminal = open_node("terminal")
    rows = (Row("tls", lambda node: b"", lambda *_: b"leaf", lambda *_: None),)
    joined(rows, lambda answer: {**answer, **changed})
    with pytest.raises(AppError) as caught:
        enrol(terminal, HUB_URL, make_code(hub).code, rows)
    assert caught.value.code == code and not terminal.enrolled
