"""What the engine itself can do: rows of 300 B into ``t(id INTEGER PRIMARY KEY, b BLOB)``, keyed and FULL like ours.

It is measured in turns with ours, so that a machine which is busy with something else is as busy for both.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.store import engine
from app.store.engine import Connection

ROW_BYTES, BATCH_ROWS = 300, 500


@dataclass
class Floor:
    connection: Connection
    took_s: float = 0.0
    rows: int = 0
    _data: list[tuple[bytes]] = field(default_factory=lambda: [(os.urandom(ROW_BYTES),) for _ in range(BATCH_ROWS)])

    def batch(self) -> None:
        """One transaction of 500 rows."""
        began = time.perf_counter()
        self.connection.execute("BEGIN")
        self.connection.executemany("INSERT INTO t (b) VALUES (?)", self._data)
        self.connection.execute("COMMIT")
        self._took(began, BATCH_ROWS)

    def single(self) -> None:
        """One row, durable by itself."""
        began = time.perf_counter()
        self.connection.execute("INSERT INTO t (b) VALUES (?)", self._data[0])
        self._took(began, 1)

    @property
    def rate(self) -> float:
        return self.rows / self.took_s

    def _took(self, began: float, rows: int) -> None:
        self.took_s += time.perf_counter() - began
        self.rows += rows


@contextlib.contextmanager
def floor(path: Path) -> Iterator[Floor]:
    key = os.urandom(engine.KEY_BYTES)
    engine.create_database(path, key, ["CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)"])
    connection = engine.open_connection(path, key, cache_kib=engine.CACHE_KIB_HUB)
    try:
        yield Floor(connection)
    finally:
        connection.close()


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
