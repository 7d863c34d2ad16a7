from __future__ import annotations

import io
from typing import Any

import pytest
from werkzeug.exceptions import ClientDisconnected, RequestTimeout

from app import slow_clients
from app.slow_clients import Body, Doorkeeper, PacedReader

SLOWEST_LINE_BYTES_PER_S = 16_000  # 128 kbit/s
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n\r\n"


class SlowSocket:
    """A client that sends so many bytes at each step and lets so much time pass before it."""

    def __init__(self, data: bytes, step: int, pause_s: float) -> None:
        self.data, self.step, self.pause_s, self.now, self.limit = memoryview(data), step, pause_s, 0.0, 0.0

    def settimeout(self, limit: float) -> None:
        self.limit = limit

    def recv_into(self, buffer: Any) -> int:
        if self.pause_s > self.limit:
            self.now += self.limit
            raise TimeoutError
        self.now += self.pause_s
        taken, self.data = self.data[: min(self.step, len(buffer))], self.data[min(self.step, len(buffer)) :]
        buffer[: len(taken)] = taken
        return len(taken)


def reader_of(sock: SlowSocket) -> tuple[PacedReader, io.BufferedReader]:
    paced = PacedReader(sock, lambda: sock.now)
    return paced, io.BufferedReader(paced)


def test_a_photo_over_the_slowest_line_arrives() -> None:
    size = 12 << 20
    sock = SlowSocket(bytes(size), 1_600, 1_600 / SLOWEST_LINE_BYTES_PER_S)
    paced, reader = reader_of(sock)
    paced.await_body()
    assert len(reader.read(size)) == size
    assert sock.now > 700


def test_a_body_that_falls_below_the_rate_is_given_up() -> None:
    sock = SlowSocket(bytes(12 << 20), 100, 1.0)
    paced, reader = reader_of(sock)
    paced.await_body()
    with pytest.raises(TimeoutError):
        reader.read(12 << 20)
    assert sock.now < slow_clients.GRACE_S * 1.1


def test_headers_that_come_byte_by_byte_are_given_up() -> None:
    sock = SlowSocket(HEAD * 10, 1, 2.0)
    paced, reader = reader_of(sock)
    paced.await_request()
    with pytest.raises(TimeoutError):
        while reader.readline():
            pass
    assert sock.now <= 2.0 + slow_clients.HEAD_S


def test_who_keeps_a_connection_and_asks_nothing_may_wait_longer_than_who_has_begun() -> None:
    sock = SlowSocket(HEAD, 100, slow_clients.HEAD_S * 2)
    paced, reader = reader_of(sock)
    paced.await_request()
    assert reader.readline().startswith(b"POST")
    sock.pause_s = slow_clients.IDLE_S + 1
    paced.await_request()
    with pytest.raises(TimeoutError):
        reader.read(100)


@pytest.mark.parametrize(
    ("failure", "answer"), [(TimeoutError(), RequestTimeout), (ConnectionResetError(), ClientDisconnected)]
)
def test_a_client_that_goes_away_is_its_own_fault_and_its_connection_ends(failure: OSError, answer: Any) -> None:
    class Gone:
        def read(self, size: int | None = None) -> bytes:
            raise failure

    ended: list[bool] = []
    with pytest.raises(answer):
        Body(Gone(), lambda: ended.append(True)).read(5)
    assert ended == [True]


def test_so_many_connections_in_all_and_so_many_of_one_address() -> None:
    door = Doorkeeper(total_max=5, per_address_max=2)
    assert [door.enter("10.0.0.7") for _ in range(3)] == [True, True, False]
    assert [door.enter("127.0.0.1") for _ in range(4)] == [True, True, True, False]
    door.leave("10.0.0.7")
    assert door.enter("10.0.0.7")
    for address in ("10.0.0.7", "10.0.0.7", "127.0.0.1", "127.0.0.1", "127.0.0.1"):
        door.leave(address)
    assert door.inside == 0
