"""A line between two nodes on loopback that counts what it carries and, where told, is slow: a rate and a delay."""

from __future__ import annotations

import contextlib
import heapq
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

PIECE_BYTES = 1_460  # what passes at once on a slow line, as a packet does
QUEUE_BYTES = 16 * 1024  # what a slow line holds back before the sender's socket is full


@dataclass
class Line:
    """``bytes_s`` and ``delay_s`` are of one direction."""

    target_port: int
    bytes_s: float | None = None
    delay_s: float = 0.0
    carried: int = 0  # TCP payload, both ways
    joined: int = 0  # connections
    port: int = 0
    _ended: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def accept(self, listener: socket.socket) -> None:
        while not self._ended:
            try:
                inner, _ = listener.accept()
                outer = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                continue
            self.joined += 1
            for source, sink in ((inner, outer), (outer, inner)):
                sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self.bytes_s:  # or the kernel holds a minute of the line's work
                    source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE_BYTES)
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self.bytes_s:
                self._carry_slowly(source, sink, self.bytes_s)
            else:
                while data := source.recv(1 << 16):
                    self._count(data)
                    sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _carry_slowly(self, source: socket.socket, sink: socket.socket, bytes_s: float) -> None:
        """Each piece leaves when the line has carried those before it, and arrives the delay later."""
        under_way: list[tuple[float, int, bytes]] = []
        arrived = threading.Condition()
        threading.Thread(target=_deliver, args=(under_way, arrived, sink), daemon=True).start()
        free_at, number = 0.0, 0
        while data := source.recv(PIECE_BYTES):
            self._count(data)
            free_at = max(free_at, time.monotonic()) + len(data) / bytes_s
            time.sleep(max(0.0, free_at - time.monotonic()))
            number += 1
            with arrived:
                heapq.heappush(under_way, (free_at + self.delay_s, number, data))
                arrived.notify()
        with arrived:
            heapq.heappush(under_way, (free_at + self.delay_s, number + 1, b""))
            arrived.notify()

    def _count(self, data: bytes) -> None:
        with self._lock:
            self.carried += len(data)

    def end(self) -> None:
        self._ended = True


def _deliver(under_way: list[tuple[float, int, bytes]], arrived: threading.Condition, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            with arrived:
                while not under_way:
                    arrived.wait()
                at, _, data = heapq.heappop(under_way)
            time.sleep(max(0.0, at - time.monotonic()))
            if not data:
                sink.shutdown(socket.SHUT_RDWR)
                return
            sink.sendall(data)


@contextlib.contextmanager
def line(target_port: int, bytes_s: float | None = None, delay_s: float = 0.0) -> Iterator[Line]:
    """A line to a port of this machine, until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        found = Line(target_port, bytes_s, delay_s, port=int(listener.getsockname()[1]))
        threading.Thread(target=found.accept, args=(listener,), daemon=True).start()
        try:
            yield found
        finally:
            found.end()
