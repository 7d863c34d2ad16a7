"""What can still be read of a damaged store: every row that the engine gives, around the pages that it refuses.

Before: ``mend`` has set the damaged file aside and works on a copy. After: ``mend`` fills a new store. Nothing read
here is believed: operations go through the checks of arrival, like a stranger's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from app.store import engine
from app.store.engine import Connection
from app.store.errors import StoreError
from sync import limits
from sync.oplog import CLASS_BITS, Segment

T = TypeVar("T")
_REFUSED: tuple[type[Exception], ...] = (StoreError, *engine.DATABASE_ERRORS)
PROBED_MAX = 20_000  # numbers asked for one by one behind a damaged page


@dataclass(frozen=True, slots=True)
class Kept:
    """A segment of the damaged log, with what the node had noted of its arrival."""

    segment: Segment
    position: int
    received_at: int
    via: bytes | None


class Salvage:
    """Reads a damaged store. A connection that met a damaged page is not used again."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path, self._key = path, key
        self._connection: Connection | None = None

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(*engine.DATABASE_ERRORS):
                self._connection.close()
        self._connection = None

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[list[Any], bool]:
        """(the rows before the first damaged page, whether these are all)."""
        rows: list[Any] = []
        try:
            if self._connection is None:
                self._connection = engine.open_connection(self._path, self._key)
            for row in self._connection.execute(sql, parameters):
                rows.append(row)
        except _REFUSED:
            self.close()
            return rows, False
        return rows, True

    def call(self, ask: Callable[[Connection], T]) -> T | None:
        """What ``ask`` makes of the store; None where a damaged page was in its way."""
        try:
            if self._connection is None:
                self._connection = engine.open_connection(self._path, self._key)
            return ask(self._connection)
        except _REFUSED:
            self.close()
            return None

    def table(self, name: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """The rows of a table, read from both ends where the middle is damaged."""
        there, _ = self.read(f"PRAGMA table_info({name})")
        known = [row["name"] for row in there]
        wanted = ", ".join(f'"{column}"' if column in known else "NULL" for column in columns)
        keys = [row["name"] for row in sorted(there, key=lambda row: row["pk"]) if row["pk"]] or ["rowid"]
        found: dict[tuple[Any, ...], None] = {}
        for order in ("ASC", "DESC"):
            by = ", ".join(f'"{key}" {order}' for key in keys)
            rows, whole = self.read(f"SELECT {wanted} FROM {name} ORDER BY {by}")
            found |= dict.fromkeys(tuple(row) for row in rows)
            if whole:
                break
        return list(found)

    # -- the log ---------------------------------------------------------------------------------

    def streams(self) -> dict[int, bytes]:
        """number -> id"""
        rows = self.table("stream", ("no", "id"))
        rows += [tuple(row) for row in self.read("SELECT no, id FROM stream ORDER BY id")[0]]  # from its index alone
        return {no: bytes(id_) for no, id_ in rows if id_ is not None}

    def segments(self) -> list[Kept]:
        """Every run of operations that is whole and ends at a signature, in the order of their arrival."""
        lasts: dict[int, int] = {}
        for stream, seq in self.table("op", ("stream", "seq")):
            lasts[stream] = max(seq, lasts.get(stream, 0))
        found: list[Kept] = []
        for no, stream in self.streams().items():
            found += self._of_stream(stream, self._rows(no, lasts.get(no, 0)))
        return sorted(found, key=lambda kept: kept.position)

    def _of_stream(self, stream: bytes, rows: dict[int, _Row]) -> Iterator[Kept]:
        end = 0
        for last, row in sorted(rows.items()):
            if row.signature is None or row.first is None:
                continue
            start = row.first
            if end + 1 < start and all(seq in rows for seq in range(end + 1, start)):
                start = end + 1  # the run before has lost its end, its operations are here: this signature covers them
            if all(seq in rows for seq in range(start, last + 1)) and last - start < limits.RUN_OPS_MAX:
                held = tuple(rows[seq].body for seq in range(start, last + 1))
                yield Kept(Segment(stream, start, row.signature, held), row.position, row.received_at, row.via)
                end = last

    def _rows(self, no: int, last: int) -> dict[int, _Row]:
        """seq -> its row, of all that can be read."""
        found: dict[int, _Row] = {}
        at, probed = 1, 0
        columns = "seq, body, first, signature, no, received_at, via"
        asked = f"SELECT {columns} FROM op WHERE stream = ? AND seq >= ? ORDER BY seq"
        while at <= last:
            rows, whole = self.read(asked, (no, at))
            found |= {row[0]: _Row.read(row) for row in rows}
            at = max(at, rows[-1][0] + 1 if rows else 0)
            if whole or probed >= PROBED_MAX:
                break
            at, probed = at + 1, probed + 1
        return found


@dataclass(frozen=True, slots=True)
class _Row:
    """An operation, and what is noted where a run ends with it."""

    body: bytes
    first: int | None
    signature: bytes | None
    position: int
    received_at: int
    via: bytes | None

    @staticmethod
    def read(row: Any) -> _Row:
        _, body, first, signature, no, received_at, via = row
        position = no & ((1 << CLASS_BITS) - 1)
        return _Row(bytes(body), first, bytes(signature) if signature else None, position, received_at or 0, via)
