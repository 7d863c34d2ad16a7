"""Versions that are named and not here yet, with the records that name them.

Before: the projector folds an operation at once, whatever it names. After: when such a version comes, the projector
builds those records from the log.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sync.operation import RecordKey, Version, split_stream
from sync.oplog import Connection


@dataclass(slots=True)
class Awaited:
    connection: Connection
    records: dict[tuple[bytes, int], set[RecordKey]] = field(default_factory=dict)  # (stream, seq) -> who names it

    def load(self) -> None:
        self.records.clear()
        for stream, seq, kind, scope, record in self.connection.execute(
            "SELECT name, seq, kind, scope, record FROM awaited"
        ):
            self.records.setdefault((bytes(stream), seq), set()).add((kind, bytes(scope), bytes(record)))

    def add(self, stream: bytes, name: Version, key: RecordKey) -> None:
        """Remember that ``key`` names a version in the scope and lane of ``stream``."""
        _, scope, lane = split_stream(stream)
        named = (name[0] + scope + lane, name[1])
        self.records.setdefault(named, set()).add(key)
        self.connection.execute("INSERT OR IGNORE INTO awaited VALUES (?, ?, ?, ?, ?)", (*named, *key))

    def came(self, stream: bytes, seq: int) -> set[RecordKey]:
        """The records that waited for an operation that is here now. Each of them is built anew, which forgets it."""
        return self.records.pop((stream, seq), set())

    def forget(self, key: RecordKey) -> None:
        """Before a record is built anew: it says again what it awaits."""
        rows = self.connection.execute(
            "SELECT name, seq FROM awaited WHERE kind = ? AND scope = ? AND record = ?", key
        ).fetchall()
        for stream, seq in rows:
            named = (bytes(stream), seq)
            waiting = self.records.get(named, set())
            waiting.discard(key)
            if not waiting:
                self.records.pop(named, None)
        if rows:
            self.connection.execute("DELETE FROM awaited WHERE kind = ? AND scope = ? AND record = ?", key)
