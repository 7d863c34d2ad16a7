"""Two thousand terminals that lost their hub come back to it, each with the jitter that the hub itself has told.

The hub is killed and started again; the clock runs from its open door until all have joined: hello, proofs and the
comparison of what both hold. Beside it: what one quiet reconnection takes, in time and bytes.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

import msgspec

from app import processes
from app.bench import corpus, emit, stage, storm_clients, tablets
from app.bench.line import line
from sync import oplog
from sync.signing import SigningKey

CLIENTS, PROCESSES, ORIGINS, REPORTS = 2_000, 2, 40, 400
PATIENCE_S, SETTLE_S = 300.0, 8.0  # a link that lasted 5 s was a good one: the next loss begins anew


def run(bench: str = "storm", count: int = CLIENTS, tls: bool = False) -> None:
    # Over TLS only, for the minutes of the measurement.
    beyond = ("--host", "0.0.0.0") if tls else ()  # nosec B104
    with stage.folder() as folder:
        port = stage.free_port()
        plan = _city(folder, port, count, tls)
        parts = [folder / f"clients-{number}" for number in range(PROCESSES)]
        for number, path in enumerate(parts):
            clients = plan.clients[number::PROCESSES]
            path.write_bytes(msgspec.msgpack.encode(msgspec.structs.replace(plan, clients=clients)))
        log = (folder / "hub.log").open("ab")
        running: list[subprocess.Popen[bytes]] = []
        hub = processes.serve(folder / "hub", port, log, *beyond)
        try:
            _await_listening(port)
            _resync(bench, plan, port)
            running = [processes.start(["app.bench.storm_clients", str(path)], log) for path in parts]
            _await(running, parts, "joined")
            time.sleep(SETTLE_S)
            hub.kill()
            hub.wait()
            hub = processes.serve(folder / "hub", port, log, *beyond)
            _await_listening(port)
            began = time.monotonic()
            _await(running, parts, "again")
            emit(bench, "joined", time.monotonic() - began, "s")
            emit(bench, "hub_peak", _peak_mb(hub.pid), "MB")
            emit(bench, "failures", sum(storm_clients.failures(path) for path in parts), "links")
        finally:
            for process in (hub, *running):
                process.kill()
                process.wait()
            log.close()


def _city(folder: Path, port: int, count: int, tls: bool) -> storm_clients.Plan:
    """A hub that holds what forty terminals wrote, and what its clients need to be its terminals."""
    stage.make_hub(folder / "hub")
    with stage.opened(folder / "hub") as hub:
        _, scope = stage.open_incident(hub)
        changes = corpus.creates(scope, corpus.documents(REPORTS))
        for number in range(ORIGINS):
            writer = tablets.replica(hub, f"T{number:02d}")
            tablets.write_singly(writer, changes[number::ORIGINS])
            for segments in tablets.log_of(writer):
                hub.writer.call(lambda replica, segments=segments: replica.receive(segments, None))  # type: ignore[misc]
        clients = []
        for number in range(count):
            key, label = SigningKey.generate(), f"C{number:04d}"
            held = tablets.certify(hub, key.public, os.urandom(32), label)
            shown = stage.shown_by(hub, held.node_id, label) if tls else {}
            clients.append(storm_clients.Terminal(key.seed, held.encode(), shown))
        ends = {stream.id: (stream.last, stream.head) for stream in oplog.load_streams(hub.reader()).values()}
        assert hub.root_public is not None
        return storm_clients.Plan(f"http{'s' * tls}://127.0.0.1:{port}", hub.root_public, ends, clients)


def _resync(bench: str, plan: storm_clients.Plan, port: int) -> None:
    """One terminal that has nothing to say and nothing to hear, five times; the best of the times."""
    with line(port) as counted:
        found: list[storm_clients.Joined] = []
        carried: list[int] = []
        for _ in range(5):
            before = counted.carried
            found.append(storm_clients.join_once(plan, 0, plan.url.replace(str(port), str(counted.port))))
            time.sleep(0.1)
            carried.append(counted.carried - before)
    emit(bench, "resync", min(one.compared_ms for one in found), "ms")
    emit(bench, "resync_wire", min(one.compared_bytes for one in found), "B")
    emit(bench, "reconnect", min(one.whole_ms for one in found), "ms")
    emit(bench, "reconnect_wire", min(carried), "B")


def _await_listening(port: int) -> None:
    """Until the hub takes connections; to be answered, one would stand in line with two thousand."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.02)


def _await(running: list[subprocess.Popen[bytes]], parts: list[Path], word: str) -> None:
    """Until every process has written that all its clients have done this."""
    deadline = time.monotonic() + PATIENCE_S
    for process, path in zip(running, parts, strict=True):
        while not path.with_suffix(f".{word}").exists():
            assert time.monotonic() < deadline and process.poll() is None, f"not all clients have {word}"
            time.sleep(0.02)


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
