"""One saved report, from stamp to commit, against a bare INSERT on the same keyed engine."""

from __future__ import annotations

import os
import time
from pathlib import Path

from app.bench import emit, percentile, stage
from app.store import engine

SAVES = 1_000


def run() -> None:
    with stage.folder() as folder:
        stage.make_hub(folder / "hub")
        floor = _floor(folder / "floor.db")
        with stage.opened(folder / "hub") as node:
            _, scope = stage.open_incident(node)
            took: list[float] = []
            for change in stage.reports(scope, SAVES):
                began = time.perf_counter()
                node.write([change], None)
                took.append(time.perf_counter() - began)
        rate = SAVES / sum(took)
        emit("save", "floor_inserts_per_s", floor, "1/s")
        emit("save", "creates_per_s", rate, "1/s")
        emit("save", "creates_of_floor", rate / floor, "ratio")
        emit("save", "create_p99", percentile(took, 0.99) * 1000, "ms")


def _floor(path: Path) -> float:
    """Single-row inserts of 300 B, each durable: table t(id INTEGER PRIMARY KEY, b BLOB)."""
    key = os.urandom(32)
    engine.create_database(path, key, ["CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)"])
    connection = engine.open_connection(path, key)
    began = time.perf_counter()
    for _ in range(SAVES):
        connection.execute("INSERT INTO t (b) VALUES (?)", (os.urandom(300),))
    took = time.perf_counter() - began
    connection.close()
    return SAVES / took
