"""What a hub takes in: runs of 500 creates from another origin, checked, folded and committed, without the socket."""

from __future__ import annotations

import os
import time
from pathlib import Path

from app.bench import emit, stage
from app.node import Node
from app.store import engine
from sync.log_reader import LogReader
from sync.oplog import Segment

REPORTS = 10_000


def run() -> None:
    with stage.folder() as folder:
        stage.make_hub(folder / "hub")
        floor = _floor(folder / "floor.db")
        with stage.opened(folder / "hub") as writer:
            _, scope = stage.open_incident(writer)
            stage.fill(writer, scope, REPORTS)
            rate = _ingest(folder / "other", writer)
        emit("ingest", "floor_rows_per_s", floor, "1/s")
        emit("ingest", "creates_per_s", rate, "1/s")
        emit("ingest", "creates_of_floor", rate / floor, "ratio")


def _ingest(home: Path, writer: stage.Node) -> float:
    """A second store of the same city, filled from the first one's log."""
    stage.make_hub(home)
    with stage.opened(home) as taker:
        taker.replica.identity = writer.replica.identity  # the same root: what is measured is the funnel
        reader, sent = LogReader(writer.reader()), dict(taker.replica.vector)
        cursors: dict[int, int] = {}
        began, count = time.perf_counter(), 0
        while segments := reader.next_segments(sent, cursors, ops_max=500, bytes_max=1 << 20):
            _take(taker, segments)
            count += sum(len(segment.bodies) for segment in segments)
        took = time.perf_counter() - began
        held = taker.reader().execute("SELECT count(*) FROM damage_reports").fetchone()[0]
        assert held == REPORTS, "the bench lost reports"
        return count / took


def _take(taker: Node, segments: list[Segment]) -> None:
    taker.writer.call(lambda replica: replica.receive(segments, None))


def _floor(path: Path) -> float:
    key = os.urandom(32)
    engine.create_database(path, key, ["CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)"])
    connection = engine.open_connection(path, key)
    rows = [(os.urandom(300),) for _ in range(REPORTS)]
    began = time.perf_counter()
    for first in range(0, REPORTS, 500):
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO t (b) VALUES (?)", rows[first : first + 500])
        connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return REPORTS / took
