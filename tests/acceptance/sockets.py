"""The second transport: real Socket.IO sockets on 127.0.0.1, the server in threads of its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import flask
from flask import request
from flask_socketio import Namespace, SocketIO
from werkzeug.serving import make_server

from sync.client import EVENT, NAMESPACE, Client
from tests.acceptance.machines import Machine

SECONDS_MAX = 10.0


class Door(Namespace):  # type: ignore[misc,unused-ignore]
    """What ``app/sync_socket.py`` does, without the application."""

    def __init__(self, machine: Machine, server: Any) -> None:
        super().__init__(NAMESPACE)
        self.machine, self.engine = machine, server

    def on_connect(self, auth: object = None) -> None:
        sid = request.sid  # type: ignore[attr-defined]
        self.machine.hub.connected(
            sid,
            send=lambda frame: self.engine.emit(EVENT, frame, to=sid, namespace=NAMESPACE),
            hang_up=lambda: self.engine.disconnect(sid, namespace=NAMESPACE),
        )

    def on_f(self, data: object) -> None:
        self.machine.hub.received(request.sid, data)  # type: ignore[attr-defined]

    def on_disconnect(self, *_: object) -> None:
        self.machine.hub.disconnected(request.sid)  # type: ignore[attr-defined]


class Called:
    """A machine that listens."""

    def __init__(self, machine: Machine) -> None:
        app = flask.Flask(__name__)
        server = SocketIO(app, async_mode="threading", async_handlers=False, cors_allowed_origins=[])
        server.on_namespace(Door(machine, server.server))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._server = make_server("127.0.0.1", port, app, threaded=True)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class SocketWire:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.machines: list[Machine] = []
        self.called: dict[str, Called] = {}
        self.clients: list[Client] = []

    def machine(self, name: str, capabilities: Iterable[str] = ("field", "command", "enrol")) -> Machine:
        self.machines.append(Machine(name, capabilities, lambda: time.time_ns() // 1_000_000, self.folder))
        return self.machines[-1]

    def connect(self, caller: Machine, called: Machine, bend: Any = None) -> Client:
        if called.name not in self.called:
            self.called[called.name] = Called(called)
        url = self.called[called.name].url
        client = Client(lambda: url, caller.peers, lambda: 0.1)
        self.clients.append(client)
        client.start()
        return client

    def cut(self, client: Any) -> None:
        client.stop()

    def until(self, condition: Callable[[], bool]) -> None:
        ends = time.monotonic() + SECONDS_MAX
        while not condition():
            assert time.monotonic() < ends, "it did not come about in time"
            threading.Event().wait(0.01)

    def until_moving(self, condition: Callable[[], bool]) -> None:
        self.until(condition)

    def close(self) -> None:
        for client in self.clients:
            client.stop()
        for called in self.called.values():
            called.stop()
        for machine in self.machines:
            machine.close()
