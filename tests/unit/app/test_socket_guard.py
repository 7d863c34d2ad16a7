from __future__ import annotations

import logging
import socket
import time
from typing import Any

import gevent
import gevent.socket
import pytest
import socketio
from wsproto import ConnectionType, WSConnection
from wsproto.events import Request, TextMessage

from app import socket_guard
from app.buckets import Bucket, Rate
from app.socket_guard import UNREAD_MAX, Guard, WebSocket, _WholeSends

FRAME = bytes(range(256)) * 16_384  # 4 MiB


class Server:
    """What the guard needs of a Socket.IO server, and who it sent away."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.eio = self

    def disconnect(self, transport: str) -> None:
        self.ended.append(transport)


def guard_of(known: bool) -> tuple[Guard, Server]:
    server = Server()
    guard = Guard(server, lambda transport: known, clock=lambda: 0.0)
    guard.connected("t")
    return guard, server


def test_a_stranger_may_send_a_hello_and_no_flood() -> None:
    guard, _ = guard_of(known=False)
    told = [guard.admits("t", "x") for _ in range(100)]
    assert told.count(True) == socket_guard.STRANGER_MESSAGES_MAX
    assert told.index(False) == socket_guard.STRANGER_MESSAGES_MAX


def test_a_stranger_may_send_only_so_many_bytes() -> None:
    guard, _ = guard_of(known=False)
    assert guard.admits("t", bytes(60_000))
    assert not guard.admits("t", bytes(60_000))


def test_a_device_of_the_city_is_limited_far_above_its_work() -> None:
    guard, _ = guard_of(known=True)
    chunk = bytes(64_000)
    assert all(guard.admits("t", chunk) for _ in range(socket_guard.MESSAGES.burst))
    assert not guard.admits("t", b"x")


def test_who_has_proved_nothing_after_ten_seconds_is_sent_away_and_others_stay() -> None:
    for known, ended in ((False, ["t"]), (True, [])):
        guard, server = guard_of(known)
        guard.end_stranger("t")
        assert server.ended == ended
        assert guard.admits("t", "x") is known


def test_what_is_no_packet_ends_the_connection_without_a_trace_and_our_own_failure_leaves_one(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = socketio.Server(async_mode="threading")
    guard = socket_guard.attach(server, lambda transport: True)
    ended: list[str] = []
    monkeypatch.setattr(guard, "end", ended.append)
    hear = server.eio.handlers["message"]
    for bad in ("", "9", "2", "5999999999999-[", "2/x," + "[" * 5_000, '51-["f",{"_placeholder":true}]', b"\x00", "4"):
        guard._open["t"] = socket_guard._Transport(Bucket.full(Rate(100, 1), 0))
        hear("t", bad)
    assert "failed" not in caplog.text

    def fails(*_: Any) -> None:
        from app import catalog

        catalog.table("no such table")

    monkeypatch.setattr(server, "_handle_event", fails)
    with caplog.at_level(logging.ERROR):
        hear("t", '2["f"]')
    assert "a socket event failed" in caplog.text
    assert ended


def test_a_frame_larger_than_the_lines_buffer_arrives_whole() -> None:
    """A terminal behind a slow line: what the kernel does not take at once must not be lost."""
    ours, theirs = gevent.socket.socketpair()
    received = bytearray()

    def read() -> None:
        while data := theirs.recv(8_192):
            received.extend(data)

    reading = gevent.spawn(read)
    assert _WholeSends(ours).send(FRAME) == len(FRAME)
    ours.close()
    reading.join(10)
    theirs.close()
    assert bytes(received) == FRAME


def test_gevents_own_send_leaves_the_rest_to_its_caller() -> None:
    """The reason for the one above: should this ever fail, gevent does it itself."""
    ours, theirs = gevent.socket.socketpair()
    with ours, theirs:
        assert ours.send(FRAME) < len(FRAME)


def test_a_connection_that_is_closed_while_messages_wait_stays_closed() -> None:
    """It came back to life, was read no further and held its place for ever: who floods could take them all."""
    ours, theirs = socket.socketpair()
    with theirs:
        peer = WSConnection(ConnectionType.CLIENT)
        request = peer.send(Request(host="hub", target="/")).decode("ascii").split("\r\n")[1:]
        headers = dict(line.split(": ", 1) for line in request if line)
        names = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
        line = WebSocket({"werkzeug.socket": ours, "REQUEST_METHOD": "GET", "PATH_INFO": "/", **names})
        peer.receive_data(theirs.recv(8_192))
        list(peer.events())
        for _ in range(2 * UNREAD_MAX):
            theirs.sendall(peer.send(TextMessage(data="2f")))
        deadline = time.monotonic() + 5
        while len(line.input_buffer) <= UNREAD_MAX and time.monotonic() < deadline:
            time.sleep(0.001)  # the connection's own thread reads, and tells nobody when
        assert len(line.input_buffer) > UNREAD_MAX
        line.close()
        theirs.sendall(peer.send(TextMessage(data="2f")))
        line.thread.join(5)
        hangs = line.thread.is_alive()
        line.input_buffer.clear()  # lets it go where the test fails
        assert not hangs
        assert not line.connected
