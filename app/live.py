"""Doorbells for browsers: after each commit the topics that changed, never content. The page asks its view again.

Before: ``node.subscribe`` calls after the commit. After: ``static/js/live.js`` asks for the fragment.
A topic is ``<kind>:<incident id>`` for records of an incident, ``<kind>`` for the city's, ``sync`` for links.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterable
from typing import Any

from flask import request, session
from flask_socketio import Namespace, SocketIO

from app import permissions
from app.people.sessions import peer_of
from app.queries import joins

TOPICS_MAX = 64
SOCKETS_PER_SESSION_MAX = 32
EXAMINED_EVERY_S = 30.0
SPACE = "/live"
LOCKED = "locked"  # the room of locked screens: they hear that something came, never what
_COLLECTIONS = {
    "blobs": "attachments",
    "channel-reads": "channels",
    "instruction-sightings": "instructions",
    "bulletin-sightings": "bulletins",
} | dict.fromkeys(("revocations", "heirs", "scope-keys", "grants", "shred-orders", "shred-receipts"), "nodes")


class Live(Namespace):
    """The namespace of pages. Only people who are logged in connect, and a socket ends with its session.

    Nothing that a page sends is listened to: one that sends is not ours, and is sent away.
    """

    def __init__(self, server: Any, accounts: Any) -> None:
        super().__init__(SPACE)
        self._server, self._accounts = server, accounts
        self._lock = threading.Lock()
        self._sockets: dict[str, dict[str, str]] = {}  # session token -> socket -> room
        self._examined = time.monotonic()

    def on_connect(self, _: Any = None) -> bool | None:
        token = session.get("token")
        room = self._room_of(token, peer=peer_of(request.environ)) if token else None
        if token is None or room is None:
            return False
        socket = request.sid  # type: ignore[attr-defined]
        with self._lock:
            mine = self._sockets.setdefault(token, {})
            if len(mine) >= SOCKETS_PER_SESSION_MAX:
                return False
            mine[socket] = room
        self._server.enter_room(socket, room, namespace=SPACE)
        return None

    def on_disconnect(self, *_: object) -> None:
        socket = request.sid  # type: ignore[attr-defined]
        with self._lock:
            for token, mine in list(self._sockets.items()):
                if mine.pop(socket, None) and not mine:
                    del self._sockets[token]

    def trigger_event(self, event: str, *arguments: Any) -> Any:
        if event in ("connect", "disconnect"):
            return super().trigger_event(event, *arguments)
        # The transport itself: who only loses the namespace could go on sending at full speed.
        transport = self._server.manager.eio_sid_from_sid(arguments[0], SPACE)
        if transport is not None:
            self._server.eio.disconnect(transport)
        return None

    def cut(self, token: str) -> None:
        """End the sockets of a session that has ended."""
        with self._lock:
            ended = self._sockets.pop(token, {})
        for socket in ended:
            self._server.disconnect(socket, namespace=SPACE)

    def lock(self, token: str) -> None:
        """The screen was locked: its sockets hear only counts from now on, and its pages go to the lock."""
        with self._lock:
            mine = self._sockets.get(token, {})
            moved = {socket: room for socket, room in mine.items() if room != LOCKED}
            mine.update(dict.fromkeys(moved, LOCKED))
        for socket, room in moved.items():
            self._server.leave_room(socket, room, namespace=SPACE)
            self._server.enter_room(socket, LOCKED, namespace=SPACE)
            self._server.emit("locked", namespace=SPACE, to=socket)

    def examine(self, *, at_once: bool = False) -> None:
        """Now and then: cut who is no longer logged in, or has another role than when the socket was opened."""
        if not at_once and time.monotonic() - self._examined < EXAMINED_EVERY_S:
            return
        self._examined = time.monotonic()
        with self._lock:
            rooms = {token: set(mine.values()) for token, mine in self._sockets.items()}
        for token, entered in rooms.items():
            room = self._room_of(token)
            if room == LOCKED:
                self.lock(token)
            elif entered != {room}:
                self.cut(token)

    def _room_of(self, token: str, **bound: Any) -> str | None:
        """Where a session's sockets belong; None for one that has ended or is not open yet."""
        found = self._accounts.place_of_session(token, **bound)
        if found is None:
            return None
        role, locked = found
        return LOCKED if locked else room_of(role)


def register_live(socketio: SocketIO, node: Any, accounts: Any) -> Live:
    pages = Live(socketio.server, accounts)
    socketio.on_namespace(pages)

    def ring(topics: list[str]) -> None:
        for role in sorted({role for role, _, _ in permissions.TABLE}):
            if wanted := heard_by(role, topics)[:TOPICS_MAX]:
                socketio.emit("changed", {"topics": wanted}, namespace=SPACE, to=room_of(role))
        socketio.emit("changed", {"topics": ["waiting"]}, namespace=SPACE, to=LOCKED)

    def tell(changed: Any) -> None:
        pages.examine(at_once=any(kind == "users" for kind, _, _ in changed))  # a role was taken: it hears no more
        ring(joins.together(topics_of(changed), joins.Joins.read(node.reader())))

    node.subscribe(tell)
    return pages


_AWAITED = ("instruction", "muster", "channel", "chat", "bulletin")


def room_of(role: str) -> str:
    return f"role:{role}"


def heard_by(role: str, topics: Iterable[str]) -> list[str]:
    """The topics that a role may know of: that something changed is news, too."""
    return [topic for topic in topics if permissions.allowed(role, "read", collection_of(topic))]


def collection_of(topic: str) -> str:
    """The row of ``permissions`` that a topic stands under."""
    name = topic.partition(":")[0].replace("_", "-")
    return _COLLECTIONS.get(name, name)


def topics_of(changed: Iterable[tuple[str, bytes, str]]) -> list[str]:
    """Orders and chat first: somebody waits for them. Nothing changed means links or receipts did: the badge."""
    topics = {topic_of(kind, scope) for kind, scope in {(kind, scope) for kind, scope, _ in changed}}
    return [*sorted(topics, key=lambda topic: (not topic.startswith(_AWAITED), topic)), "sync"]


def topic_of(kind: str, scope: bytes) -> str:
    return f"{kind}:{uuid.UUID(bytes=bytes(scope[1:17]))}" if len(scope) == 17 else kind
