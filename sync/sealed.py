"""The sealed operations that count, opened here or not: what the digest says of them, and which records they are of.

Before: ``verdict`` let one count. After: ``projector`` opens what it has the key for, and builds those records anew
when a key comes or goes. Rebuilt like the quarantine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sync import digest
from sync.kinds import Kind
from sync.operation import Operation, RecordKey
from sync.oplog import Connection, Stream
from sync.sums import Sums


@dataclass(slots=True)
class SealedSet:
    connection: Connection
    sums: Sums

    def put(self, kind: Kind, stream: Stream, operation: Operation) -> None:
        found = digest.sealed_hash(operation)
        key = (operation.kind, operation.scope, operation.record)
        self.connection.execute(
            "INSERT INTO sealed VALUES (?, ?, ?, ?, ?, ?, ?)",
            (stream.no, operation.seq, *key, operation.fields["key"], found),
        )
        self.sums.add(kind.table, operation.scope, found)

    def release(self, stream: Stream, seq: int) -> None:
        """Before an operation is judged anew."""
        self._release("stream = ? AND seq = ?", (stream.no, seq))

    def release_from(self, stream: Stream, first: int) -> None:
        """Before a forked stream is judged anew."""
        self._release("stream = ? AND seq >= ?", (stream.no, first))

    def records(self, keys: Iterable[bytes]) -> set[RecordKey]:
        """The records of which something is sealed to one of these keys."""
        found: set[RecordKey] = set()
        for key in keys:
            rows = self.connection.execute("SELECT DISTINCT kind, scope, record FROM sealed WHERE key = ?", (key,))
            found.update((kind, bytes(scope), bytes(record)) for kind, scope, record in rows.fetchall())
        return found

    def _release(self, where: str, which: tuple[int, int]) -> None:
        rows = self.connection.execute(f"SELECT kind, scope, hash FROM sealed WHERE {where}", which).fetchall()
        for kind, scope, found in rows:
            self.sums.take(kind.replace("-", "_"), bytes(scope), bytes(found))
        if rows:
            self.connection.execute(f"DELETE FROM sealed WHERE {where}", which)
