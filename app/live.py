"""Doorbells for browsers: after each commit the topics that changed, never content. The page asks its view again.

Before: ``node.subscribe`` calls after the commit. After: ``static/js/live.js`` asks for the fragment.
A topic is ``<kind>:<incident id>`` for records of an incident, ``<kind>`` for the city's, ``sync`` for links.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from flask import current_app, session
from flask_socketio import Namespace, SocketIO

TOPICS_MAX = 64


class Live(Namespace):
    """The namespace of pages. Only people who are logged in connect; nothing they send is listened to."""

    def on_connect(self, _: Any = None) -> bool | None:
        token = session.get("token")
        person = current_app.extensions["accounts"].person_of_session(token) if token else None
        return None if person else False


def register_live(socketio: SocketIO, node: Any) -> None:
    socketio.on_namespace(Live("/live"))

    def ring(topics: Iterable[str]) -> None:
        wanted = list(topics)[:TOPICS_MAX]
        if wanted:
            socketio.emit("changed", {"topics": wanted}, namespace="/live")

    node.subscribe(lambda changed: ring(topics_of(changed)))


def topics_of(changed: Iterable[tuple[str, bytes, str]]) -> list[str]:
    """Chat first: it is what somebody waits for. Nothing changed means links or receipts did: the badge."""
    topics = {topic_of(kind, scope) for kind, scope in {(kind, scope) for kind, scope, _ in changed}}
    return [*sorted(topics, key=lambda topic: (not topic.startswith("ch"), topic)), "sync"]


def topic_of(kind: str, scope: bytes) -> str:
    return f"{kind}:{uuid.UUID(bytes=bytes(scope[1:17]))}" if len(scope) == 17 else kind
