"""Many terminals in one process, each no more than its session and a socket: what the hub is joined by in ``storm``.

Run as a module, with gevent: ``python -m app.bench.storm_clients PLAN``. It writes ``PLAN.joined`` when all have joined
for the first time, ``PLAN.again`` when all have after the loss of the hub, and ``PLAN.failures``.
"""

from __future__ import annotations

if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()

import os
import random
import socket as plain_socket
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from sync import client as calling
from sync.actions import Close, Opened, Send
from sync.certificate import Certificate
from sync.local import Local
from sync.session import Session
from sync.signing import SigningKey

SCHEMA = 1  # of a peer without files: this one asks for none
PATIENCE_S = 30
FIRST_A_SECOND = 50  # the first time they come one after the other
HEAD = '451-/sync,["f",{"_placeholder":true,"num":0}]'


class Terminal(msgspec.Struct):
    seed: bytes
    certificate: bytes
    shown: dict[str, bytes] = {}  # what it holds for TLS, where the hub is called over it


class Plan(msgspec.Struct):
    url: str
    root: bytes
    vector: dict[bytes, tuple[int, bytes]]
    clients: list[Terminal]


@dataclass(frozen=True, slots=True)
class Joined:
    whole_ms: float  # from the connection on
    compared_ms: float  # from the vector's digest to the answer
    compared_bytes: int
    retry_ms_max: int
    socket: Any


@dataclass
class Published:
    ends: dict[bytes, tuple[int, bytes]]
    nodes: dict[bytes, bytes] = field(default_factory=dict)
    position: int = 0
    tails: tuple[tuple[bytes, int, bytes], ...] = ()


def local_of(plan: Plan, number: int) -> Local:
    held = plan.clients[number]
    published = Published(plan.vector)
    return Local(
        key=SigningKey(held.seed),
        certificate=Certificate.decode(held.certificate),
        root_public=plan.root,
        schema=SCHEMA,
        nonce=os.urandom(16),
        published=lambda: published,
        source=lambda sent, cursors, ops, size: [],
        is_revoked=lambda node: False,
        branches=list,
        receipts_of=lambda peer: {},
        own_origin=lambda: b"",
        retry_ms_max=lambda: 0,
    )


def join_once(plan: Plan, number: int, url: str) -> Joined:
    """Connect, prove, compare. Raises OSError or an error of the socket where the hub does not answer."""
    import websocket

    began = time.perf_counter()
    line = _line(plan.clients[number].shown, url)
    socket = websocket.create_connection(
        url.replace("http", "ws", 1) + "/socket.io/?transport=websocket&EIO=4",
        timeout=PATIENCE_S,
        http_no_proxy=["*"],
        **({"socket": line.socket} if line else {}),
    )
    _until(socket, "0")
    socket.send("40/sync,")
    _until(socket, "40/sync,")
    local = local_of(plan, number)
    if line is not None:
        local = replace(local, channel=line.channel, channel_peer=line.peer)
    session, retry_ms_max = Session(local, True), 0
    compared, size = 0.0, 0
    actions = session.on_open(_now_ms())
    while session.phase != "open":
        for action in actions:
            if isinstance(action, Send):
                compared, size = time.perf_counter(), len(action.frame)
                socket.send(HEAD)
                socket.send_binary(action.frame)
            elif isinstance(action, Opened):
                retry_ms_max = action.retry_ms_max
            elif isinstance(action, Close):
                raise OSError(f"refused: {action.code}")
        frame = _frame(socket)
        actions = session.on_frame(frame, _now_ms())
        size += len(frame)
    ended = time.perf_counter()
    framing = 2 * (len(HEAD) + 2 + 2) + 2 * 4  # a text and a binary WebSocket frame each way, masked by the caller
    return Joined((ended - began) * 1000, (ended - compared) * 1000, size + framing, retry_ms_max, socket)


def _line(shown: dict[str, bytes], url: str) -> calling.Line | None:
    """A connection as a terminal makes it, with the checks that it makes."""
    if not shown:
        return None
    from app.pki import leaf, peer
    from app.tls import contexts
    from app.tls.held import Held

    held, target = Held(**shown), urlsplit(url)
    plain = plain_socket.create_connection((target.hostname or "", target.port or 0), timeout=PATIENCE_S)
    plain.setsockopt(plain_socket.IPPROTO_TCP, plain_socket.TCP_NODELAY, 1)
    connection = contexts.calling(held).wrap_socket(plain, server_hostname=leaf.HUB_NAME)
    hub = connection.getpeercert(binary_form=True) or b""
    return calling.Line(connection, peer.channel_of(hub, held.leaf), peer.read(hub).node_id)


def _frame(socket: Any) -> bytes:
    while not isinstance(data := _next(socket), bytes):
        pass  # the head of a frame
    return data


def _until(socket: Any, start: str) -> None:
    while not str(_next(socket)).startswith(start):
        pass


def _next(socket: Any) -> str | bytes:
    """What comes next; the engine's pings are answered."""
    while (data := socket.recv()) == "2":
        socket.send("3")
    if data == "" or str(data).startswith(("1", "41", "44")):
        raise OSError("the hub hung up")
    return data


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Crowd:
    plan: Plan
    path: Path
    joined: int = 0
    again: int = 0
    failures: int = 0  # tries that the hub had answered and that did not join
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def live(self, number: int) -> None:
        """One terminal: joins, loses its hub, comes back as ``sync/client`` does."""
        jitter = calling.Client(lambda: None, None, random.random)  # type: ignore[arg-type]
        time.sleep(random.random() * len(self.plan.clients) / FIRST_A_SECOND)
        losses, lives = 0, 0
        while lives < 2:
            began_ms, opened = _now_ms(), False
            try:
                joined = join_once(self.plan, number, self.plan.url)
                opened, jitter.retry_ms_max = True, joined.retry_ms_max
                lives += 1
                self._note(lives)
                if lives < 2:
                    self._wait_for_the_end(joined.socket)
                else:
                    self._hold(joined.socket)
            except ConnectionRefusedError:
                pass  # there is no hub yet
            except Exception:  # whatever the socket raises: the hub had answered
                if not opened and lives:  # of the first time nothing is told
                    self.failures += 1
                    self.path.with_suffix(".failures").write_text(str(self.failures))
            losses = calling.losses_after(losses, opened, _now_ms() - began_ms)
            time.sleep(jitter.delay_s(losses))

    def _note(self, lives: int) -> None:
        with self._lock:
            if lives == 1:
                self.joined += 1
            else:
                self.again += 1
        for word, count in (("joined", self.joined), ("again", self.again)):
            if count == len(self.plan.clients):
                self.path.with_suffix(f".{word}").touch()

    def _wait_for_the_end(self, socket: Any) -> None:
        socket.settimeout(None)
        while True:
            _frame(socket)

    def _hold(self, socket: Any) -> None:
        self._wait_for_the_end(socket)


def failures(path: Path) -> int:
    kept = path.with_suffix(".failures")
    return int(kept.read_text() or 0) if kept.exists() else 0


def main(path: Path) -> None:
    plan = msgspec.msgpack.decode(path.read_bytes(), type=Plan)
    crowd = Crowd(plan, path)
    threads = [threading.Thread(target=crowd.live, args=(number,)) for number in range(len(plan.clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
