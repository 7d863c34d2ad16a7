"""A TCP proxy on loopback: a black hole where connections stay open and nothing passes, or a slow line."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

PIECE_BYTES = 1_460  # what passes at once on a slow line, as a packet does


class BlackHoleProxy:
    def __init__(self, target_port: int, bytes_s: float | None = None) -> None:
        """``bytes_s``: what the line carries in each direction."""
        self._target, self._bytes_s = target_port, bytes_s
        self._open = threading.Event()
        self._open.set()
        self._ended = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def swallow(self) -> None:
        self._open.clear()

    def pass_on(self) -> None:
        self._open.set()

    def close(self) -> None:
        self._ended = True
        self._open.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._ended:
            try:
                inner, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(inner,), daemon=True).start()

    def _join(self, inner: socket.socket) -> None:
        self._open.wait()
        try:
            outer = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            inner.close()
            return
        outer.settimeout(None)
        for source, sink in ((inner, outer), (outer, inner)):
            with contextlib.suppress(OSError):  # whoever called gave up in the meantime
                sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        free_at = 0.0  # when the line has carried what was given to it
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE_BYTES if self._bytes_s else 65536):
                self._open.wait()
                if self._bytes_s:
                    free_at = max(free_at, time.monotonic()) + len(data) / self._bytes_s
                    time.sleep(max(0.0, free_at - time.monotonic()))
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.close()
