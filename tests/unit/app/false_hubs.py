"""Whoever answers on the hub's address: a TLS server on 127.0.0.1 that counts what it was told."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from app.tls import contexts
from app.tls.held import Held

Talk = Callable[[socket.socket], None]


@dataclass
class FalseHub:
    """``talk`` makes of the connection what it likes; ``heard`` is what came through TLS, in clear."""

    listener: socket.socket
    talk: Talk
    heard: bytearray = field(default_factory=bytearray)
    calls: int = 0

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.calls += 1
            with contextlib.suppress(OSError), contextlib.closing(connection):
                connection.settimeout(5)
                self.talk(connection)


@contextlib.contextmanager
def false_hub(talk: Callable[[FalseHub, socket.socket], None], port: int = 0) -> Iterator[FalseHub]:
    listener = socket.create_server(("127.0.0.1", port))
    hub = FalseHub(listener, lambda connection: talk(hub, connection))
    thread = threading.Thread(target=hub.serve, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def showing(held: Held) -> Callable[[FalseHub, socket.socket], None]:
    """Speaks TLS with what is held, and writes down every byte that is said after the handshake."""

    def talk(hub: FalseHub, connection: socket.socket) -> None:
        context = contexts.serving(held)
        with context.wrap_socket(connection, server_side=True) as line:
            while part := line.recv(65_536):
                hub.heard += part

    return talk


def garbling(hub: FalseHub, connection: socket.socket) -> None:
    hello = connection.recv(65_536)
    assert hello[:1] == b"\x16"
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")


def closing(hub: FalseHub, connection: socket.socket) -> None:
    connection.recv(65_536)


def clear_words(hub: FalseHub, connection: socket.socket) -> None:
    """Answers in clear, as a captive portal does, and goes on listening."""
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n")
    with contextlib.suppress(OSError):
        while part := connection.recv(65_536):
            hub.heard += part if not part.startswith(b"\x16\x03") and not part.startswith(b"\x15\x03") else b""
