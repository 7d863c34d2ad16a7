"""The calling side: keeps one link to the hub alive, whatever the network does. One greenlet or thread of its own.

After a loss the first retry is at once, the next within a second, then under the ceiling that the hub gave: a thousand
terminals must not come back in the same instant.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sync.errors import SyncError
from sync.link import Link
from sync.peers import Peers

NAMESPACE = "/sync"
EVENT = "f"
TEXT_MAX = 300
CONNECT_S_MAX = 3.0  # a black hole swallows the handshake: give up soon, so that an opened path is found soon
SECOND_RETRY_S = 1.0
STEADY_MS = 5_000  # a link that lasted so long was a good one


@dataclass(frozen=True, slots=True)
class Line:
    """A connection that stands and whose other end was proved, before a byte of ours goes over it."""

    socket: Any
    channel: bytes
    peer: bytes | None


def losses_after(losses: int, opened: bool, lasted_ms: int) -> int:
    """Tries in a row that came to nothing: also those that opened only to be closed again, or they would spin."""
    return 0 if opened and lasted_ms >= STEADY_MS else losses + 1


@dataclass
class Client:
    url: Callable[[], str | None]
    peers: Peers
    uniform: Callable[[], float]  # 0..1
    dial: Callable[[str], Line | None] = lambda url: None  # None: in clear, which is for this machine only
    retry_ms_max: int = 250
    last_error: str | None = None
    last_code: str | None = None  # what kind of error it was, where somebody named it
    next_try_s: float = 0.0
    _wake: threading.Event = field(default_factory=threading.Event)
    _stopped: bool = False
    _socket: Any = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._loop, name="sync-client", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()
        self._hang_up()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def try_now(self) -> None:
        """Stop waiting for the next try."""
        self._wake.set()

    def _loop(self) -> None:
        losses = 0
        while not self._stopped:
            url, began_ms = self.url(), self.peers.wall()
            opened = self._connect_and_wait(url) if url else False
            losses = losses_after(losses, opened, self.peers.wall() - began_ms)
            if self._stopped:
                return
            self.next_try_s = self.delay_s(losses) if url else SECOND_RETRY_S
            self._wake.wait(self.next_try_s)
            self._wake.clear()

    def delay_s(self, losses: int) -> float:
        """How long to wait after so many tries in a row that did not open."""
        if losses == 0:
            return 0.0
        if losses == 1:
            return self.uniform() * SECOND_RETRY_S
        return SECOND_RETRY_S / 2 + self.uniform() * max(self.retry_ms_max / 1000, SECOND_RETRY_S / 2)

    def _connect_and_wait(self, url: str) -> bool:
        """Hold one link until it ends. True where the other side's hello was good."""
        from socketio.exceptions import ConnectionError as NoConnection

        try:
            line = self.dial(url)
        except (SyncError, OSError, ValueError) as error:
            self._note(str(error) or "the hub did not answer", getattr(error, "code", None))
            return False
        socket = self._new_socket(url, line)
        self._socket = socket
        ended = threading.Event()
        links: list[Link] = []

        @socket.on(EVENT, namespace=NAMESPACE)  # type: ignore[untyped-decorator]
        def received(data: object) -> None:
            if links:
                links[0].received(data)

        @socket.on("disconnect", namespace=NAMESPACE)  # type: ignore[untyped-decorator]
        def disconnected(*_: object) -> None:
            ended.set()

        try:
            socket.connect(url, transports=["websocket"], namespaces=[NAMESPACE], wait_timeout=CONNECT_S_MAX)
        except (NoConnection, ValueError, OSError) as error:
            self._note(*_answer_in(error))
            self._close(socket)
            return False
        link = self.peers.new_link(
            caller=True,
            send=lambda frame: self._send(socket, frame, ended),
            hang_up=ended.set,
            channel=line.channel if line else b"",
            channel_peer=line.peer if line else None,
        )
        links.append(link)
        link.open()
        ended.wait()
        opened = link.session.was_open
        self._note(": ".join(link.ended) if link.ended else None, link.ended[0] if link.ended else None)
        link.down()
        self._close(socket)
        return opened

    def _note(self, error: str | None, code: str | None) -> None:
        self.last_error, self.last_code = error, code

    def _send(self, socket: Any, frame: bytes, ended: threading.Event) -> None:
        from socketio.exceptions import SocketIOError

        try:
            socket.emit(EVENT, frame, namespace=NAMESPACE)
        except (SocketIOError, OSError):
            ended.set()  # the transport went away between two frames: the loop resumes from the vectors

    def _new_socket(self, url: str, line: Line | None) -> Any:
        import requests  # here, and socketio too: a quarter of a second that no other command should pay

        session = requests.Session()
        session.trust_env = False
        options: dict[str, Any] = {"http_no_proxy": [urlsplit(url).hostname or "*"]}
        if line is not None:
            options["socket"] = line.socket
        return _ordered_client(
            reconnection=False,
            handle_sigint=False,
            http_session=session,
            request_timeout=CONNECT_S_MAX,
            websocket_extra_options=options,
        )

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._close(self._socket)

    def _close(self, socket: Any) -> None:
        # An orderly goodbye over a dead path would wait for its answer: the transport is dropped instead.
        threading.Thread(target=_disconnect, args=(socket,), daemon=True).start()


def _ordered_client(**options: Any) -> Any:
    """A Socket.IO client that handles packets in the order in which they came.

    Its engine starts a thread for each packet; a frame is two of them (head and bytes), and one that overtakes the
    other is an error that loses both.
    """
    import engineio
    import socketio

    class Engine(engineio.Client):  # type: ignore[misc,unused-ignore]
        def _trigger_event(self, event: str, *arguments: Any, **more: Any) -> Any:
            return super()._trigger_event(event, *arguments, **more | {"run_async": False})

    class Ordered(socketio.Client):  # type: ignore[misc,unused-ignore]
        def _engineio_client_class(self) -> Any:
            return Engine

    return Ordered(**options)


def _answer_in(error: BaseException) -> tuple[str, str | None]:
    """What the hub answered instead of a link, in its own words: (text, code)."""
    seen: BaseException | None = error
    while seen is not None:
        body = getattr(seen, "resp_body", None)
        if body:
            try:
                problem = json.loads(body)
                return f"the hub refused: {problem['detail']}"[:TEXT_MAX], str(problem["code"])[:64]
            except (ValueError, KeyError, TypeError):
                break
        seen = seen.__cause__ or seen.__context__
    return str(error) or "the hub did not answer", None


def _disconnect(socket: Any) -> None:
    from socketio.exceptions import SocketIOError

    try:
        if socket.connected:
            socket.disconnect()
        elif socket.eio.state != "disconnected":
            socket.eio.disconnect(abort=True)
    except (SocketIOError, OSError, ValueError):
        return  # it was gone already
