"""A backlog over the real socket: ten thousand saved reports to a durable hub, and from it into an empty terminal.

Each node is a process of its own, as it runs in a city. The clock runs from the first operation that the taker has
durably until the last one, as this process reads them in the taker's store.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app import processes
from app.bench import corpus, emit, stage, tablets
from app.bench.line import line
from app.node import Node
from app.store import engine
from app.store.folder import DataFolder
from app.store.keys import read_keys
from sync import oplog
from sync.oplog import Segment

REPORTS = 10_000
POLL_S, PATIENCE_S = 0.003, 300.0
Fill = Callable[[Node, Path, bytes], None]  # the hub, a terminal's folder, the incident's scope


def run(path: Path | None = None) -> None:
    listed = corpus.documents(REPORTS, path)
    hard = corpus.documents(REPORTS, path, hard=path is None)
    with stage.folder() as folder:
        _both_ways(folder / "creates", "creates", lambda hub, home, scope: write(home, scope, listed))
        _both_ways(folder / "mixed", "mixed", lambda hub, home, scope: keep(home, tablets.mixed(hub, scope, listed)))
        for name, text in (("repetitive", listed), ("random", hard)):
            _wire(folder / name, name, lambda hub, home, scope, text=text: write(home, scope, text))  # type: ignore[misc]


def make_city(folder: Path, port: int, fill: Fill, terminals: tuple[str, ...] = ("full", "empty")) -> bytes:
    """A hub with an incident and terminals, the first of them filled; the scope of the incident."""
    folder.mkdir()
    stage.make_hub(folder / "hub")
    with stage.opened(folder / "hub") as hub:
        _, scope = stage.open_incident(hub)
        for number, name in enumerate(terminals, 1):
            tablets.enrolled(folder / name, hub, f"http://127.0.0.1:{port}", f"T{number:02d}")
        keep(folder / terminals[0], tablets.log_of(hub.replica))  # it knows the incident that it writes for
        fill(hub, folder / terminals[0], scope)
    return scope


def write(home: Path, scope: bytes, listed: list[corpus.Document]) -> None:
    """Save reports on a terminal that is not connected, each with a signature of its own."""
    with stage.opened(home) as node:
        tablets.write_singly(node.replica, corpus.creates(scope, listed))


def keep(home: Path, runs: list[list[Segment]]) -> None:
    """Let a terminal hold what others wrote."""
    with stage.opened(home) as node:
        for one in runs:
            node.replica.run_batch([lambda replica, one=one: replica.receive(one, None)])  # type: ignore[misc]


def _both_ways(folder: Path, name: str, fill: Fill) -> None:
    port = stage.free_port()
    make_city(folder, port, fill)
    with processes.serving(folder, {"hub": port}):
        emit("sync", f"push_{name}_per_s", moved(folder, "full", "hub"), "1/s")
        emit("sync", f"pull_{name}_per_s", moved(folder, "empty", "empty"), "1/s")
        with store(folder / "hub") as held, store(folder / "empty") as pulled:
            assert oplog.sums(held) == oplog.sums(pulled), "the two nodes differ"


def moved(folder: Path, served: str, taker: str) -> float:
    """Serve a terminal until the taker holds all: operations a second that it got."""
    with store(folder / taker) as taken, store(folder / ("hub" if taker == served else served)) as held:
        before, wanted = total(taken), _of_both(held, taken)
        with processes.serving(folder, {served: stage.free_port()}):
            return _watch(lambda: total(taken), before, wanted)


def _watch(read: Callable[[], int], before: int, wanted: int) -> float:
    """The rate from the first step above ``before`` until ``wanted``."""
    deadline, first, began = time.monotonic() + PATIENCE_S, before, 0.0
    while time.monotonic() < deadline:
        now, count = time.perf_counter(), read()
        if first == before and count > before:
            first, began = count, now
        if count >= wanted and now > began > 0:
            return (wanted - first) / (now - began)
        time.sleep(POLL_S)
    raise TimeoutError(f"{read()} of {wanted} operations came")


@contextlib.contextmanager
def store(home: Path) -> Iterator[Any]:
    """The store of a node, read beside the process that serves it."""
    place = DataFolder(home)
    connection = engine.open_connection(place.database, read_keys(place.keys, None).data_key, readonly=True)
    try:
        yield connection
    finally:
        connection.close()


def total(connection: Any) -> int:
    """The operations held."""
    last = "SELECT sum((SELECT max(seq) FROM op WHERE op.stream = stream.no)) FROM stream"
    return int(connection.execute(last).fetchone()[0] or 0)


def _of_both(one: Any, two: Any) -> int:
    ends: dict[bytes, int] = {}
    for connection in (one, two):
        for id_, stream in oplog.load_streams(connection).items():
            ends[id_] = max(stream.last, ends.get(id_, 0))
    return sum(ends.values())


def _wire(folder: Path, name: str, fill: Fill) -> None:
    """The TCP payload of a push, both ways, an operation: hello, acknowledgements and framing in it."""
    port = stage.free_port()
    make_city(folder, port, fill, ("full",))
    with processes.serving(folder, {"hub": port}), line(port) as counted:
        (folder / "full" / "tomoshibi.toml").write_text(f'hub_url = "{counted.url}"\n')
        moved(folder, "full", "hub")
        emit("sync", f"push_{name}_wire", counted.carried / REPORTS, "B/op")
