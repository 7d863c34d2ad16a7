"""The `/sync` namespace of Socket.IO: hands frames to the hub's side of the links, and nothing else.

A socket that has not proved who it is gets a refusal and is closed; `session` decides that, not this room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request
from flask_socketio import Namespace, SocketIO, disconnect

from app.tls import gate
from sync.client import EVENT, NAMESPACE

if TYPE_CHECKING:
    from app.node import Node


class SyncNamespace(Namespace):  # type: ignore[misc,unused-ignore]
    def __init__(self, node: Node, socketio: SocketIO) -> None:
        super().__init__(NAMESPACE)
        self._node, self._server = node, socketio.server

    def on_connect(self, auth: object = None) -> bool | None:
        if not self._node.enrolled:
            return False  # a node without a certificate can prove nothing to anybody
        socket = request.sid  # type: ignore[attr-defined]
        seen = request.environ.get(gate.KEY)
        if seen is not None and gate.node_at(seen) is None:
            return False  # a browser's certificate opens pages, no link
        self._node.links.hub_side.connected(
            socket,
            channel=seen.channel if seen else b"",
            channel_peer=gate.node_at(seen) if seen else None,
            send=lambda frame: self._server.emit(EVENT, frame, to=socket, namespace=NAMESPACE),
            hang_up=lambda: self._server.disconnect(socket, namespace=NAMESPACE),
        )
        return None

    def on_f(self, *arguments: Any) -> None:
        if len(arguments) != 1:
            disconnect()
            return
        self._node.links.hub_side.received(request.sid, arguments[0])  # type: ignore[attr-defined]

    def on_disconnect(self, *_: object) -> None:
        self._node.links.hub_side.disconnected(request.sid)  # type: ignore[attr-defined]


def attach(node: Node, socketio: SocketIO) -> None:
    socketio.on_namespace(SyncNamespace(node, socketio))
