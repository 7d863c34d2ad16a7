"""A commit becomes topics: what changed, never what it says."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, request, session

from app import permissions
from app.live import SOCKETS_PER_SESSION_MAX, Live, collection_of, heard_by, register_live, topics_of
from app.records import KINDS

INCIDENT = uuid.UUID("01a2050d-f542-7142-b351-c5415c5d6bb9")


def test_chat_rings_first_and_each_topic_once() -> None:
    scope = b"d" + INCIDENT.bytes
    changed = [("damage-reports", scope, "1"), ("chat-messages", scope, "2"), ("damage-reports", scope, "3")]
    assert topics_of(changed) == [f"chat-messages:{INCIDENT}", f"damage-reports:{INCIDENT}", "sync"]


def test_city_records_have_no_incident() -> None:
    assert topics_of([("shelters", b"c", "1")]) == ["shelters", "sync"]


def test_a_change_of_links_alone_is_told_to_the_badge() -> None:
    assert topics_of([]) == ["sync"]


def test_a_file_that_came_rings_one_bell_for_all_files() -> None:
    assert topics_of([("blobs", b"c", "ab" * 32), ("blobs", b"c", "cd" * 32)]) == ["blobs", "sync"]


@pytest.mark.parametrize("kind", [*(kind.name for kind in KINDS), "blobs", "sync"])
def test_every_topic_stands_under_a_row_of_the_table(kind: str) -> None:
    assert any(key[1:] == ("read", collection_of(f"{kind}:{INCIDENT}")) for key in permissions.TABLE)


def test_what_a_role_may_not_read_does_not_ring_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {key: scope for key, scope in permissions.TABLE.items() if key != ("viewer", "read", "chat-messages")}
    monkeypatch.setattr(permissions, "TABLE", rows)
    topics = [f"chat-messages:{INCIDENT}", f"damage-reports:{INCIDENT}", "sync"]
    assert heard_by("viewer", topics) == topics[1:]
    assert heard_by("patrol", topics) == topics


class Server:
    """What of the socket server is asked for."""

    def __init__(self) -> None:
        self.rooms: dict[str, str] = {}
        self.ended: list[str] = []
        self.told: list[tuple[str, str]] = []

    def enter_room(self, socket: str, room: str, namespace: str) -> None:
        self.rooms[socket] = room

    def leave_room(self, socket: str, room: str, namespace: str) -> None:
        assert self.rooms.pop(socket) == room

    def emit(self, event: str, namespace: str, to: str) -> None:
        self.told.append((event, to))

    def disconnect(self, socket: str, namespace: str) -> None:
        self.ended.append(socket)


class People:
    """One session, of a person whose role can change."""

    role: str | None = "patrol"
    locked = False

    def place_of_session(self, token: str, peer: str | None = "*") -> tuple[str, bool] | None:
        return (self.role, self.locked) if self.role and token == "mine" else None


def connected(pages: Live, socket: str, token: str = "mine") -> bool:
    app = Flask("x")
    app.secret_key = "x"
    with app.test_request_context():
        session["token"], request.sid = token, socket  # type: ignore[attr-defined]
        return pages.on_connect() is not False


def test_a_session_holds_a_bounded_number_of_sockets() -> None:
    pages = Live(Server(), People())
    opened = [connected(pages, str(number)) for number in range(SOCKETS_PER_SESSION_MAX + 1)]
    assert opened == [True] * SOCKETS_PER_SESSION_MAX + [False]
    assert not connected(pages, "other", token="foreign")


@pytest.mark.parametrize("role", ["viewer", None])
def test_a_socket_ends_when_its_person_has_another_role_or_none(monkeypatch: pytest.MonkeyPatch, role: Any) -> None:
    server, people = Server(), People()
    pages = Live(server, people)
    connected(pages, "a")
    monkeypatch.setattr("app.live.EXAMINED_EVERY_S", 0.0)
    pages.examine()
    assert (server.rooms, server.ended) == ({"a": "role:patrol"}, [])
    people.role = role
    pages.examine()
    assert server.ended == ["a"]


def test_the_sockets_of_a_locked_session_move_to_the_room_that_hears_only_that_something_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, people = Server(), People()
    pages = Live(server, people)
    connected(pages, "a")
    people.locked = True
    monkeypatch.setattr("app.live.EXAMINED_EVERY_S", 0.0)
    pages.examine()
    pages.examine()
    assert connected(pages, "b")
    assert (server.rooms, server.told, server.ended) == ({"a": "locked", "b": "locked"}, [("locked", "a")], [])


def test_a_locked_page_hears_of_a_commit_and_not_what_it_was() -> None:
    rung: list[tuple[str, Any]] = []
    told: list[Any] = []
    socketio: Any = SimpleNamespace(
        server=Server(), on_namespace=lambda _: None,
        emit=lambda event, hint, namespace, to: rung.append((to, hint["topics"])),
    )  # fmt: skip
    nothing_joined = SimpleNamespace(execute=lambda sql: [])
    register_live(socketio, SimpleNamespace(subscribe=told.append, reader=lambda: nothing_joined), People())
    told[0]([("chat-messages", b"d" + INCIDENT.bytes, "1")])
    assert [topics for room, topics in rung if room == "locked"] == [["waiting"]]
    assert ("role:patrol", [f"chat-messages:{INCIDENT}", "sync"]) in rung
