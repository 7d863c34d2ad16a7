"""What every WebSocket passes before its namespace: one that proved nothing gets little and soon ends, and none floods.

Before: ``factory`` made the Socket.IO server. After: ``live`` and ``sync_socket``, which know who is at the other end.
The log of a terminal that was cut off for days comes through here: whoever has proved to be a device of the city is
limited by the flow of ``sync/session``, and here only far above what that allows.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import simple_websocket

from app.buckets import Bucket, Rate

log = logging.getLogger(__name__)

STRANGER_MESSAGES_MAX = 32  # a hello and its proof are five
STRANGER_BYTES_MAX = 64 * 1024
STRANGER_S_MAX = 10.0
# A run of the log or a chunk of a file is two messages; a device on a fast line sends some hundred a second.
MESSAGES = Rate(burst=20_000, per_s=4_000)
UNREAD_MAX = 64  # frames that wait for the namespace; then the line waits
UNREAD_PAUSE_S = 0.005
RECEIVE_BYTES = 64 * 1024


@dataclass(slots=True)
class _Transport:
    """One connection, before and after it has proved something."""

    bucket: Bucket
    messages: int = 0
    bytes: int = 0


@dataclass
class Guard:
    """Counts what comes over each connection, and ends those that bring too much or prove nothing."""

    server: Any
    is_known: Callable[[str], bool]  # whether a connection has proved who it is, in one of the namespaces
    clock: Callable[[], float] = time.monotonic
    _open: dict[str, _Transport] = field(default_factory=dict)

    def connected(self, transport: str) -> None:
        self._open[transport] = _Transport(Bucket.full(MESSAGES, self.clock()))

    def disconnected(self, transport: str) -> None:
        self._open.pop(transport, None)

    def admits(self, transport: str, data: str | bytes) -> bool:
        found = self._open.get(transport)
        if found is None:
            return False
        if self.is_known(transport):
            return not found.bucket.take(self.clock())
        found.messages += 1
        found.bytes += len(data)
        return found.messages <= STRANGER_MESSAGES_MAX and found.bytes <= STRANGER_BYTES_MAX

    def end(self, transport: str) -> None:
        """The connection itself: who only loses the namespace could go on sending at full speed."""
        self._open.pop(transport, None)
        self.server.eio.disconnect(transport)

    def end_stranger(self, transport: str) -> None:
        if transport in self._open and not self.is_known(transport):
            self.end(transport)


def attach(server: Any, is_known: Callable[[str], bool]) -> Guard:
    """Stand between Engine.IO, which knows connections, and Socket.IO, which knows namespaces."""
    guard = Guard(server, is_known)
    inner = server.eio.handlers
    connect, message, disconnect = inner["connect"], inner["message"], inner["disconnect"]

    def on_connect(transport: str, environ: Any) -> Any:
        guard.connected(transport)
        server.start_background_task(_see_to, guard, transport)
        return connect(transport, environ)

    def on_message(transport: str, data: Any) -> None:
        if not guard.admits(transport, data):
            guard.end(transport)
            return
        try:
            message(transport, data)
        except Exception as error:
            if _is_ours(error):
                log.exception("a socket event failed")
            guard.end(transport)  # otherwise: bytes that are no message

    def on_disconnect(transport: str, *reason: Any) -> Any:
        guard.disconnected(transport)
        return disconnect(transport, *reason)

    server.eio.on("connect", on_connect)
    server.eio.on("message", on_message)
    server.eio.on("disconnect", on_disconnect)
    if "websocket" in server.eio._async:
        server.eio._async = {**server.eio._async, "websocket": _bounded(server.eio)}
    return guard


def _see_to(guard: Guard, transport: str) -> None:
    guard.server.sleep(STRANGER_S_MAX)
    guard.end_stranger(transport)


def _is_ours(error: Exception) -> bool:
    """Whether a room of this program raised it, and not the parser of packets below this one."""
    rooms = {frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)} - {__name__}
    return any(room.startswith(("app.", "sync.")) for room in rooms)


class _WholeSends:
    """gevent's ``send`` sends what fits and says how much that was; the WebSocket above does not listen to it.

    On a line that stands still a large frame was cut off in the middle, and the link lost.
    """

    def __init__(self, sock: Any) -> None:
        self._sock, self._lock = sock, threading.Lock()

    def send(self, data: bytes) -> int:
        with self._lock:  # an answer to a ping must not come into the middle of a frame
            self._sock.sendall(data)
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class WebSocket(simple_websocket.Server):
    """A connection that reads no further than its namespace follows, and sends its frames whole."""

    def __init__(self, environ: Any, **arguments: Any) -> None:
        self._whole: _WholeSends | None = None
        self._open, self._over = False, False
        super().__init__(environ, **arguments)

    @property
    def sock(self) -> _WholeSends | None:
        return self._whole

    @sock.setter
    def sock(self, value: Any) -> None:
        self._whole = None if value is None else _WholeSends(value)

    @property
    def connected(self) -> bool:
        return self._open

    @connected.setter
    def connected(self, value: bool) -> None:
        """Once closed it stays so: the thread that read a last message would open it again, and nobody listens."""
        self._over = self._over or (self._open and not value)
        self._open = value and not self._over

    def _handle_events(self) -> bool:
        going: bool = super()._handle_events()
        while self.connected and len(self.input_buffer) > UNREAD_MAX:
            time.sleep(UNREAD_PAUSE_S)
        return going


def _bounded(engine: Any) -> Any:
    """Engine.IO's own way into a WebSocket, with ours instead of the bare one."""

    way: Any = engine._async["websocket"]

    class Way(way):
        def __call__(self, environ: Any, start_response: Any) -> Any:
            limits = {"max_message_size": engine.max_http_buffer_size, "receive_bytes": RECEIVE_BYTES}
            self.ws = WebSocket(environ, **{**self.server_args, **limits})
            try:
                result = self.app(self)
            finally:
                self.ws.connected = False  # nobody reads any more: what still comes must not be waited for
            if self.ws.mode == "werkzeug":
                raise ConnectionError
            return result

    return Way
