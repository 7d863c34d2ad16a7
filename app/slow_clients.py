"""The HTTP server under ``serve``: nobody holds a connection by saying nothing, or one byte at a time.

Before: ``server`` hands it the listening socket. After: ``factory``'s application. A tablet behind a line of 128 kbit/s
is slow, too, and its photo of 12 MB must arrive: so a body has no time in all, but a rate that it must not fall below.
"""

from __future__ import annotations

import io
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from gevent.pywsgi import WSGIHandler, WSGIServer
from werkzeug.exceptions import ClientDisconnected, RequestTimeout

log = logging.getLogger("app.http")

IDLE_S = 75.0  # between two requests of one connection
HEAD_S = 15.0  # from the first byte of a request to the end of its headers
GRACE_S = 30.0
BYTES_PER_S_MIN = 4_096  # a quarter of the slowest line that a city plans with
SOCKET_SILENCE_S = 60.0  # of a WebSocket: its pings come every five seconds
CONNECTIONS_MAX = 8_192
CONNECTIONS_PER_ADDRESS_MAX = 512  # an office behind one address; this machine itself is not counted
FILES_KEPT = 256  # of the descriptors that a process may have, for the store and its children


class PacedReader(io.RawIOBase):
    """What a client sends, read under a clock: first the wait, then the head, then a body at a rate."""

    def __init__(self, sock: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._sock, self._clock = sock, clock  # `_sock` is where the WebSocket looks for its connection
        self._until, self._part = clock() + HEAD_S, "head"

    def await_request(self) -> None:
        self._until, self._part = self._clock() + IDLE_S, "wait"

    def await_body(self) -> None:
        self._until, self._part = self._clock() + GRACE_S, "body"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(max(self._until - self._clock(), 0.001))
        count: int = self._sock.recv_into(buffer)
        if self._part == "wait":  # the first bytes of a request are here: from now on it must hurry
            self._until, self._part = self._clock() + HEAD_S, "head"
        elif self._part == "body":
            self._until += count / BYTES_PER_S_MIN
        return count


class Body:
    """The body of a request. A client that goes away, or is too slow, is its own fault and no failure of a view."""

    def __init__(self, body: Any, hang_up: Callable[[], None]) -> None:
        self._body, self._hang_up = body, hang_up

    def read(self, size: int | None = None) -> bytes:
        return self._taken(self._body.read, size)

    def readline(self, size: int | None = None) -> bytes:
        return self._taken(self._body.readline, size)

    def readlines(self, hint: int | None = None) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _taken(self, read: Callable[[int | None], bytes], size: int | None) -> bytes:
        try:
            return read(size)
        except TimeoutError as error:
            self._hang_up()
            raise RequestTimeout from error
        except OSError as error:
            self._hang_up()
            raise ClientDisconnected from error


class Handler(WSGIHandler):
    def __init__(self, sock: Any, address: Any, server: Any) -> None:
        self._paced = PacedReader(sock)
        super().__init__(sock, address, server, rfile=io.BufferedReader(self._paced))

    def read_requestline(self) -> str:
        self._paced.await_request()
        line: str = super().read_requestline()
        return line

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        if self._connection_upgrade_requested():
            self.socket.settimeout(SOCKET_SILENCE_S)
        else:
            self._paced.await_body()
            environ["wsgi.input"] = Body(self.wsgi_input, self._hang_up)
        return environ

    def _hang_up(self) -> None:
        self.close_connection = True

    def _sendall(self, data: bytes) -> None:
        if not self.connection_upgraded:
            self.socket.settimeout(GRACE_S + len(data) / BYTES_PER_S_MIN)
        super()._sendall(data)

    def log_error(self, msg: str, *args: Any) -> None:
        """Of a request that is none only that it came: its bytes are a stranger's."""
        log.info("a request could not be read")

    def _handle_client_error(self, ex: BaseException) -> Any:
        if isinstance(ex, OSError):  # too slow with its headers, or gone: nobody waits for an answer
            self.close_connection = True
            return None
        if not isinstance(ex, ValueError):  # whatever the parser of headers stumbles over is the client's as well
            ex = ValueError()
        return super()._handle_client_error(ex)

    def _log_error(self, kind: Any, error: Any, trace: Any) -> None:
        if issubclass(kind, OSError):
            return  # who waited for the answer has gone, or takes it too slowly
        log.error("an answer failed", exc_info=(kind, error, trace))


class Doorkeeper:
    """Who is inside: so many connections in all, and so many of one address."""

    def __init__(self, total_max: int, per_address_max: int) -> None:
        self._total_max, self._per_address_max = total_max, per_address_max
        self._inside: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, address: str) -> bool:
        with self._lock:
            full = self._inside.total() >= self._total_max
            if full or (self._inside[address] >= self._per_address_max and not _is_this_machine(address)):
                return False
            self._inside[address] += 1
            return True

    def leave(self, address: str) -> None:
        with self._lock:
            self._inside[address] -= 1
            if self._inside[address] <= 0:
                del self._inside[address]

    @property
    def inside(self) -> int:
        return self._inside.total()


class Server(WSGIServer):
    """Counts connections before anything of them is read, the handshake of TLS included."""

    handler_class = Handler

    def __init__(self, listener: Any, application: Any, **arguments: Any) -> None:
        self._doorkeeper = Doorkeeper(connections_max(), CONNECTIONS_PER_ADDRESS_MAX)
        super().__init__(listener, application, log=None, **arguments)

    def do_handle(self, sock: Any, address: Any) -> None:
        if self._doorkeeper.enter(address[0]):
            super().do_handle(sock, address)
        else:
            sock.close()

    def do_close(self, sock: Any, address: Any) -> None:
        self._doorkeeper.leave(address[0])
        super().do_close(sock, address)


def connections_max() -> int:
    """As many as the machine lets this process have, less what the store needs."""
    try:
        import resource
    except ImportError:  # Windows counts no descriptors
        return CONNECTIONS_MAX
    return max(64, min(CONNECTIONS_MAX, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - FILES_KEPT))


def _is_this_machine(address: str) -> bool:
    return address.startswith("127.") or address in ("::1", "::ffff:127.0.0.1")
